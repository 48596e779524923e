"""What early stopping would have cost: the share of generalising members that a patience rule cuts before they do.

A rule watches the validation loss or the validation accuracy from step 0 on and stops at the first evaluation that
comes `patience` steps or more after the last strict improvement. A member is cut if that happens before t4.
"""

import numpy as np
import pandas as pd
import scipy

from ..events import evaluation_steps
from . import summary

INPUTS = ("members", "designs", "histories")
REPORTS = "000-C13"
COLUMNS = {
    "rule": ("", "what must improve: val_loss or val_acc"),
    "patience": ("steps", "steps without improvement after which the rule stops"),
    "n": ("1", "members of the study data_fraction, under AdamW, that generalise when they are not stopped"),
    "cut": ("1", "members that the rule stops before t4"),
    "share": ("1", "cut / n"),
    "low": ("1", "lower end of the exact 95 % binomial interval of the share, taking members as independent"),
    "high": ("1", "upper end of the exact 95 % binomial interval of the share, taking members as independent"),
    "median_stop": ("steps", "median step at which the cut members are stopped"),
    "kept_val_acc": (
        "1",
        "median over the cut members of the validation accuracy at the evaluation that the rule keeps",
    ),
}
RULES = {"val_loss": np.less, "val_acc": np.greater}  # quantity -> what counts as an improvement
PATIENCES = (200, 500, 1000, 2000, 5000, 10_000)


def build(members: pd.DataFrame, designs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row a (rule, patience); n is 0 where no member generalises."""
    chosen = summary.studied(members, designs, "data_fraction")
    chosen = chosen[chosen["generalised"] & (chosen["optimizer"] == "adamw")]
    alike = histories["step"].isin(evaluation_steps(int(histories["step"].max()) if len(histories) else 0))
    groups = histories[alike & histories["cell"].isin(chosen["cell"])].groupby(["cell", "seed"])
    curves = [(groups.get_group((m.cell, m.seed)), m.t4) for m in chosen.itertuples()]
    return summary.table([_row(rule, patience, curves) for rule in RULES for patience in PATIENCES], COLUMNS)


def stop(steps: np.ndarray, values: np.ndarray, improves: np.ufunc, patience: int) -> tuple[float, int]:
    """(step at which the rule stops, index of the evaluation it keeps); the step is inf if the rule does not stop.

    steps: (n,), increasing; values: float (n,), the watched quantity; improves: np.less or np.greater.
    """
    best = 0
    for i in range(1, len(steps)):
        if improves(values[i], values[best]):
            best = i
        elif steps[i] - steps[best] >= patience:
            return float(steps[i]), best
    return np.inf, best


def _row(rule: str, patience: int, curves: list[tuple[pd.DataFrame, float]]) -> dict:
    stops, kept = [], []
    for history, t4 in curves:
        step, best = stop(history["step"].to_numpy(), history[rule].to_numpy(), RULES[rule], patience)
        if step < t4:
            stops.append(step)
            kept.append(history["val_acc"].to_numpy()[best])
    n, cut = len(curves), len(stops)
    interval = scipy.stats.binomtest(cut, n).proportion_ci() if n else (np.nan, np.nan)
    return {
        "rule": rule,
        "patience": patience,
        "n": n,
        "cut": cut,
        "share": cut / n if n else np.nan,
        "low": interval[0],
        "high": interval[1],
        "median_stop": np.median(stops) if stops else np.nan,
        "kept_val_acc": np.median(kept) if kept else np.nan,
    }
