"""Where the residues lie in the plane of the first two principal components of the final embeddings, frame by frame."""

import numpy as np
import pandas as pd

from . import circle
from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"frames": 60}
COLUMNS = {
    "step": ("steps", "optimisation step"),
    "residue": ("1", "number that is embedded"),
    "first": ("1", "position along the first final component"),
    "second": ("1", "position along the second"),
    "frequency": ("1", "frequency of the final circle: residues follow each other on it in steps of its inverse"),
}


def measure(member: Member, frames: int) -> pd.DataFrame:
    """A row a (step, residue), of at most `frames` steps."""
    snapshots, residues = member.snapshots(), member.cell.task.modulus
    if not np.isfinite(snapshots.rows[-1]).all():
        return pd.DataFrame(columns=list(COLUMNS))
    final = circle.embeddings(snapshots.module(len(snapshots.steps) - 1), residues)
    axes = circle.plane(final)
    frequency, parts = circle.order(final @ axes)[1], []
    for index in chosen(len(snapshots.steps), frames):
        places = circle.centred(circle.embeddings(snapshots.module(index), residues)) @ axes
        frame = {"step": int(snapshots.steps[index]), "residue": np.arange(residues)}
        parts.append(pd.DataFrame(frame | {"first": places[:, 0], "second": places[:, 1], "frequency": frequency}))
    return pd.concat(parts, ignore_index=True)


def chosen(n: int, frames: int) -> np.ndarray:
    """At most `frames` indices of n, evenly from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, frames)).round().astype(int))
