"""What the settings of every part of a cell share, and those of tasks: a class in each family's file.

A task is known by its operation. A field added to a task gives all of its cells new ids: make it a task of its own.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from .table import Examples


def _no_boolean(value: Any) -> Any:
    """Python counts true and false as 1 and 0; in a config they are a slip."""
    if isinstance(value, bool):
        raise PydanticCustomError("no_number", "must be a number")
    return value


NUMBER = BeforeValidator(_no_boolean)  # stands last, or pydantic leaves the bounds out of the JSON schema
Positive = Annotated[int, Field(ge=1), NUMBER]
NotNegative = Annotated[int, Field(ge=0), NUMBER]
Rate = Annotated[float, Field(gt=0), NUMBER]
Decay = Annotated[float, Field(ge=0), NUMBER]
Beta = Annotated[float, Field(ge=0, lt=1), NUMBER]

LARGEST = 2**25  # examples of a task, whose random order takes 256 MB
LARGEST_LISTED = 2**20  # those of one that is listed example by example


def optional(key: str) -> Callable[[dict[str, Any]], None]:
    """For the JSON schema of a task whose `key` may stand as its operation."""
    return lambda schema: schema["required"].remove(key)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Task(Settings):
    """A task, told from the others by its field `operation`. It says by `terms` how many terms its examples have.

    places: symbols of an answer, all of which must be right.
    """

    places: ClassVar[int] = 1

    @property
    def family(self) -> str:
        """The file in tasks/."""
        return type(self).__module__.rpartition(".")[2]

    def table(self) -> Examples:
        """All examples. It is asked for often: keep it."""
        raise NotImplementedError

    @property
    def examples(self) -> int:
        """Number of examples."""
        return len(self.table())

    @property
    def tokens(self) -> int:
        """Number of symbols that a term may be."""
        return self.table().tokens

    @property
    def classes(self) -> int:
        """Number of symbols that an answer, or a place of it, may be."""
        return self.table().classes

    @property
    def slug(self) -> str:
        """A short name for file names."""
        raise NotImplementedError

    @property
    def named(self) -> str:
        """The operation as tables have it: one name for one task of a size."""
        return self.operation

    @property
    def symbol(self) -> str:
        """The operation as papers print it."""
        return self.named

    @property
    def chance(self) -> float:
        """Accuracy of always giving the most frequent answer."""
        return self.table().chance()

    @property
    def symmetric(self) -> bool:
        """Whether the two terms of every example may be exchanged; of more than two, nobody asks."""
        return False


class Pairs(Task):
    """A task whose examples are pairs (x, y)."""

    terms: ClassVar[int] = 2

    @property
    def symmetric(self) -> bool:
        return self.table().symmetric()
