"""Words in two elements of a finite group (Power et al. 2022, appendix A.1.1: x y, x y x^-1 and x y x on S5).

A group is given by name, as a product of named ones, or by permutations that generate it. Elements are permutations of
the points 1, 2, ..., ordered as their lists of images, the identity first; a word is read from left to right, so that
the permutation written first acts first.
"""

import re
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from .settings import Pairs, optional
from .table import Table

LARGEST_ORDER = 1000
LARGEST_FACTOR = 5000  # of a name, before the order of its group is known
LEAST = {"S": 2, "A": 3, "D": 3, "Z": 2}
GROUPS = "S5, A5, D7, Z11, a product such as Z6xZ4, or generators such as (1 2 3)(4 5), (1 2)"
WORDS = "x y, x y x or x y x^-1"


def letters(word: str) -> list[str]:
    """The factors of a word. Raises ValueError if it is none."""
    found = word.split()
    if not found or not set(found) <= {"x", "y", "x^-1", "y^-1"}:
        raise ValueError(f"'{word}' is no word in the elements of a group; write one such as {WORDS}")
    if not {"x", "y"} <= {letter[0] for letter in found}:
        raise ValueError(f"the word '{word}' must have both x and y in it, such as {WORDS}")
    return found


def normal(group: str) -> str:
    """A group's name or generators in one way of writing. Raises ValueError if they are none."""
    text = " ".join(group.split())
    if "(" in text:
        return ", ".join(
            "".join(f"({' '.join(map(str, cycle))})" for cycle in cycles) for cycles in _generators(text, group)
        )
    names = text.replace(" ", "").split("x")
    for name in names:
        match = re.fullmatch(r"([SADZ])([1-9][0-9]*)", name)
        if not match or int(match[2]) < LEAST[match[1]]:
            raise ValueError(f"'{group}' is no group; write {GROUPS}")
        if int(match[2]) > LARGEST_FACTOR:
            raise ValueError(f"the group '{group}' is too large; its order may be at most {LARGEST_ORDER}")
    return "x".join(names)


def _generators(text: str, group: str) -> list[list[list[int]]]:
    """Permutations as lists of cycles."""
    if not re.fullmatch(r"\s*(\([0-9 ]+\)\s*)+(,\s*(\([0-9 ]+\)\s*)+)*", text):
        raise ValueError(f"'{group}' is no group; write {GROUPS}")
    generators = [
        [list(map(int, cycle.split())) for cycle in re.findall(r"\(([^)]*)\)", one)] for one in text.split(",")
    ]
    for cycles in generators:
        points = [point for cycle in cycles for point in cycle]
        if len(set(points)) < len(points) or min(points, default=0) < 1 or max(points) > LARGEST_ORDER:
            raise ValueError(f"'{group}' is no group: the cycles of a generator must have points from 1 on, each once")
    return generators


@lru_cache(maxsize=16)
def multiplication(group: str) -> np.ndarray:
    """Numbers of the products of all pairs of a group's elements: int64 (n, n). group: as `normal` writes it.

    Raises ValueError if it has more than LARGEST_ORDER elements.
    """
    from sympy.combinatorics import Permutation, PermutationGroup, named_groups  # half a second, and few runs need it
    from sympy.combinatorics.group_constructs import DirectProduct

    kinds = {"S": "SymmetricGroup", "A": "AlternatingGroup", "D": "DihedralGroup", "Z": "CyclicGroup"}
    if group.startswith("("):
        generators = _generators(group, group)
        degree = max(point for cycles in generators for cycle in cycles for point in cycle)
        zero_based = [[[point - 1 for point in cycle] for cycle in cycles] for cycles in generators]
        found = PermutationGroup([Permutation(cycles, size=degree) for cycles in zero_based])
    else:
        factors = [getattr(named_groups, kinds[name[0]])(int(name[1:])) for name in group.split("x")]
        found = DirectProduct(*factors) if len(factors) > 1 else factors[0]
    if found.order() > LARGEST_ORDER:
        raise ValueError(f"the group '{group}' has {found.order()} elements; at most {LARGEST_ORDER} are possible")
    elements = np.array(sorted(element.array_form for element in found.elements))
    number = {element.tobytes(): place for place, element in enumerate(elements)}
    return np.array([[number[second[first].tobytes()] for second in elements] for first in elements])


class Word(Pairs):
    """A word in two elements of a finite group; in config.yaml it stands as the operation."""

    model_config = ConfigDict(json_schema_extra=optional("word"))

    operation: Annotated[
        Literal["word"], WithJsonSchema({"type": "string", "description": "beside a group, a word such as x y x^-1"})
    ]
    word: str = Field(description="Factors x, y, x^-1 and y^-1, from left to right.")
    group: str = Field(description="S5, A5, D7, Z11, a product such as Z6xZ4, or permutations that generate it.")

    @model_validator(mode="before")
    @classmethod
    def in_one_way(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("word"), str) and isinstance(values.get("group"), str):
            return values | {"word": " ".join(letters(values["word"])), "group": normal(values["group"])}
        return values

    @model_validator(mode="after")
    def known(self):
        multiplication(self.group)
        return self

    def table(self) -> Table:
        return table(self.word, self.group)

    @property
    def slug(self) -> str:
        return re.sub(r"[^A-Za-z0-9]+", "_", f"{self.word}_{self.group}".replace("^-1", "i")).strip("_")[:32]

    @property
    def named(self) -> str:
        return f"{self.word} in {self.group}"

    @property
    def symbol(self) -> str:
        return self.named.replace("^-1", "⁻¹")


@lru_cache(maxsize=16)
def table(word: str, group: str) -> Table:
    """Every pair of elements, ordered by (x, y), and the word's value."""
    product = multiplication(group)
    order = len(product)
    inverse = np.argmin(product, axis=1)  # the identity has number 0
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(order), np.arange(order), indexing="ij"))
    value = np.zeros_like(x)
    for letter in letters(word):
        factor = {"x": x, "y": y}[letter[0]]
        value = product[value, inverse[factor] if letter.endswith("^-1") else factor]
    return Table(x, y, value, tokens=order, classes=order)
