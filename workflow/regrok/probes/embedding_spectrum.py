"""The spectrum of the embeddings along the residues, before the first step and after the last."""

import numpy as np
import pandas as pd

from . import circle
from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {}
COLUMNS = {
    "step": ("steps", "optimisation step: 0, or the last"),
    "frequency": ("1", "frequency along the residues"),
    "share": ("1", "share of the variance of the embeddings in it"),
}


def measure(member: Member) -> pd.DataFrame:
    """A row a (step, frequency)."""
    snapshots, parts = member.snapshots(), []
    for index in dict.fromkeys((0, len(snapshots.steps) - 1)):
        if np.isfinite(snapshots.rows[index]).all():
            shares = circle.spectrum(circle.embeddings(snapshots.module(index), member.cell.task.modulus))
            step = int(snapshots.steps[index])
            parts.append(pd.DataFrame({"step": step, "frequency": np.arange(1, len(shares) + 1), "share": shares}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
