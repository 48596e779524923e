"""The tables of probes, read off their files without importing them, which would need PyTorch."""

from collections.abc import Iterable
from contextlib import suppress

import pandas as pd

from .. import sources
from . import summary
from .tables import Columns

KEY = {"cell": ("", "id of the cell"), "seed": ("1", "seed of the member")}


def probes() -> list[str]:
    """The names of all probes: modules of the package `probes` that declare COLUMNS."""
    found = []
    for module in sources.modules(f"{sources.PACKAGE}.probes"):
        with suppress(LookupError):
            sources.declared(module, "COLUMNS")
            found.append(module.rpartition(".")[2])
    return found


def columns(probe: str) -> Columns:
    """The columns of a probe's table."""
    return KEY | sources.declared(f"{sources.PACKAGE}.probes.{probe}", "COLUMNS")


def table(probe: str, measured: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """What a probe has measured on some cells, one after the other."""
    there = [frame for frame in measured if len(frame)]
    return pd.concat(there, ignore_index=True) if there else summary.table([], columns(probe))
