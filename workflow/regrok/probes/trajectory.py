"""Explained variance of the principal components of a member's way through weight space, against two nulls.

Snapshots are `every` steps apart: log-spaced ones would weigh the beginning. A walk in many dimensions has most of its
variance in few components whatever it does (Antognini and Sohl-Dickstein, NeurIPS 2018). `walk`: as long steps, each in
a new direction. `decaying`: weights that shrink by a constant share from snapshot to snapshot, fitted to the way, with
what remains of each step in a new direction. Both are taken in the limit of infinitely many dimensions, where new
directions are orthogonal to all before, and involve no chance.
"""

import numpy as np
import pandas as pd

from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"every": 200, "components": 10}
COLUMNS = {
    "component": ("1", "number of the principal component"),
    "share": ("1", "share of the variance in it"),
    "cumulative": ("1", "share of the variance in it and those before it"),
    "walk": ("1", "cumulative share of a walk of as long steps"),
    "decaying": ("1", "cumulative share of a walk that decays"),
    "decay": ("1", "share by which that one shrinks from snapshot to snapshot"),
    "snapshots": ("1", "snapshots"),
}
LEAST = 4  # snapshots


def measure(member: Member, every: int, components: int) -> pd.DataFrame:
    """A row a component; none with fewer than `LEAST` snapshots or weights that are not finite."""
    rows = uniform(member, every)[1]
    if len(rows) < LEAST or not np.isfinite(rows).all():
        return pd.DataFrame(columns=list(COLUMNS))
    gram = rows.astype(np.float64) @ rows.T.astype(np.float64)
    decay, rests = decaying(gram)
    lengths = np.sqrt(np.maximum(squared_steps(gram), 0))
    own = explained(gram)
    walks = {"walk": walk_gram(0.0, 0.0, lengths), "decaying": walk_gram(decay, gram[0, 0] ** 0.5, rests)}
    kept = min(components, len(rows) - 1)
    return pd.DataFrame(
        {
            "component": np.arange(1, kept + 1),
            "share": own[:kept],
            "cumulative": own.cumsum()[:kept],
            **{
                name: shares.cumsum()[:kept]
                for name, shares in ((name, explained(walk)) for name, walk in walks.items())
            },
            "decay": decay,
            "snapshots": len(rows),
        }
    )


def uniform(member: Member, every: int) -> tuple[np.ndarray, np.ndarray]:
    """(steps (n,), weights float32 (n, d)) of the snapshots at 0, every, 2 every, ..., up to the first that is missing:
    later ones are only log-spaced."""
    snapshots = member.snapshots()
    chosen = np.flatnonzero(snapshots.steps % every == 0)
    chosen = chosen[snapshots.steps[chosen] == every * np.arange(len(chosen))]
    return snapshots.steps[chosen], snapshots.rows[chosen]


def centred(gram: np.ndarray) -> np.ndarray:
    """Inner products of points less their mean, from those of the points, (n, n)."""
    return gram - gram.mean(axis=0) - gram.mean(axis=1, keepdims=True) + gram.mean()


def explained(gram: np.ndarray) -> np.ndarray:
    """Shares of the variance in the principal components, decreasing, (n,), from the inner products of n points."""
    values = np.linalg.eigvalsh(centred(gram))[::-1].clip(min=0)
    return values / max(values.sum(), 1e-300)


def squared_steps(gram: np.ndarray) -> np.ndarray:
    """Squared distances between successive points, (n - 1,)."""
    square = np.diag(gram)
    return square[1:] + square[:-1] - 2 * np.diag(gram, 1)


def decaying(gram: np.ndarray) -> tuple[float, np.ndarray]:
    """(a, lengths (n - 1,)): the least-squares share a of x[t+1] = (1 - a) x[t] + e[t], between 0 and 1, and |e[t]|."""
    square, next_to = np.diag(gram), np.diag(gram, 1)
    keep = float(np.clip(next_to.sum() / max(square[:-1].sum(), 1e-300), 0, 1))
    return 1 - keep, np.sqrt(np.maximum(square[1:] - 2 * keep * next_to + keep**2 * square[:-1], 0))


def walk_gram(decay: float, start: float, lengths: np.ndarray) -> np.ndarray:
    """Inner products of x[0], of length `start`, and x[t+1] = (1 - decay) x[t] + e[t], |e[t]| = lengths[t], all of
    them orthogonal; (n, n)."""
    n = len(lengths) + 1
    ages = np.subtract.outer(np.arange(n), np.arange(n))
    coordinates = np.where(ages >= 0, (1 - decay) ** np.maximum(ages, 0), 0.0) * np.concatenate([[start], lengths])
    return coordinates @ coordinates.T
