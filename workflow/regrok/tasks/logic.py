"""Boolean functions (report 000, section 5): exclusive or of two bit vectors, and functions of the bits of one.

The random function is a control: what is held out says nothing that the rest tells, so no network can do better than
chance on it.
"""

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from .settings import NUMBER, NotNegative, Pairs, Positive, Task
from .table import Sequences, Table, every_sequence

Bits = Annotated[int, Field(ge=2, le=16), NUMBER]


class Xor(Pairs):
    """Bitwise exclusive or of two bit vectors, each of which is one symbol."""

    operation: Literal["xor"]
    bits: Annotated[int, Field(ge=1, le=9), NUMBER] = Field(description="Bits of either vector.")

    def table(self) -> Table:
        return xor(self.bits)

    @property
    def slug(self) -> str:
        return f"xor{self.bits}"

    @property
    def named(self) -> str:
        return f"xor of {self.bits} bits"


class Boolean(Task):
    """A function of the bits of a vector, each of which is a symbol."""

    bits: Bits = Field(description="Bits of the vector.")

    @property
    def terms(self) -> int:
        return self.bits

    def answer(self, vectors: np.ndarray) -> np.ndarray:
        """bool or int64 (n,) of bit vectors, int64 (n, bits)."""
        raise NotImplementedError

    def table(self) -> Sequences:
        return function(self)

    @property
    def slug(self) -> str:
        return f"{self.operation}{self.bits}"

    @property
    def named(self) -> str:
        return f"{self.operation} of {self.bits} bits"


class Parity(Boolean):
    """Whether an odd number of the first few bits is set; the others tell nothing."""

    operation: Literal["parity"]
    relevant: Positive = Field(description="Bits, the first ones, on which it depends.")

    @model_validator(mode="after")
    def few_enough(self):
        if self.relevant > self.bits:
            raise ValueError(f"relevant must be at most bits, and {self.relevant} is more than {self.bits}")
        return self

    def answer(self, vectors: np.ndarray) -> np.ndarray:
        return vectors[:, : self.relevant].sum(1) % 2

    @property
    def slug(self) -> str:
        return f"parity{self.relevant}of{self.bits}"

    @property
    def named(self) -> str:
        return f"parity of {self.relevant} in {self.bits} bits"


class Majority(Boolean):
    """Whether more bits are set than not."""

    operation: Literal["majority"]

    @model_validator(mode="after")
    def decided(self):
        if self.bits % 2 == 0:
            raise ValueError(f"the majority of {self.bits} bits may be undecided; give an odd number of bits")
        return self

    def answer(self, vectors: np.ndarray) -> np.ndarray:
        return vectors.sum(1) > self.bits // 2


class RandomFunction(Boolean):
    """Each answer drawn by itself, with equal odds."""

    operation: Literal["random"]
    draw: NotNegative = Field(description="Seed of the answers.")

    def answer(self, vectors: np.ndarray) -> np.ndarray:
        return np.random.default_rng(self.draw).integers(2, size=len(vectors))

    @property
    def slug(self) -> str:
        return f"random{self.bits}d{self.draw}"

    @property
    def named(self) -> str:
        return f"random {self.draw} of {self.bits} bits"


@lru_cache(maxsize=8)
def xor(bits: int) -> Table:
    size = 2**bits
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(size), np.arange(size), indexing="ij"))
    return Table(x, y, x ^ y, tokens=size, classes=size)


@lru_cache(maxsize=8)
def function(task: Boolean) -> Sequences:
    """All bit vectors, in the order of the numbers that they are, and what the task answers."""
    vectors = every_sequence(2, task.bits)
    return Sequences(vectors, task.answer(vectors).astype(np.int64), tokens=2, classes=2)
