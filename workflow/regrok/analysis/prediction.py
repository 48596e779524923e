"""What is known of a member of report 003's grid after its first losses, and whether it generalises by the horizon."""

import numpy as np
import pandas as pd

from . import probed, summary

INPUTS = ("members", "designs", "histories", "spectral")
REPORTS = "003-F3, 003-F4"
FEATURES = (
    "activity",
    "mobility",
    "complexity",
    "log_activity",
    "late_activity",
    "raw_activity",
    "loss",
    "weight_norm",
)
COLUMNS = {
    "cell": ("", "id of the cell"),
    "seed": ("1", "seed of the member"),
    "architecture": ("", "model"),
    "fraction": ("1", "share of the examples that is trained on"),
    "learning_rate": ("1", "learning rate"),
    "weight_decay": ("1", "weight decay"),
    "window": ("steps", "training losses that were looked at, from the first on"),
    **{name: probed.columns("spectral")[name] for name in FEATURES},
    "horizon": ("steps", "when the outcome is read off"),
    "val_acc": ("1", "validation accuracy at the horizon, or where it diverged"),
    "t4": ("steps", "steps to grokking; missing if not by the horizon"),
    "generalised": ("", "whether t4 was reached by the horizon"),
    "at_risk": (
        "",
        "whether it had not yet generalised when the window ended: of the others nothing is left to predict",
    ),
}


def build(
    members: pd.DataFrame, designs: pd.DataFrame, histories: pd.DataFrame, spectral: pd.DataFrame
) -> pd.DataFrame:
    """A row a (member, window) of the study `prediction`; members whose losses became infinite have no features."""
    chosen = summary.studied(members, designs, "prediction")
    final = last(histories, chosen)
    rows = chosen[["cell", "seed", "architecture", "fraction", "learning_rate", "weight_decay", "t4", "generalised"]]
    rows = rows.assign(horizon=chosen["budget"]).merge(final, on=["cell", "seed"])
    rows = rows.merge(spectral, on=["cell", "seed"])
    rows["at_risk"] = ~(rows["t4"] <= rows["window"])
    return summary.table(rows[list(COLUMNS)].to_dict("records"), COLUMNS)


def last(histories: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """cell, seed, val_acc at the last evaluation that the study asks for."""
    own = histories.merge(members[["cell", "seed", "last_step"]], on=["cell", "seed"])
    own = own[own["step"] <= own["last_step"]].sort_values("step")
    return own.groupby(["cell", "seed"], as_index=False)["val_acc"].last()


def usable(prediction: pd.DataFrame, window: int) -> pd.DataFrame:
    """The members with features at a window, and their positive features on a logarithmic scale."""
    rows = prediction[prediction["window"] == window].dropna(subset=list(FEATURES))
    least = np.finfo(np.float32).tiny
    for name in ("activity", "log_activity", "late_activity", "raw_activity", "loss"):
        rows[name] = np.log10(np.maximum(rows[name].astype(float), least))
    return rows.astype(dict.fromkeys(("learning_rate", "weight_decay", "val_acc", *FEATURES), float))
