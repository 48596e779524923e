"""Any polynomial or quotient in x and y modulo a number, with or without a condition (Power et al. 2022, appendix
A.1.1).

A formula is read by Python's own parser and a list of what may stand in it; nothing is executed.
"""

import ast
import re
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from .modular import inverse, is_prime
from .settings import NUMBER, Pairs, optional
from .table import Table

EXAMPLE = "x**2 + x*y + y**2, x/y, or x/y if y % 2 else x - y"
LARGEST_POWER = 100
ARITHMETIC = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply}
COMPARISONS = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


def normal(formula: str) -> str:
    """The formula in one way of writing, so that spaces and needless brackets make no other task.

    Raises ValueError, in words that follow "the formula", if anything stands in it that may not.
    """
    try:
        tree = ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise ValueError(f"'{formula}' cannot be read; write one in x and y such as {EXAMPLE}") from None
    _check(tree, formula)
    if not {"x", "y"} & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        raise ValueError(f"'{formula}' has neither x nor y in it; write one such as {EXAMPLE}")
    return ast.unparse(tree)


def divides(formula: str) -> bool:
    """Whether there is a division in it, for which the modulus must be prime."""
    return any(isinstance(node, ast.Div) for node in ast.walk(ast.parse(formula, mode="eval")))


class Formula(Pairs):
    """Any formula in x and y modulo a number; in config.yaml its text stands as the operation."""

    model_config = ConfigDict(json_schema_extra=optional("formula"))

    operation: Annotated[
        Literal["formula"], WithJsonSchema({"type": "string", "description": "a formula such as x**2 + y"})
    ]
    formula: str = Field(description="A polynomial or quotient in x and y, or one of two by a condition.")
    modulus: Annotated[int, Field(ge=2, le=1000), NUMBER] = Field(description="Number of residues; prime for division.")

    @model_validator(mode="before")
    @classmethod
    def in_one_way(cls, values: Any) -> Any:
        text = values.get("formula") if isinstance(values, dict) else None
        return values | {"formula": normal(text)} if isinstance(text, str) else values

    @model_validator(mode="after")
    def defined(self):
        self.table()
        return self

    def table(self) -> Table:
        return table(self.formula, self.modulus)

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "_", self.formula).strip("_")[:24].strip("_") + f"_{self.modulus}"

    @property
    def named(self) -> str:
        return self.formula

    @property
    def symbol(self) -> str:
        return printed(self.formula)


def printed(formula: str) -> str:
    """x ** 2 + x * y -> x² + xy."""
    for written, sign in ((" ** 2", "²"), (" ** 3", "³"), (" * ", ""), (" / ", " ÷ "), ("-", "−")):
        formula = formula.replace(written, sign)
    return formula.replace("if y % 2 else", "if y is odd, else")


@lru_cache(maxsize=64)
def table(formula: str, modulus: int) -> Table:
    """Every pair of residues (x, y) for which the formula is defined, ordered by (x, y), and its value modulo
    `modulus`; pairs are left out where it divides by zero.

    Raises ValueError if it divides and the modulus is not prime, or if no pair is left.
    """
    if divides(formula) and not is_prime(modulus):
        raise ValueError(f"'{formula}' divides and needs a prime modulus, and {modulus} is not prime")
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(modulus), np.arange(modulus), indexing="ij"))
    value, defined = _value(ast.parse(formula, mode="eval").body, x, y, modulus)
    if not defined.any():
        raise ValueError(f"'{formula}' divides by zero for every pair modulo {modulus}")
    return Table(x[defined], y[defined], value[defined], tokens=modulus, classes=modulus)


def _check(node: ast.AST, formula: str) -> None:
    match node:
        case ast.Name(id="x" | "y"):
            return
        case ast.Constant(value=value) if type(value) is int:
            return
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _check(operand, formula)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=power)) if type(power) is int:
            if power > LARGEST_POWER:
                raise ValueError(f"'{formula}' has the power {power}; at most {LARGEST_POWER} may stand in it")
            return _check(left, formula)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            _check(left, formula)
            return _check(right, formula)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            for part in _operands(test, formula):
                _check_residue(part, formula)
            _check(body, formula)
            return _check(orelse, formula)
    raise ValueError(f"'{formula}' has '{ast.unparse(node)}' in it, which may not be; write one such as {EXAMPLE}")


def _operands(test: ast.AST, formula: str) -> list[ast.AST]:
    """What a condition is about: a remainder that is not zero, or the two sides of a comparison."""
    match test:
        case ast.BinOp(op=ast.Mod()):
            return [test]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            return [left, right]
    raise ValueError(f"'{formula}' has the condition '{ast.unparse(test)}'; it must be one such as y % 2 or x < y")


def _check_residue(node: ast.AST, formula: str) -> None:
    """A side of a condition: x, y, a number, or a remainder of one of the two."""
    match node:
        case ast.Name(id="x" | "y"):
            return
        case ast.Constant(value=value) if type(value) is int:
            return
        case ast.BinOp(left=ast.Name(id="x" | "y"), op=ast.Mod(), right=ast.Constant(value=value)) if (
            type(value) is int and value > 0
        ):
            return
    raise ValueError(f"'{formula}' has '{ast.unparse(node)}' in a condition; it must be one such as y % 2 or x < y")


def _value(node: ast.AST, x: np.ndarray, y: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray]:
    """(residues, where they are defined): int64 and bool, of the shape of x and y."""
    everywhere = np.ones(len(x), dtype=bool)
    match node:
        case ast.Name(id=name):
            return {"x": x, "y": y}[name] % p, everywhere
        case ast.Constant(value=value):
            return np.full(len(x), value % p), everywhere
        case ast.UnaryOp(operand=operand):
            value, defined = _value(operand, x, y, p)
            return -value % p, defined
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=power)):
            value, defined = _value(left, x, y, p)
            result = np.full(len(x), 1 % p)
            for _ in range(power):
                result = result * value % p
            return result, defined
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            (top, first), (bottom, second) = (_value(part, x, y, p) for part in (left, right))
            defined = first & second & (bottom != 0)
            return top * inverse(bottom, p) % p, defined
        case ast.BinOp(left=left, op=op, right=right):
            (one, first), (other, second) = (_value(part, x, y, p) for part in (left, right))
            return ARITHMETIC[type(op)](one, other) % p, first & second
        case ast.IfExp(test=test, body=body, orelse=orelse):
            holds = _holds(test, x, y)
            (one, first), (other, second) = (_value(part, x, y, p) for part in (body, orelse))
            return np.where(holds, one, other), np.where(holds, first, second)
    raise AssertionError(f"{ast.unparse(node)} was let through")


def _holds(test: ast.AST, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where a condition on the residues, as numbers from 0 on, holds."""
    match test:
        case ast.BinOp():
            return _number(test, x, y) != 0
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return COMPARISONS[type(op)](_number(left, x, y), _number(right, x, y))
    raise AssertionError(f"{ast.unparse(test)} was let through")


def _number(node: ast.AST, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    match node:
        case ast.Name(id=name):
            return {"x": x, "y": y}[name]
        case ast.Constant(value=value):
            return np.full(len(x), value)
        case ast.BinOp(left=left, right=ast.Constant(value=value)):
            return _number(left, x, y) % value
    raise AssertionError(f"{ast.unparse(node)} was let through")
