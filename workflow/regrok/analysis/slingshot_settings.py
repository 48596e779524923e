"""Slingshots and grokking in every setting of report 003's study of them: what they depend on."""

import pandas as pd

from . import summary
from .slingshot_members import NEAR, SETTINGS

INPUTS = ("members", "designs", "slingshot_members")
REPORTS = "003-F2, 003-C4"
COLUMNS = {
    "cell": ("", "id of the cell"),
    "architecture": ("", "model"),
    "fraction": ("1", "share of the examples that is trained on"),
    "learning_rate": ("1", "learning rate"),
    "weight_decay": ("1", "weight decay"),
    "beta2": ("1", "decay of Adam's second moment"),
    "epsilon": ("1", "added to the denominator of Adam"),
    "loss_precision": ("", "precision of the log-softmax and its gradient"),
    "n": ("1", "members"),
    "with_slingshots": ("1", "members with slingshots"),
    "slingshots": ("1", "median of their number over members"),
    "period": ("steps", "median over members from one onset to the next; missing where none has two"),
    "events": ("1", "members that generalised"),
    "at_onset": ("1", f"of these, with an onset in the {NEAR} steps before t4"),
    "without": ("1", "of these, without any slingshot before t4"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that a member is followed at most"),
    "text": ("", "the median as printed"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame, slingshot_members: pd.DataFrame) -> pd.DataFrame:
    """A row a cell of the study `slingshots`, in the order of `members`; of members that were measured."""
    chosen = summary.studied(members, designs, "slingshots")
    chosen = chosen.merge(slingshot_members[["cell", "seed"]], on=["cell", "seed"])
    measured = dict(iter(slingshot_members.groupby("cell")))
    rows = [_row(cell, group, measured[cell["cell"]]) for cell, group in summary.by_cell(chosen)]
    return summary.table(rows, COLUMNS)


def _row(cell: pd.Series, members: pd.DataFrame, measured: pd.DataFrame) -> dict:
    grown = measured[measured["generalised"].astype(bool)]
    return {
        **cell[["cell", "architecture", *SETTINGS]],
        **summary.steps(members),
        "with_slingshots": (measured["slingshots"] > 0).sum(),
        "slingshots": measured["slingshots"].median(),
        "period": measured["period"].median(),
        "at_onset": grown["at_onset"].astype(bool).sum(),
        "without": (grown["before"] == 0).sum(),
    }
