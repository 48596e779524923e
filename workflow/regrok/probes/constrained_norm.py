"""The reduced landscape of Liu et al. 2023 (Omnigrok): losses of weights whose norm is held, against that norm.

The final weights are scaled to a share of their norm and trained on the full training set, by Adam for `descent` steps
of rate `rate`, after each of which they are put back on the sphere. Their losses there are the two curves, L and U.
"""

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from .landscape_line import evaluated
from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"shares": [0.3, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0], "descent": 200, "rate": 0.003}
COLUMNS = {
    "share": ("1", "norm over that of the final weights"),
    "norm": ("1", "norm of all weights"),
    "train_loss": ("nats", "training loss after the descent"),
    "val_loss": ("nats", "validation loss after the descent"),
    "train_acc": ("1", "training accuracy after the descent"),
    "val_acc": ("1", "validation accuracy after the descent"),
}


def measure(member: Member, shares: list[float], descent: int, rate: float) -> pd.DataFrame:
    """A row a share."""
    snapshots = member.snapshots()
    sides = {side: snapshots.examples(name) for side, name in (("train", "train"), ("val", "validation"))}
    final, rows = snapshots.rows[-1], []
    if not np.isfinite(final).all():
        return pd.DataFrame(columns=list(COLUMNS))
    norm = float(np.linalg.norm(final.astype(np.float64)))
    for share in shares:
        weights = on_sphere(snapshots, final, share * norm, sides["train"], descent, rate)
        rows.append({"share": share, "norm": share * norm} | evaluated(snapshots, weights, sides))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def on_sphere(snapshots, weights: np.ndarray, norm: float, examples, descent: int, rate: float) -> np.ndarray:
    """Flat weights, float32 (d,), of that `norm` after `descent` steps on the sphere."""
    start = weights.astype(np.float64)
    module = snapshots.holding((start * (norm / np.linalg.norm(start))).astype(np.float32))
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    for _ in range(descent):
        optimizer.zero_grad()
        functional.cross_entropy(module(examples[0]), examples[1]).backward()
        optimizer.step()
        with torch.no_grad():
            scale = norm / torch.sqrt(sum((parameter.double() ** 2).sum() for parameter in parameters))
            for parameter in parameters:
                parameter.mul_(scale.to(parameter.dtype))
    return snapshots.flat(module)
