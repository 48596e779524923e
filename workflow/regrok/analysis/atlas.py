"""Steps to grokking of every operation at every training fraction, and the least fraction that it needs.

An operation is symmetric if x and y may be exchanged in all of its examples. It needs the smallest fraction at which at
least half of the members generalise within the budget, of those that were run.
"""

import pandas as pd

from ..tasks import formulas, modular
from . import summary

INPUTS = ("members", "designs")
REPORTS = "000-F3, 000-C4"
COLUMNS = {
    "architecture": ("", "model"),
    "operation": ("", "name or formula of the operation"),
    "symbol": ("", "as printed"),
    "symmetric": ("", "whether x and y may be exchanged"),
    "fraction": ("1", "share of the examples that is trained on"),
    "n": ("1", "members"),
    "events": ("1", "members that generalise within the budget"),
    "median": ("steps", "median steps to grokking; inf: not reached"),
    "low": ("steps", "low end of its 95 % interval"),
    "high": ("steps", "high end"),
    "budget": ("steps", "how far members were followed at most"),
    "text": ("", "the median as printed"),
    "needed": ("1", "least fraction at which half of the members generalise; missing if at none"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, operation, fraction) of the study `atlas`."""
    chosen = summary.studied(members, designs, "atlas")
    rows = []
    for (architecture, operation), own in chosen.groupby(["architecture", "operation"], sort=False):
        halves = own.groupby("fraction")["generalised"].mean() >= 0.5
        key = {
            "architecture": architecture,
            "operation": operation,
            **described(operation, int(own["modulus"].iloc[0])),
        }
        needed = halves.index[halves].min()
        for fraction, group in own.groupby("fraction"):
            rows.append(key | {"fraction": fraction} | summary.steps(group) | {"needed": needed})
    return summary.table(rows, COLUMNS)


def described(operation: str, modulus: int) -> dict:
    """symbol and symmetric of an operation by name or formula."""
    if operation in modular.OPERATIONS:
        own = modular.OPERATIONS[operation]
        return {"symbol": own.symbol, "symmetric": own.symmetric}
    table = formulas.table("formula", operation, modulus)
    answers = pd.Series(table.answer, index=pd.MultiIndex.from_arrays([table.x, table.y]))
    mirrored = answers.reindex(pd.MultiIndex.from_arrays([table.y, table.x]))
    return {"symbol": printed(operation), "symmetric": bool((mirrored.to_numpy() == answers.to_numpy()).all())}


def printed(formula: str) -> str:
    """x ** 2 + x * y -> x² + xy."""
    for written, sign in ((" ** 2", "²"), (" ** 3", "³"), (" * ", ""), (" / ", " ÷ "), ("-", "−")):
        formula = formula.replace(written, sign)
    return formula.replace("if y % 2 else", "if y is odd, else")
