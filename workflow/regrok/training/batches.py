"""Which training examples each step sees."""

import numpy as np

from ..cell import Batches
from .streams import generator


class BatchOrder:
    """Minibatches of S members with training sets of one size: an epoch's order is cut into batches.

    train: indices of the training examples, int64 (S, n). Where a batch is the whole training set it keeps its order.
    """

    def __init__(self, settings: Batches, seeds: list[int], train: np.ndarray):
        self.settings, self.seeds, self.train = settings, seeds, train
        self.size = settings.examples(train.shape[1])
        full, rest = divmod(train.shape[1], self.size)
        self.per_epoch = full + (rest > 0 and settings.last == "keep")
        self.whole = settings.order == "shuffled" and self.size == train.shape[1]

    def order(self, epoch: int) -> np.ndarray:
        """Indices of examples, int64 (S, n)."""
        if self.whole:
            return self.train
        return np.stack([self.order_of(member, epoch) for member in range(len(self.seeds))])

    def order_of(self, member: int, epoch: int) -> np.ndarray:
        train, rng = self.train[member], generator(self.seeds[member], "batches", epoch)
        if self.settings.order == "replacement":
            return train[rng.integers(len(train), size=len(train))]
        return train[rng.permutation(len(train))]
