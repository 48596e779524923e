"""Random train/validation splits of all examples of a task, and the subsets of them that accuracies are measured on."""

import numpy as np

from .sums import Sums
from .table import Table

FULLY_EVALUATED = 16_384  # examples of a task up to which accuracies are those on all of them
EVALUATED = 2_048  # of larger tasks, on either side: an accuracy is known to 2.2 points, one of 0.99 to 0.4 (95 %)


def train_size(total: int, fraction: float) -> int:
    """Number of training examples out of `total`, at least 1."""
    return max(1, round(fraction * total))


def evaluated_sizes(total: int, train: int) -> tuple[int, int]:
    """Numbers of training and of validation examples that accuracies are measured on, where a training set of `train`
    examples leaves the rest of `total` to validation.

    An accuracy a measured on m examples drawn at random has a standard error of sqrt(a (1 - a) / m): with `EVALUATED`
    of them at most 1.1 points, and 0.2 points at a = 0.99.
    """
    parts = train, total - train
    return parts if total <= FULLY_EVALUATED else tuple(min(EVALUATED, part) for part in parts)


def split(table: Table | Sums, fraction: float, pairs: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the training and of the validation examples of `table`: bool, shape (n,) each.

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


def evaluated(train: np.ndarray, validation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Numbers of the examples that accuracies are measured on, int64, increasing: all, or some of either side.

    train, validation: the masks of `split`; `evaluated_sizes` says how many are drawn of each.
    """
    if len(train) <= FULLY_EVALUATED:
        return np.arange(len(train))
    sides = (np.flatnonzero(side) for side in (train, validation))
    return np.sort(np.concatenate([rng.choice(side, min(EVALUATED, len(side)), replace=False) for side in sides]))
