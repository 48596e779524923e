"""Boolean functions, patterns and strings: when members memorise, when they generalise, and whether there is a delay.

A member groks if it generalises at least 1 000 steps after it has memorised.
"""

import pandas as pd

from . import summary

INPUTS = ("members", "designs")
REPORTS = "000-C10"
COLUMNS = {
    "architecture": ("", "model"),
    "family": ("", "logic, patterns or strings"),
    "operation": ("", "name of the task"),
    "symbol": ("", "as printed"),
    "fraction": ("1", "share of the examples that is trained on"),
    "cell": ("", "id of the cell"),
    "n_train": ("1", "training examples"),
    "chance": ("1", "accuracy of always giving the most frequent answer"),
    "memorised": ("steps", "median steps to 99 % on the training set (t2); inf: not reached"),
    "n": ("1", "members"),
    "events": ("1", "members that generalise within the budget"),
    "grok": ("1", "members that grok"),
    "median": ("steps", "median steps to grokking (t4); inf: not reached"),
    "low": ("steps", "low end of its 95 % interval"),
    "high": ("steps", "high end"),
    "budget": ("steps", "how far members were followed at most"),
    "text": ("", "the median as printed"),
    "best": ("1", "median over members of the highest accuracy on the validation set"),
}
FAMILIES = {"logic": "Boolean functions", "patterns": "patterns", "strings": "strings"}
CONTROL = "random"  # the operation that cannot be learnt


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, task, fraction) of the study `beyond_arithmetic`."""
    chosen = summary.studied(members, designs, "beyond_arithmetic")
    rows = [
        {
            **cell[["architecture", "family", "operation", "symbol", "fraction", "cell", "n_train", "chance"]],
            "memorised": group["t2"].fillna(float("inf")).median(),
            "grok": int(group["grokked"].sum()),
            "best": group["best_val_acc"].median(),
            **summary.steps(group),
        }
        for cell, group in summary.by_cell(chosen)
    ]
    return summary.table(rows, COLUMNS)
