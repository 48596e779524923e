"""Which training examples each step sees."""

import numpy as np

from ..cell import Batches
from .streams import generator


class BatchOrder:
    """Minibatches of S members with training sets of one size.

    train: indices of the training examples, int64 (S, n). A step's batch is a slice of the epoch's order, which is
    drawn for an epoch at a time.
    """

    def __init__(self, settings: Batches, seeds: list[int], train: np.ndarray):
        self.settings, self.seeds, self.train = settings, seeds, train
        full, rest = divmod(train.shape[1], settings.size)
        self.per_epoch = full + (rest > 0 and settings.last == "keep")
        self.epoch = -1

    def order(self, member: int, epoch: int) -> np.ndarray:
        rng, size = generator(self.seeds[member], "batches", epoch), self.train.shape[1]
        if self.settings.order == "replacement":
            return self.train[member][rng.integers(size, size=size)]
        return self.train[member][rng.permutation(size)]

    def __call__(self, step: int) -> slice:
        """The slice of `orders` that step number `step` (from 0) trains on; renews `orders` when an epoch begins."""
        epoch, index = divmod(step, self.per_epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            self.orders = np.stack([self.order(member, epoch) for member in range(len(self.seeds))])
        return slice(index * self.settings.size, (index + 1) * self.settings.size)
