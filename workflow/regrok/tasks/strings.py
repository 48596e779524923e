"""Transformations of strings (report 000, section 5), whose answers have several symbols: all must be right."""

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from .settings import LARGEST_LISTED, NUMBER, Positive, Task
from .table import Sequences, every_sequence

Length = Annotated[int, Field(ge=2, le=20), NUMBER]
Letters = Annotated[int, Field(ge=2), NUMBER]


class Transformation(Task):
    """A string of a fixed length, as long an answer."""

    length: Length = Field(description="Letters of a string.")
    letters: Letters = Field(description="Letters of the alphabet.")

    @model_validator(mode="after")
    def few_enough(self):
        if self.letters**self.length > LARGEST_LISTED:
            size = f"{self.length} letters out of {self.letters} make {self.letters**self.length} strings"
            raise ValueError(f"{size}; at most {LARGEST_LISTED} can be listed")
        return self

    @property
    def terms(self) -> int:
        return self.length

    @property
    def places(self) -> int:
        return self.length

    def answer(self, strings: np.ndarray) -> np.ndarray:
        """int64 (n, length) of strings, int64 (n, length)."""
        raise NotImplementedError

    def table(self) -> Sequences:
        return transformed(self)

    @property
    def slug(self) -> str:
        return f"{self.operation}{self.length}of{self.letters}"

    @property
    def named(self) -> str:
        return f"{self.operation} of {self.length} out of {self.letters}"

    @property
    def symbol(self) -> str:
        return f"{self.operation}, {self.length} letters of {self.letters}"


class Reversal(Transformation):
    """The string from its end."""

    operation: Literal["reverse"]

    def answer(self, strings: np.ndarray) -> np.ndarray:
        return strings[:, ::-1]


class Deduplication(Transformation):
    """Each letter where it stands first, the others left out; blanks, a symbol of their own, fill the end."""

    operation: Literal["deduplicate"]

    def answer(self, strings: np.ndarray) -> np.ndarray:
        again = np.stack([(strings[:, :i] == strings[:, i : i + 1]).any(1) for i in range(self.length)], axis=1)
        kept = np.where(again, self.letters, strings)
        return np.take_along_axis(kept, np.argsort(again, axis=1, kind="stable"), axis=1)


class By(Transformation):
    """One by so many places or letters."""

    by: Positive = Field(description="Places, or letters of the alphabet.")

    @property
    def slug(self) -> str:
        return f"{self.operation}{self.by}x{self.length}of{self.letters}"

    @property
    def named(self) -> str:
        return f"{self.operation} by {self.by} of {self.length} out of {self.letters}"

    @property
    def symbol(self) -> str:
        return f"{self.operation} by {self.by}, {self.length} letters of {self.letters}"


class Rotation(By):
    """The string with its last letters in front."""

    operation: Literal["rotate"]

    def answer(self, strings: np.ndarray) -> np.ndarray:
        return np.roll(strings, self.by, axis=1)


class AlphabetShift(By):
    """Each letter replaced by one further down the alphabet, which begins again at its end (a Caesar cipher)."""

    operation: Literal["shift"]

    def answer(self, strings: np.ndarray) -> np.ndarray:
        return (strings + self.by) % self.letters


@lru_cache(maxsize=8)
def transformed(task: Transformation) -> Sequences:
    """All strings, in lexicographic order, and what the task makes of them."""
    strings = every_sequence(task.letters, task.length)
    classes = task.letters + (task.operation == "deduplicate")
    return Sequences(strings, np.ascontiguousarray(task.answer(strings)), tokens=task.letters, classes=classes)
