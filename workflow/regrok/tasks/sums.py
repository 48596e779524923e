"""Sums of several terms modulo a number (report 001, section 5): too many examples for a table, so they are counted."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sums:
    """All sequences of `terms` residues modulo `modulus`, in lexicographic order, and their sums.

    Like a `Table`, but of the examples nothing is kept: number i is the digits of i to the base `modulus`.
    """

    modulus: int
    terms: int

    def __len__(self) -> int:
        return self.modulus**self.terms

    @property
    def tokens(self) -> int:
        return self.modulus

    @property
    def classes(self) -> int:
        return self.modulus

    def operands(self, index: np.ndarray) -> np.ndarray:
        """Operands of the examples with these numbers: int64 (*index.shape, terms)."""
        places = self.modulus ** np.arange(self.terms - 1, -1, -1, dtype=np.int64)
        return index[..., None] // places % self.modulus

    def answers(self, index: np.ndarray) -> np.ndarray:
        """Their sums: int64, of the shape of `index`."""
        return self.operands(index).sum(-1) % self.modulus


def table(operation: str, modulus: int, terms: int) -> Sums:
    """The examples of a task of this family; `operation` is "sum"."""
    return Sums(modulus, terms)
