"""Random train/validation splits of a table."""

import numpy as np

from .table import Table


def train_size(total: int, fraction: float) -> int:
    """Number of training examples out of `total`, at least 1."""
    return max(1, round(fraction * total))


def split(table: Table, fraction: float, pairs: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the training and the validation examples of `table`: bool, shape (n,) each.

    Training has exactly train_size(n, fraction) examples: a prefix of one random order, so that for one `rng` state
    the training sets of growing fractions are nested. Validation is the rest.
    pairs="unordered" keeps (x, y) beside its mirror (y, x) in that order, so that no validation pair has its mirror
    in training; where the prefix ends between the two, the second is in neither set.
    """
    wanted = train_size(len(table), fraction)
    train, validation = np.zeros(len(table), dtype=bool), np.ones(len(table), dtype=bool)
    if pairs == "ordered":
        train[rng.permutation(len(table))[:wanted]] = True
        return train, ~train
    low, high = np.minimum(table.x, table.y), np.maximum(table.x, table.y)
    _, group = np.unique(low * table.tokens + high, return_inverse=True)
    rank = rng.permutation(group.max() + 1)[group]
    train[np.argsort(rank, kind="stable")[:wanted]] = True
    validation[np.isin(rank, rank[train])] = False
    return train, validation
