"""Steps to grokking of every operation by fraction of training data, for splits of ordered and of unordered pairs.

An ordered split of a symmetric operation leaves the mirror (y, x) of many a validation pair in training; a split of
unordered pairs does not, so the two together tell symmetry from leakage.
"""

import pandas as pd

from ..tasks.modular import OPERATIONS
from . import summary

INPUTS = ("members", "designs")
REPORTS = "000-F3, 000-C4"
COLUMNS = {
    "operation": ("", "operation of the task"),
    "symmetric": ("", "whether x op y = y op x"),
    "pairs": ("", "what the split draws: ordered pairs, or unordered pairs together with their mirror"),
    "fraction": ("1", "share of the examples trained on"),
    "cell": ("", "id of the cell"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that the study follows a member at most"),
    "text": ("", "the median as printed"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an (operation, pairs, fraction) of the study `operations`."""
    rows = [
        {
            **cell[["operation", "pairs", "fraction", "cell"]],
            "symmetric": OPERATIONS[cell["operation"]].symmetric,
            **summary.steps(group),
        }
        for cell, group in summary.by_cell(summary.studied(members, designs, "operations"))
    ]
    rows.sort(key=lambda row: (list(OPERATIONS).index(row["operation"]), row["pairs"], row["fraction"]))
    return summary.table(rows, COLUMNS)
