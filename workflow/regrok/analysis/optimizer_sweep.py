"""Every point of the sweeps over learning rate and weight decay, of equal size for each optimiser."""

import pandas as pd

from . import summary

INPUTS = ("members", "designs")
REPORTS = "000-C2b, 000-C2d, 001-C3"
COLUMNS = {
    "study": ("", "optimizer_sweep (report 000) or optimizer_sweep_001"),
    "optimizer": ("", "adamw (decoupled decay), adam, sgd or rmsprop (decay added to the gradient)"),
    "learning_rate": ("1", "learning rate after warm-up"),
    "weight_decay": ("1", "weight decay"),
    "cell": ("", "id of the cell"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "diverged": ("1", "members whose loss became non-finite"),
    "share_memorised": ("1", "share of the members whose training accuracy reached the threshold"),
    "share_generalised": ("1", "share of the members whose validation accuracy reached the threshold"),
    "share_grokked": ("1", "share of the members that generalised long after they memorised"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that the study follows a member at most"),
    "text": ("", "the median as printed"),
    "best_val_acc": ("1", "mean over the members of the largest validation accuracy on record"),
}
STUDIES = ("optimizer_sweep", "optimizer_sweep_001")
POINT = ["optimizer", "learning_rate", "weight_decay"]


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a point of the sweeps, by study, optimiser, learning rate and weight decay."""
    return pd.concat([points(members, designs, study) for study in STUDIES], ignore_index=True)


def points(members: pd.DataFrame, designs: pd.DataFrame, study: str) -> pd.DataFrame:
    """A row a point of one study, by optimiser, learning rate and weight decay."""
    rows = [
        {
            "study": study,
            **cell[[*POINT, "cell"]],
            **summary.steps(group),
            **summary.shares(group),
            "diverged": group["diverged"].sum(),
            "best_val_acc": group["best_val_acc"].mean(),
        }
        for cell, group in summary.by_cell(summary.studied(members, designs, study))
    ]
    return summary.table(rows, COLUMNS).sort_values(POINT, ignore_index=True)
