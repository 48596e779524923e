"""The signals that report 000 calls precursors, of every member of its study, beside each other."""

import numpy as np
import pandas as pd

from .summary import studied, table

INPUTS = ("members", "designs", "histories", "gradient_variance", "sharpness")
REPORTS = "000-C7, 000-C8, 000-C9"
SIGNALS = ("weight_norm", "gradient_variance", "relative_variance", "sharpness")
NAMES = dict(zip(SIGNALS, ("weight norm", "gradient variance", "relative gradient variance", "sharpness"), strict=True))
EVERY = 50  # steps: some members are evaluated more often, and all are to be seen alike
COLUMNS = {
    "cell": ("", "id of the cell"),
    "seed": ("1", "seed of the member"),
    "fraction": ("1", "share of the examples that is trained on"),
    "weight_decay": ("1", "weight decay"),
    "t4": ("steps", "steps to grokking; missing if never"),
    "followed": ("steps", "how far the member was followed"),
    "signal": ("", "weight_norm, gradient_variance, relative_variance (over the squared mean gradient) or sharpness"),
    "step": ("steps", "optimisation step"),
    "value": ("1", "value of the signal"),
    "train_loss": ("nats", "training loss at the last evaluation up to that step"),
    "train_acc": ("1", "training accuracy there"),
}


def build(
    members: pd.DataFrame,
    designs: pd.DataFrame,
    histories: pd.DataFrame,
    gradient_variance: pd.DataFrame,
    sharpness: pd.DataFrame,
) -> pd.DataFrame:
    """A row a (member, signal, step) of the study `precursors`, by step."""
    chosen = studied(members, designs, "precursors").rename(columns={"last_step": "followed"})
    keys = chosen[["cell", "seed", "fraction", "weight_decay", "t4", "followed"]]
    curves = histories.merge(keys[["cell", "seed"]], on=["cell", "seed"])
    series = {
        "weight_norm": curves.rename(columns={"weight_norm": "value"}),
        "gradient_variance": gradient_variance.rename(columns={"variance": "value"}),
        "relative_variance": gradient_variance.rename(columns={"relative": "value"}),
        "sharpness": sharpness.rename(columns={"sharpness": "value"}),
    }
    rows = pd.concat(
        [own[["cell", "seed", "step", "value"]].assign(signal=name) for name, own in series.items()], ignore_index=True
    )
    rows = rows.astype({"cell": str, "seed": "int64", "step": "int64", "value": float}).merge(keys, on=["cell", "seed"])
    rows = rows[(rows["step"] <= rows["followed"]) & np.isfinite(rows["value"]) & (rows["step"] % EVERY == 0)]
    at = curves[["cell", "seed", "step", "train_loss", "train_acc"]].astype({"cell": str, "step": "int64"})
    rows = pd.merge_asof(rows.sort_values("step"), at.sort_values("step"), on="step", by=["cell", "seed"])
    order = rows["signal"].map(SIGNALS.index)
    rows = rows.assign(order=order).sort_values(["cell", "seed", "order", "step"])
    return table(rows[list(COLUMNS)].to_dict("records"), COLUMNS)
