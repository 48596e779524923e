"""Sums of K terms: how many examples there are, what is measured of them, and the steps and epochs to grokking."""

from math import inf, sqrt

import pandas as pd

from ..tasks.split import train_size
from . import factors, format, reported_001, summary
from .survival import Median
from .tables import Columns

INPUTS = ("members", "designs")
REPORTS = "001-F7, 001-C8, 001-C14"


def _median_columns(name: str, unit: str, meaning: str) -> Columns:
    return {
        name: (unit, f"median {unit} {meaning}, Kaplan-Meier; inf if not reached"),
        f"{name}_low": (unit, "lower end of its 95 % interval; missing below 6 members"),
        f"{name}_high": (unit, "upper end of its 95 % interval; inf if beyond the budget"),
        f"{name}_text": ("", "the median as printed"),
    }


COLUMNS = {
    "terms": factors.COLUMNS["terms"],
    "fraction": factors.COLUMNS["fraction"],
    "fixed_size": ("", "whether it is a control with as many training examples as of two terms"),
    "cell": ("", "id of the cell"),
    "n_examples": ("1", "examples of the task"),
    "n_train": ("1", "training examples"),
    "evaluated_train": ("1", "training examples that accuracies are measured on"),
    "evaluated_val": ("1", "validation examples that accuracies are measured on"),
    "half_width": ("points", "half the 95 % interval of a validation accuracy of 99 %; 0 if measured on all examples"),
    "half_width_worst": ("points", "the same of an accuracy of 50 %, where it is largest"),
    "steps_per_epoch": ("steps", "optimisation steps in which the training set is seen once"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "memorised": ("1", "members whose training accuracy reached the threshold"),
    "budget": ("steps", "steps that the study follows a member at most"),
    **_median_columns("t2", "steps", "to memorisation"),
    **_median_columns("t2_epochs", "epochs", "to memorisation"),
    **_median_columns("t4", "steps", "to generalisation"),
    **_median_columns("t4_epochs", "epochs", "to generalisation"),
    **_median_columns("delay", "steps", "from memorisation to generalisation"),
    **_median_columns("delay_epochs", "epochs", "from memorisation to generalisation"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a cell of the study `summands`: those at the report's fraction by terms, then the controls."""
    chosen = summary.studied(members, designs, "summands")
    rows = [_row(cell, group) for cell, group in summary.by_cell(chosen)]
    return summary.table(sorted(rows, key=lambda row: (row["fixed_size"], row["terms"])), COLUMNS)


def fixed_size(cell: pd.Series) -> bool:
    """Whether a sum of more than two terms has as many training examples as one of two at the report's fraction."""
    sizes = [
        train_size(cell["modulus"] ** terms, fraction)
        for terms, fraction in ((cell["terms"], cell["fraction"]), (2, reported_001.FRACTION))
    ]
    return bool(cell["terms"] > 2 and sizes[0] == sizes[1])


def half_width(accuracy: float, measured: int, total: float = inf) -> float:
    """Half the normal 95 % interval, in points, of an accuracy on `total` examples of which `measured` are drawn at
    random without replacement (Cochran 1977, Sampling Techniques, 3.2)."""
    unseen = 1 if total == inf else (total - measured) / max(total - 1, 1)
    return 100 * 1.96 * sqrt(accuracy * (1 - accuracy) / measured * unseen)


def _row(cell: pd.Series, members: pd.DataFrame) -> dict:
    steps = summary.steps(members)
    return {
        "terms": cell["terms"],
        "fraction": cell["fraction"],
        "fixed_size": fixed_size(cell),
        "cell": cell["cell"],
        "n_examples": int(cell["modulus"]) ** int(cell["terms"]),
        **cell[["n_train", "evaluated_train", "evaluated_val", "steps_per_epoch"]],
        "half_width": half_width(0.99, cell["evaluated_val"], cell["n_val"]),
        "half_width_worst": half_width(0.5, cell["evaluated_val"], cell["n_val"]),
        **{name: steps[name] for name in ("n", "events", "budget")},
        "memorised": int(members["t2"].notna().sum()),
        **_times(members, cell["steps_per_epoch"]),
    }


def _times(members: pd.DataFrame, steps_per_epoch: int) -> dict:
    medians = {
        "t2": summary.waited(members, "t2"),
        "t4": summary.waited(members, "t4"),
        "delay": summary.waited(members, "t4", since=members["t2"].to_numpy(float)),
    }
    budget = members["budget"].max()
    found = {}
    for name, median in medians.items():
        found |= _median(name, median, format.median(median, budget))
        epochs = summary.in_epochs(median, steps_per_epoch)
        found |= _median(f"{name}_epochs", epochs, format.median(epochs, budget / steps_per_epoch, format.number))
    return found


def _median(name: str, median: Median, text: str) -> dict:
    return {name: median.value, f"{name}_low": median.low, f"{name}_high": median.high, f"{name}_text": text}
