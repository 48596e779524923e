"""Does a sequence have a pattern (report 000, section 5): repeated blocks, palindromes, and balanced brackets.

The examples are all sequences that have it and as many that have not, drawn once: guessing is right half of the time.
"""

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from .settings import LARGEST_LISTED, NUMBER, NotNegative, Task
from .table import Sequences, every_sequence

Length = Annotated[int, Field(ge=2, le=20), NUMBER]
Letters = Annotated[int, Field(ge=2), NUMBER]


class Pattern(Task):
    """Whether a sequence has a pattern; 1 if it has."""

    length: Length = Field(description="Symbols of a sequence.")
    draw: NotNegative = Field(description="Seed of the sequences without the pattern.")

    @property
    def terms(self) -> int:
        return self.length

    def sequences(self) -> np.ndarray:
        """All that an example may be: int64 (n, length)."""
        raise NotImplementedError

    def holds(self, sequences: np.ndarray) -> np.ndarray:
        """Which of them have the pattern: bool (n,)."""
        raise NotImplementedError

    def table(self) -> Sequences:
        return balanced(self)


class OfLetters(Pattern):
    letters: Letters = Field(description="Symbols that there are.")

    @model_validator(mode="after")
    def few_enough(self):
        if self.letters**self.length > LARGEST_LISTED:
            size = f"{self.length} symbols out of {self.letters} make {self.letters**self.length} sequences"
            raise ValueError(f"{size}; at most {LARGEST_LISTED} can be listed")
        return self

    def sequences(self) -> np.ndarray:
        return every_sequence(self.letters, self.length)

    @property
    def slug(self) -> str:
        return f"{self.operation}{self.length}of{self.letters}d{self.draw}"

    @property
    def named(self) -> str:
        return f"{self.operation} of {self.length} out of {self.letters}, draw {self.draw}"

    @property
    def symbol(self) -> str:
        return f"{self.operation}, {self.length} symbols of {self.letters}"


class Repetition(OfLetters):
    """Whether a sequence is a shorter block several times."""

    operation: Literal["repetition"]

    def holds(self, sequences: np.ndarray) -> np.ndarray:
        blocks = [size for size in range(1, self.length) if self.length % size == 0]
        return np.any([(sequences == np.roll(sequences, size, axis=1)).all(1) for size in blocks], axis=0)


class Palindrome(OfLetters):
    """Whether a sequence reads the same from its end."""

    operation: Literal["palindrome"]

    def holds(self, sequences: np.ndarray) -> np.ndarray:
        return (sequences == sequences[:, ::-1]).all(1)


class Brackets(Pattern):
    """Whether brackets, as many opening (0) as closing (1) ones, are balanced: a recursive structure."""

    operation: Literal["brackets"]

    @model_validator(mode="after")
    def even(self):
        if self.length % 2:
            raise ValueError(f"{self.length} brackets cannot be balanced; give an even length")
        return self

    def sequences(self) -> np.ndarray:
        every = every_sequence(2, self.length)
        return every[2 * every.sum(1) == self.length]

    def holds(self, sequences: np.ndarray) -> np.ndarray:
        return (np.cumsum(1 - 2 * sequences, axis=1) >= 0).all(1)

    @property
    def slug(self) -> str:
        return f"brackets{self.length}d{self.draw}"

    @property
    def named(self) -> str:
        return f"brackets of {self.length}, draw {self.draw}"

    @property
    def symbol(self) -> str:
        return f"{self.length} brackets, balanced"


@lru_cache(maxsize=8)
def balanced(task: Pattern) -> Sequences:
    """The sequences with the pattern and as many without it (or all, if there are fewer), in lexicographic order."""
    sequences = task.sequences()
    holds = task.holds(sequences)
    without = np.flatnonzero(~holds)
    drawn = np.random.default_rng(task.draw).permutation(without)[: holds.sum()]
    chosen = np.sort(np.concatenate([np.flatnonzero(holds), drawn]))
    return Sequences(sequences[chosen], holds[chosen].astype(np.int64), getattr(task, "letters", 2), classes=2)
