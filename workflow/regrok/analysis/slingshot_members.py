"""Slingshots and grokking of every member of report 003's study of them."""

import numpy as np
import pandas as pd

from .summary import studied, table

INPUTS = ("members", "designs", "slingshots", "laziness")
REPORTS = "003-F2, 003-C4, 003-C5"
NEAR = 500  # steps before t4 within which an onset counts as being at it
SETTINGS = ["fraction", "learning_rate", "weight_decay", "beta2", "epsilon", "loss_precision"]
COLUMNS = {
    "cell": ("", "id of the cell"),
    "seed": ("1", "seed of the member"),
    "architecture": ("", "model"),
    "fraction": ("1", "share of the examples that is trained on"),
    "learning_rate": ("1", "learning rate"),
    "weight_decay": ("1", "weight decay"),
    "beta2": ("1", "decay of Adam's second moment"),
    "epsilon": ("1", "added to the denominator of Adam"),
    "loss_precision": ("", "precision of the log-softmax and its gradient"),
    "followed": ("steps", "how far it was followed"),
    "t2": ("steps", "training accuracy reaches the threshold"),
    "t4": ("steps", "steps to grokking; missing if never"),
    "generalised": ("", "whether t4 was reached"),
    "slingshots": ("1", "slingshots"),
    "before": ("1", "slingshots with their onset before t4, or at all if it was not reached"),
    "first": ("steps", "onset of the first; missing if there is none"),
    "lead": ("steps", "from the last onset before t4 to t4; missing if there is none"),
    "at_onset": ("", f"whether lead is at most {NEAR} steps"),
    "period": ("steps", "median from one onset to the next; missing with fewer than two"),
    "calm_spread": ("1", "90 % over 10 % quantile of the cosine distance from step to step outside slingshots"),
    "turning": ("1", "median cosine distance in slingshots over that outside; missing without slingshots"),
    "turned": ("1", "share of the sum of all cosine distances that falls into slingshots"),
}


def build(
    members: pd.DataFrame, designs: pd.DataFrame, slingshots: pd.DataFrame, laziness: pd.DataFrame
) -> pd.DataFrame:
    """A row a member of the study `slingshots` that was measured."""
    chosen = studied(members, designs, "slingshots")
    rows = chosen.merge(laziness, on=["cell", "seed"])
    onsets = {key: own["onset"].to_numpy(float) for key, own in slingshots.groupby(["cell", "seed"])}
    found = [_row(member, onsets.get((member["cell"], member["seed"]), np.array([]))) for _, member in rows.iterrows()]
    return table(found, COLUMNS)


def lead(onsets: np.ndarray, t4: float) -> float:
    """Steps from the last of `onsets` (increasing) up to t4; nan if there is none."""
    before = onsets[onsets <= t4]
    return float(t4 - before[-1]) if len(before) else np.nan


def _row(member: pd.Series, onsets: np.ndarray) -> dict:
    t4 = member["t4"] if member["generalised"] else np.nan
    onsets = onsets[onsets <= member["last_step"]]
    before = onsets[onsets <= t4] if np.isfinite(t4) else onsets
    last = lead(onsets, t4)
    return {
        **member[["cell", "seed", "architecture", *SETTINGS, "t2", "t4", "generalised", "turned"]],
        "followed": member["last_step"],
        "slingshots": len(onsets),
        "before": len(before),
        "first": onsets[0] if len(onsets) else np.nan,
        "lead": last,
        "at_onset": bool(last <= NEAR),
        "period": np.median(np.diff(onsets)) if len(onsets) > 1 else np.nan,
        "calm_spread": member["calm_high"] / member["calm_low"] if member["calm_low"] > 0 else np.nan,
        "turning": member["slingshot"] / member["calm"] if member["calm"] > 0 else np.nan,
    }
