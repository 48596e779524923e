"""The report's optimisers at its literal learning rate and weight decay, and Adam without decay in two precisions."""

import pandas as pd

from . import summary

INPUTS = ("members", "designs")
REPORTS = "000-F2, 000-C2, 000-C2b, 000-C2d"
COLUMNS = {
    "label": ("", "optimiser and its weight decay in words"),
    "cell": ("", "id of the cell"),
    "optimizer": ("", "adamw (decoupled decay), adam or sgd (decay added to the gradient)"),
    "learning_rate": ("1", "learning rate after warm-up"),
    "weight_decay": ("1", "weight decay"),
    "momentum": ("1", "momentum of sgd"),
    "loss_precision": ("", "precision of the log-softmax and its gradient"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "diverged": ("1", "members whose loss became non-finite"),
    "share_memorised": ("1", "share of the members whose training accuracy reached the threshold"),
    "share_generalised": ("1", "share of the members whose validation accuracy reached the threshold"),
    "share_grokked": ("1", "share of the members that generalised long after they memorised"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that a member is followed at most"),
    "text": ("", "the median as printed"),
    "followed": (
        "steps",
        "least steps that a member which neither generalised nor diverged was followed; missing if none",
    ),
    "final_train_acc": ("1", "median over the members of the last training accuracy"),
    "final_val_acc": ("1", "median over the members of the last validation accuracy"),
    "best_val_acc": ("1", "largest validation accuracy that any member ever had"),
    "zero_loss_share": ("1", "median over the members of the last share of training examples with a loss of exactly 0"),
    "zero_loss_half_step": ("steps", "median step by which that share is one half, among the members that came to it"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a cell of the studies `optimizers` and `no_decay`, in the order of `members`."""
    both = [summary.studied(members, designs, study) for study in ("no_decay", "optimizers")]
    chosen = pd.concat(both).drop_duplicates(["cell", "seed"])
    return summary.table([_row(cell, group) for cell, group in summary.by_cell(chosen)], COLUMNS)


def _row(cell: pd.Series, members: pd.DataFrame) -> dict:
    settings = ["cell", "optimizer", "learning_rate", "weight_decay", "momentum", "loss_precision"]
    censored = members[~members["generalised"] & ~members["diverged"]]
    medians = ["final_train_acc", "final_val_acc", "zero_loss_share", "zero_loss_half_step"]
    return {
        "label": label(cell),
        **cell[settings],
        **summary.steps(members),
        **summary.shares(members),
        "diverged": members["diverged"].sum(),
        "followed": censored["last_step"].min(),
        **members[medians].median(),
        "best_val_acc": members["best_val_acc"].max(),
    }


def label(cell: pd.Series) -> str:
    """'AdamW', 'Adam with L2', 'SGD with L2', '... without decay', and '..., float64 loss'."""
    name = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD"}[cell["optimizer"]]
    decay = " without decay" if cell["weight_decay"] == 0 else "" if cell["optimizer"] == "adamw" else " with L2"
    return name + decay + (", float64 loss" if cell["loss_precision"] == "float64" else "")
