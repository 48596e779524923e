"""All examples of a task."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Table:
    """x, y, answer: int64, shape (n,); tokens and classes: sizes of their ranges."""

    x: np.ndarray
    y: np.ndarray
    answer: np.ndarray
    tokens: int
    classes: int

    def __len__(self) -> int:
        return len(self.answer)

    def shares(self) -> np.ndarray:
        """Share of the examples with each answer, float (classes,)."""
        return np.bincount(self.answer, minlength=self.classes) / len(self)

    def operands(self, index: np.ndarray) -> np.ndarray:
        """Operands of the examples with these numbers: int64 (*index.shape, 2)."""
        return np.stack([self.x[index], self.y[index]], axis=-1)

    def answers(self, index: np.ndarray) -> np.ndarray:
        """Their answers: int64, of the shape of `index`."""
        return self.answer[index]
