"""All examples of a task."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Examples(Protocol):
    """What a task consists of. tokens, classes: sizes of the ranges of a term and of an answer, or a place of it."""

    tokens: int
    classes: int

    def __len__(self) -> int: ...

    def operands(self, index: np.ndarray) -> np.ndarray:
        """Terms of the examples with these numbers: int64 (*index.shape, K)."""

    def answers(self, index: np.ndarray) -> np.ndarray:
        """Their answers: int64, of the shape of `index`, or (*index.shape, places) if an answer has several symbols."""


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

    def operands(self, index: np.ndarray) -> np.ndarray:
        """Operands of the examples with these numbers: int64 (*index.shape, 2)."""
        return np.stack([self.x[index], self.y[index]], axis=-1)

    def answers(self, index: np.ndarray) -> np.ndarray:
        """Their answers: int64, of the shape of `index`."""
        return self.answer[index]

    def chance(self) -> float:
        """Share of the most frequent answer."""
        return float(np.bincount(self.answer).max() / len(self))

    def symmetric(self) -> bool:
        """Whether (y, x) is an example wherever (x, y) is, with the same answer."""
        answers = np.full((self.tokens, self.tokens), -1)
        answers[self.x, self.y] = self.answer
        return bool((answers == answers.T).all())


@dataclass(frozen=True)
class Sequences:
    """terms: int64 (n, K); answer: int64 (n,), or (n, places) of several symbols; tokens and classes as of a Table."""

    terms: np.ndarray
    answer: np.ndarray
    tokens: int
    classes: int

    def __len__(self) -> int:
        return len(self.answer)

    def operands(self, index: np.ndarray) -> np.ndarray:
        """Terms of the examples with these numbers: int64 (*index.shape, K)."""
        return self.terms[index]

    def answers(self, index: np.ndarray) -> np.ndarray:
        """Their answers: int64 (*index.shape,) or (*index.shape, places)."""
        return self.answer[index]

    def chance(self) -> float:
        """Share of the most frequent whole answer."""
        return float(np.unique(self.answer, axis=0, return_counts=True)[1].max() / len(self))


def every_sequence(letters: int, length: int) -> np.ndarray:
    """All sequences of `length` symbols out of `letters`, in lexicographic order: int64 (letters^length, length)."""
    places = letters ** np.arange(length - 1, -1, -1, dtype=np.int64)
    return np.arange(letters**length)[:, None] // places % letters
