"""Extreme eigenvalues of the Hessian of the training loss through training, and condition numbers.

The Hessian of a network is indefinite and has directions without any curvature, so that its smallest eigenvalue by size
is zero. `condition` is the largest over the size of the smallest, algebraically, the report's ratio without its sign;
`bulk_condition` is the largest over the root of the mean squared eigenvalue, which stands for the edge of the bulk.
Decoupled weight decay is no part of the loss; a penalty of the same strength would shift every eigenvalue by `decay`.
"""

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from . import hessian
from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"steps": [10, 100, 500, 1000, 2000, 5000], "rows": 1024, "tolerance": 0.001, "probes": 8}
COLUMNS = {
    "step": ("steps", "optimisation step"),
    "train_loss": ("nats", "training loss on the rows that were looked at"),
    "largest": ("1", "largest eigenvalue"),
    "smallest": ("1", "smallest eigenvalue, algebraically, to a thousandth of its distance from the largest"),
    "condition": ("1", "largest over the size of the smallest"),
    "decay": ("1", "weight decay, by which a penalty would shift all eigenvalues"),
    "condition_decay": ("1", "the same ratio with that shift"),
    "trace": ("1", "trace of the Hessian, estimated"),
    "trace_error": ("1", "standard error of the estimate"),
    "bulk": ("1", "root of the mean squared eigenvalue, estimated"),
    "bulk_condition": ("1", "largest over bulk"),
}


def measure(member: Member, steps: list[int], rows: int, tolerance: float, probes: int) -> pd.DataFrame:
    """A row a snapshot at one of `steps`."""
    snapshots = member.snapshots()
    rng = np.random.default_rng([member.seed, rows])
    operands, answers = hessian.subset(*snapshots.examples("train"), rows, rng)
    decay = getattr(member.cell.optimizer, "weight_decay", 0.0)
    found = []
    for index, step in enumerate(snapshots.steps):
        if step in steps and np.isfinite(snapshots.rows[index]).all():
            module = snapshots.module(index)
            with torch.no_grad():
                loss = float(functional.cross_entropy(module(operands), answers))
            product, d = hessian.of_module(module, operands, answers)
            found.append({"step": int(step), "train_loss": loss} | spectrum(product, d, tolerance, probes, decay, rng))
    return pd.DataFrame(found, columns=list(COLUMNS))


def spectrum(
    product: hessian.Product, d: int, tolerance: float, probes: int, decay: float, rng: np.random.Generator
) -> dict[str, float]:
    """The columns from largest on."""
    smallest, largest = hessian.extreme_eigenvalues(product, d, tolerance, rng)
    trace, error, squared = hessian.traces(product, d, probes, rng)
    bulk = (squared / d) ** 0.5
    return {
        "largest": largest,
        "smallest": smallest,
        "condition": ratio(largest, smallest),
        "decay": decay,
        "condition_decay": ratio(largest + decay, smallest + decay),
        "trace": trace,
        "trace_error": error,
        "bulk": bulk,
        "bulk_condition": ratio(largest, bulk),
    }


def ratio(largest: float, other: float) -> float:
    """largest / |other|; nan where that has no meaning."""
    return largest / abs(other) if other and largest > 0 else np.nan
