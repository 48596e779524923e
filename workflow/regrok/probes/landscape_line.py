"""Loss and accuracy along lines through weight space: from the weights of a step towards those of the end of training,
and along the way that training took next.

theta(alpha) = theta_t + alpha (theta_end - theta_t), and theta_t + alpha (theta_next - theta_t), where `next` is the
snapshot after that of step t. At alpha = 0 lies step t, at 1 the other end.
"""

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from .member import Member
from .snapshots import Snapshots

NEEDS = ("snapshots",)
SETTINGS = {"starts": [100, 200, 500, 1000, 2000], "points": 41, "low": -0.5, "high": 1.5}
COLUMNS = {
    "start": ("steps", "step t at alpha = 0"),
    "target": ("", "what lies at alpha = 1: 'end' or 'next'"),
    "target_step": ("steps", "its step"),
    "alpha": ("1", "position on the line"),
    "train_loss": ("nats", "mean cross-entropy on the training set"),
    "val_loss": ("nats", "mean cross-entropy on the validation set"),
    "train_acc": ("1", "accuracy on the training set"),
    "val_acc": ("1", "accuracy on the validation set"),
}


def measure(member: Member, starts: list[int], points: int, low: float, high: float) -> pd.DataFrame:
    """A row an (start, target, alpha), of the starts that are snapshots before the last."""
    snapshots = member.snapshots()
    sides = {side: snapshots.examples(name) for side, name in (("train", "train"), ("val", "validation"))}
    last, rows = len(snapshots.steps) - 1, []
    for index in np.flatnonzero(np.isin(snapshots.steps[:-1], starts)):
        for target, end in {"end": last, "next": index + 1}.items():
            key = {"start": int(snapshots.steps[index]), "target": target, "target_step": int(snapshots.steps[end])}
            for alpha in np.linspace(low, high, points):
                weights = between(snapshots.rows[index], snapshots.rows[end], alpha)
                rows.append(key | {"alpha": float(alpha)} | evaluated(snapshots, weights, sides))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def between(start: np.ndarray, end: np.ndarray, alpha: float) -> np.ndarray:
    """start + alpha (end - start), float32 (d,), computed in float64."""
    return (start + alpha * (end.astype(np.float64) - start)).astype(np.float32)


def evaluated(snapshots: Snapshots, weights: np.ndarray, sides: dict) -> dict[str, float]:
    """Loss and accuracy of flat weights on either side."""
    module, found = snapshots.holding(weights), {}
    with torch.no_grad():
        for side, (operands, answers) in sides.items():
            logits = module(operands)
            found[f"{side}_loss"] = float(functional.cross_entropy(logits, answers))
            found[f"{side}_acc"] = float((logits.argmax(-1) == answers).float().mean())
    return found
