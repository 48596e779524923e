"""Binary operations modulo a number (report 000, section 2.2.1; Power et al. 2022, appendix A.1.1).

To add an operation, add a line to `OPERATIONS`; a polynomial or a quotient needs none (see formulas.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from .settings import NUMBER, Pairs
from .table import Table


@dataclass(frozen=True)
class Operation:
    """How a pair (x, y) of residues is answered.

    answer: (x, y, modulus) -> residues; int64 arrays of one shape, y within the operation's domain.
    symbol: as the paper prints it.
    symmetric: answer(x, y) == answer(y, x) for all pairs.
    inverts: y must be invertible; y = 0 is left out and the modulus must be prime.
    """

    answer: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
    symbol: str
    symmetric: bool = False
    inverts: bool = False


def inverse(y: np.ndarray, p: int) -> np.ndarray:
    """Multiplicative inverses of the non-zero residues `y` modulo the prime `p`."""
    table = np.array([0, *(pow(value, -1, p) for value in range(1, p))])
    return table[y]


OPERATIONS = {
    "add": Operation(lambda x, y, p: (x + y) % p, "x + y", symmetric=True),
    "subtract": Operation(lambda x, y, p: (x - y) % p, "x − y"),
    "multiply": Operation(lambda x, y, p: x * y % p, "x × y", symmetric=True),
    "divide": Operation(lambda x, y, p: x * inverse(y, p) % p, "x ÷ y", inverts=True),
}


def is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


class Modular(Pairs):
    """x op y modulo a number."""

    operation: Literal[tuple(OPERATIONS)] = Field(description="How x and y are combined.")
    modulus: Annotated[int, Field(ge=2), NUMBER] = Field(description="Number of residues; prime for division.")

    @model_validator(mode="after")
    def invertible(self):
        if OPERATIONS[self.operation].inverts and not is_prime(self.modulus):
            raise ValueError(f"'{self.operation}' needs a prime modulus, and {self.modulus} is not prime")
        return self

    def table(self) -> Table:
        return table(self.operation, self.modulus)

    @property
    def examples(self) -> int:
        return self.modulus * (self.modulus - OPERATIONS[self.operation].inverts)

    @property
    def tokens(self) -> int:
        return self.modulus

    @property
    def classes(self) -> int:
        return self.modulus

    @property
    def slug(self) -> str:
        return f"{self.operation}{self.modulus}"

    @property
    def symbol(self) -> str:
        return OPERATIONS[self.operation].symbol

    @property
    def symmetric(self) -> bool:
        return OPERATIONS[self.operation].symmetric


@lru_cache(maxsize=16)
def table(operation: str, modulus: int) -> Table:
    """Every pair of residues in the operation's domain, ordered by (x, y)."""
    op = OPERATIONS[operation]
    first = 1 if op.inverts else 0
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(modulus), np.arange(first, modulus), indexing="ij"))
    return Table(x, y, op.answer(x, y, modulus), tokens=modulus, classes=modulus)
