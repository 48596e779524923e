"""Steps to grokking of every operation at every training fraction, and the least fraction that it needs.

An operation is symmetric if x and y may be exchanged in all of its examples. It needs the smallest fraction at which at
least half of the members generalise within the budget, of those that were run: what it needs lies between that and the
next smaller one.
"""

import pandas as pd

from . import summary

INPUTS = ("members", "designs")
REPORTS = "000-F3, 000-C4"
COLUMNS = {
    "architecture": ("", "model"),
    "pairs": ("", "what the split draws: ordered pairs, or unordered pairs together with their mirror"),
    "operation": ("", "name, formula or word of the operation"),
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
    "needed_text": ("", "between which fractions that were run the least lies, as printed"),
}
KEYS = ["architecture", "pairs", "operation", "symbol", "symmetric"]


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, pairs, operation, fraction) of the study `atlas`."""
    chosen = summary.studied(members, designs, "atlas")
    rows = []
    for key, own in chosen.groupby(KEYS, sort=False):
        halves = own.groupby("fraction")["generalised"].mean() >= 0.5
        named = dict(zip(KEYS, key, strict=True))
        named |= {"needed": halves.index[halves].min(), "needed_text": needed(halves)}
        rows += [named | {"fraction": fraction} | summary.steps(group) for fraction, group in own.groupby("fraction")]
    return summary.table(rows, COLUMNS)


def needed(halves: pd.Series) -> str:
    """The least fraction in words: "≤ 0.3", "0.3 to 0.5" or "> 0.7"; halves: whether it suffices, bool by fraction,
    increasing."""
    if not halves.any():
        return f"> {halves.index.max():g}"
    least = halves.index[halves].min()
    below = halves.index[halves.index < least]
    return f"{below.max():g} to {least:g}" if len(below) else f"≤ {least:g}"
