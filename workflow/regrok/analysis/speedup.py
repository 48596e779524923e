"""How much sooner each cell of a study generalises than the study's reference cell, as a ratio of median t4.

Where a study has several reference cells, a cell is compared with the one that agrees with it in most settings.
Intervals are bootstrapped over seeds that both cells share; where a median is not reached the ratio is a bound.
"""

import numpy as np
import pandas as pd

from . import format
from .resampling import Ratio, ratio_of_medians
from .summary import table

INPUTS = ("members", "designs", "cells")
REPORTS = "000-T2"
COLUMNS = {
    "study": ("", "study"),
    "cell": ("", "id of the cell"),
    "reference": ("", "id of the cell that it is compared with"),
    "operation": ("", "operation of the task"),
    "pairs": ("", "what the split keeps together"),
    "fraction": ("1", "share of the examples trained on"),
    "n": ("1", "members of the cell"),
    "events": ("1", "members of the cell that generalised"),
    "reference_n": ("1", "members of the reference"),
    "reference_events": ("1", "members of the reference that generalised"),
    "ratio": ("1", "median t4 of the reference over that of the cell; empty if neither is reached"),
    "low": ("1", "low end of its 95 % interval; empty below 6 members"),
    "high": ("1", "high end of its 95 % interval"),
    "bound": ("", "'>': the ratio is a lower bound, '<': an upper bound, empty: neither"),
    "text": ("", "ratio as printed"),
}
STREAM = 0  # of the bootstrap: every comparison draws the same seeds


def build(members: pd.DataFrame, designs: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """A row a (study, cell) of the studies that have a reference cell here."""
    settings = cells.set_index("cell")
    groups = dict(list(members.groupby("cell", sort=False)))
    rows = []
    known = designs[designs["cell"].isin(settings.index)].drop_duplicates(["study", "cell"])
    for study, asked in known.groupby("study", sort=False):
        references = list(asked.loc[asked["reference"].astype(bool), "cell"])
        for cell in asked["cell"] if references else ():
            nearest = _nearest(cell, references, settings)
            rows.append({"study": study} | _row(cell, nearest, settings, groups, members.iloc[:0]))
    return table(rows, COLUMNS)


def _nearest(cell: str, references: list[str], settings: pd.DataFrame) -> str:
    def differences(reference: str) -> int:
        pair = settings.loc[[cell, reference]]
        return sum(pair[column].nunique(dropna=False) > 1 for column in pair)

    return min(references, key=differences)


def _row(cell: str, reference: str, settings: pd.DataFrame, groups: dict, nobody: pd.DataFrame) -> dict:
    own, other = groups.get(cell, nobody), groups.get(reference, nobody)
    ratio = Ratio(1.0, np.nan, np.nan, "")
    if cell != reference:
        ratio = ratio_of_medians(other, own, np.random.default_rng(STREAM))
    return {
        "cell": cell,
        "reference": reference,
        **settings.loc[cell, ["operation", "pairs", "fraction"]],
        "n": len(own),
        "events": int(own["generalised"].sum()),
        "reference_n": len(other),
        "reference_events": int(other["generalised"].sum()),
        **dict(zip(("ratio", "low", "high", "bound"), ratio, strict=True)),
        "text": format.ratio(*ratio),
    }
