"""Binary operations modulo a number (report 000, section 2.2.1; Power et al. 2022, appendix A.1.1).

To add an operation, add a line to `OPERATIONS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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


def table(operation: str, modulus: int) -> Table:
    """Every pair of residues in the operation's domain, ordered by (x, y).

    Raises ValueError if the operation divides and the modulus is not prime.
    """
    op = OPERATIONS[operation]
    if op.inverts and not is_prime(modulus):
        raise ValueError(f"{operation} needs a prime modulus, and {modulus} is not prime")
    first = 1 if op.inverts else 0
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(modulus), np.arange(first, modulus), indexing="ij"))
    return Table(x, y, op.answer(x, y, modulus), tokens=modulus, classes=modulus)
