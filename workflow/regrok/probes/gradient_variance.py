"""Variance of minibatch gradients at fixed weights.

At each snapshot the gradients of `batches` minibatches are taken, of the size the member trains with, each drawn from
its training set without replacement and independently of the others: parts of one permutation would differ more from
each other than minibatches do. So the trace of their sample covariance is an unbiased estimate of the variance of a
minibatch; `relative` divides it by an unbiased estimate of the squared norm of the full gradient, and is missing where
that is not above zero.
"""

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"every": 50, "batches": 8}
COLUMNS = {
    "step": ("steps", "optimisation step"),
    "variance": ("1", "trace of the covariance of minibatch gradients"),
    "squared_norm": ("1", "squared norm of the mean gradient, less what chance adds"),
    "relative": ("1", "variance over squared_norm"),
}


def measure(member: Member, every: int, batches: int) -> pd.DataFrame:
    """A row a snapshot at a multiple of `every`."""
    snapshots = member.snapshots()
    operands, answers = snapshots.examples("train")
    size, rows = min(member.cell.batch_size, len(answers)), []
    for index, step in enumerate(snapshots.steps):
        if step % every == 0 and np.isfinite(snapshots.rows[index]).all():
            rng = np.random.default_rng([member.seed, int(step)])
            module = snapshots.module(index)
            drawn = [rng.choice(len(answers), size, replace=False) for _ in range(batches)]
            gradients = np.array([gradient(module, operands[chosen], answers[chosen]) for chosen in drawn])
            rows.append({"step": int(step)} | moments(gradients))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def gradient(module: torch.nn.Module, operands: torch.Tensor, answers: torch.Tensor) -> np.ndarray:
    """Of the mean cross-entropy, flat, float64 (d,)."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    found = torch.autograd.grad(functional.cross_entropy(module(operands), answers), parameters)
    return torch.cat([part.reshape(-1) for part in found]).double().numpy()


def moments(gradients: np.ndarray) -> dict[str, float]:
    """variance, squared_norm and relative of gradients, float64 (batches, d)."""
    variance = float(gradients.var(axis=0, ddof=1).sum())
    mean = gradients.mean(axis=0)
    squared = float(mean @ mean) - variance / len(gradients)
    return {"variance": variance, "squared_norm": squared, "relative": variance / squared if squared > 0 else np.nan}
