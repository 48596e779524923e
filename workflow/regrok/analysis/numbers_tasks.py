"""The numbers that the sections on the atlas and on tasks beyond arithmetic cite, beside those of cells."""

from collections.abc import Mapping

import pandas as pd

from .beyond_arithmetic import CONTROL, FAMILIES
from .entries import Entries, missing, of, percent, plain

TABLES = ("atlas", "beyond_arithmetic")
EXPECTED = {"atlas": [], "beyond_arithmetic": []}


def key(study: str, cell: pd.Series) -> str:
    """The part of a cell's key that follows the study."""
    split = ".unordered" if cell["pairs"] == "unordered" else ""
    return f"{cell['architecture']}.{cell['operation']}.{cell['fraction']:g}{split}"


def build(tables: Mapping[str, pd.DataFrame]) -> Entries:
    """Entries under atlas_of and beyond."""
    atlas = tables["atlas"]
    operations = atlas.drop_duplicates("operation")
    yield "atlas_of.operations", plain(len(operations))
    yield "atlas_of.symmetric", plain(int(operations["symmetric"].astype(bool).sum()))
    ordered = atlas[atlas["pairs"] == "ordered"].drop_duplicates("operation")
    yield "atlas_of.never", of(int(ordered["needed"].isna().sum()), len(ordered))
    table = tables["beyond_arithmetic"]
    control = table["operation"].str.startswith(CONTROL)
    tasks = table[~control].assign(grokked=table["grok"] > table["n"] / 2, reached=table["events"] > table["n"] / 2)
    for family in FAMILIES:
        by_task = tasks[tasks["family"] == family].groupby("symbol")[["grokked", "reached"]].any()
        yield f"beyond.{family}.grok", of(int(by_task["grokked"].sum()), len(by_task))
        yield f"beyond.{family}.generalise", of(int(by_task["reached"].sum()), len(by_task))
    yield "beyond.control.best", percent(table.loc[control, "best"].max()) if control.any() else missing()
    yield "beyond.control.chance", percent(table.loc[control, "chance"].max()) if control.any() else missing()
