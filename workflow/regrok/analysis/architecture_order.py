"""Steps to grokking of report 001's three architectures by fraction of training data."""

import pandas as pd

from . import factors, format, reported_001, summary

INPUTS = ("members", "designs")
REPORTS = "001-F2, 001-F3, 001-F4, 001-C2"
COLUMNS = {
    "architecture": factors.COLUMNS["architecture"],
    "hidden": factors.COLUMNS["hidden"],
    "fraction": factors.COLUMNS["fraction"],
    "cell": ("", "id of the cell"),
    "n_parameters": ("1", "parameters of the model"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "grokked": ("1", "members that generalised long after they memorised"),
    "t2": ("steps", "median steps to memorisation (t2), Kaplan-Meier; inf if not reached"),
    "t2_text": ("", "the median of t2 as printed"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that the study follows a member at most"),
    "text": ("", "the median as printed"),
    "epochs": ("epochs", "the median in passes over the training set"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, fraction) of the study `fractions`, in the order in which the report has them grok; an
    LSTM has rows for each width that was trained."""
    chosen = summary.studied(members, designs, "fractions")
    rows = [_row(cell, group) for cell, group in summary.by_cell(chosen)]
    return summary.table(sorted(rows, key=_rank), COLUMNS)


def _rank(row: dict) -> tuple:
    """Of one architecture all cells have a hidden width, or none has."""
    width = () if pd.isna(row["hidden"]) else (row["hidden"],)
    return reported_001.ORDER.index(row["architecture"]), *width, row["fraction"]


def _row(cell: pd.Series, members: pd.DataFrame) -> dict:
    t2, t4 = summary.waited(members, "t2"), summary.steps(members)
    return {
        **cell[["architecture", "hidden", "fraction", "cell", "n_parameters"]],
        "grokked": int(members["grokked"].sum()),
        "t2": t2.value,
        "t2_text": format.median(t2, t4["budget"]),
        **t4,
        "epochs": t4["median"] / cell["steps_per_epoch"],
    }
