"""Sharpness of the training loss: the largest eigenvalue of its Hessian, and its trace, through training."""

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from . import hessian
from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"every": 250, "until": 6000, "rows": 1024, "tolerance": 0.05, "probes": 4}
COLUMNS = {
    "step": ("steps", "optimisation step"),
    "train_loss": ("nats", "training loss on the rows that were looked at"),
    "sharpness": ("1", "largest eigenvalue of the Hessian"),
    "trace": ("1", "its trace, estimated"),
    "trace_error": ("1", "standard error of the estimate"),
}


def measure(member: Member, every: int, until: int, rows: int, tolerance: float, probes: int) -> pd.DataFrame:
    """A row a snapshot at a multiple of `every` from there on, up to `until`."""
    snapshots = member.snapshots()
    rng = np.random.default_rng([member.seed, rows])
    operands, answers = hessian.subset(*snapshots.examples("train"), rows, rng)
    found = []
    for index, step in enumerate(snapshots.steps):
        if 0 < step <= until and step % every == 0 and np.isfinite(snapshots.rows[index]).all():
            module = snapshots.module(index)
            with torch.no_grad():
                loss = float(functional.cross_entropy(module(operands), answers))
            product, d = hessian.of_module(module, operands, answers)
            trace, error, _ = hessian.traces(product, d, probes, rng)
            largest = hessian.largest_eigenvalue(product, d, tolerance, rng)
            row = {"step": int(step), "train_loss": loss, "sharpness": largest}
            found.append(row | {"trace": trace, "trace_error": error})
    return pd.DataFrame(found, columns=list(COLUMNS))
