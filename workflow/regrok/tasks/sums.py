"""Sums of several terms modulo a number (report 001, section 5): too many examples for a table, so they are counted."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from .settings import LARGEST, NUMBER, Task


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

    def chance(self) -> float:
        """Share of every answer: they are equally frequent."""
        return 1 / self.modulus


class Sum(Task):
    """The sum of several terms modulo a number (report 001, section 5); of two it is 'add'."""

    operation: Literal["sum"]
    modulus: Annotated[int, Field(ge=2), NUMBER] = Field(description="Number of residues.")
    terms: Annotated[int, Field(ge=3), NUMBER] = Field(description="Number of terms; of two it is 'add'.")

    @model_validator(mode="after")
    def indexable(self):
        if self.modulus**self.terms > LARGEST:
            size = f"{self.terms} terms modulo {self.modulus} are {self.modulus**self.terms} examples"
            raise ValueError(f"{size}; at most {LARGEST} can be put into a random order in memory")
        return self

    def table(self) -> Sums:
        return Sums(self.modulus, self.terms)

    @property
    def slug(self) -> str:
        return f"sum{self.modulus}x{self.terms}"
