"""The tables of probes, read off their files without importing them, which would need PyTorch."""

import gzip
import zlib
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

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


def write(frame: pd.DataFrame, path: str | Path) -> None:
    """What a probe has measured on a cell, as Parquet within gzip, which has a checksum."""
    Path(path).write_bytes(gzip.compress(frame.to_parquet(), mtime=0))


def read(path: str | Path) -> pd.DataFrame:
    """What `write` has written to `path`. Raises ValueError if it is not as it was written."""
    try:
        return pd.read_parquet(BytesIO(gzip.decompress(Path(path).read_bytes())))
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path} is damaged; remove it, and the same command measures it again") from error


def table(probe: str, measured: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """What a probe has measured on some cells, one after the other."""
    there = [frame for frame in measured if len(frame)]
    return pd.concat(there, ignore_index=True) if there else summary.table([], columns(probe))
