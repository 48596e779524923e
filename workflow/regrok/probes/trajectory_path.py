"""A member's way through weight space in its first two principal components."""

import numpy as np
import pandas as pd

from .member import Member
from .trajectory import LEAST, centred, uniform

NEEDS = ("snapshots",)
SETTINGS = {"every": 200}
COLUMNS = {
    "step": ("steps", "optimisation step"),
    "first": ("1", "position along the first component, which ends on the positive side"),
    "second": ("1", "position along the second component, the same"),
}


def measure(member: Member, every: int) -> pd.DataFrame:
    """A row a snapshot."""
    steps, rows = uniform(member, every)
    if len(rows) < LEAST or not np.isfinite(rows).all():
        return pd.DataFrame(columns=list(COLUMNS))
    first, second = path(rows.astype(np.float64) @ rows.T.astype(np.float64))
    return pd.DataFrame({"step": steps, "first": first, "second": second})


def path(gram: np.ndarray) -> np.ndarray:
    """Coordinates of points, (2, n), in their first two principal components, from their inner products."""
    values, vectors = np.linalg.eigh(centred(gram))
    places = (vectors * np.sqrt(values.clip(min=0)))[:, :-3:-1].T
    return places * np.where(places[:, -1:] < 0, -1, 1)
