"""The reduced landscape of Liu et al. 2023 (Omnigrok): losses of weights whose norm is held, against that norm.

The initial weights are scaled to a share of the norm of the final ones and trained on the full training set, by Adam
for `descent` steps of rate `rate` along the sphere, after each of which they are put back on it. Their losses there
are the two curves, L and U. They start from the initial weights, which know nothing: the final ones generalise at any
norm.
"""

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from .landscape_line import evaluated
from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"shares": [0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0], "descent": 300, "rate": 0.01}
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
    initial, final, rows = snapshots.rows[0], snapshots.rows[-1], []
    if not np.isfinite(final).all():
        return pd.DataFrame(columns=list(COLUMNS))
    norm = float(np.linalg.norm(final.astype(np.float64)))
    for share in shares:
        weights = on_sphere(snapshots, initial, share * norm, sides["train"], descent, rate)
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
        outwards = inner(parameters, [parameter.grad for parameter in parameters]) / norm**2
        for parameter in parameters:
            parameter.grad.sub_(outwards * parameter.detach())
        optimizer.step()
        with torch.no_grad():
            scale = norm / inner(parameters, parameters) ** 0.5
            for parameter in parameters:
                parameter.mul_(scale)
    return snapshots.flat(module)


def inner(left: list[torch.Tensor], right: list[torch.Tensor]) -> float:
    """The inner product, summed in float64."""
    return float(sum((a.detach().double() * b.detach().double()).sum() for a, b in zip(left, right, strict=True)))
