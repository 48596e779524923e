"""Table files: Parquet with every column documented in its schema, and CSV and LaTeX twins to paste elsewhere."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Columns = Mapping[
    str, tuple[str, str]
]  # column -> (unit, meaning); unit "1" for a pure number, "" for a name or a flag

TYPESET = {
    "\u202f": r"\,",
    "\u2212": "$-$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "∞": r"$\infty$",
}
TYPESET |= {"<": "$<$", ">": "$>$", "\u00a0": "~"}


def check(frame: pd.DataFrame, columns: Columns) -> None:
    """Raise ValueError, naming the difference, unless `frame` has exactly `columns` in their order."""
    have, want = list(frame.columns), list(columns)
    if have == want:
        return
    differences = {
        "missing": [name for name in want if name not in have],
        "undocumented": [name for name in have if name not in want],
        "repeated": sorted({name for name in have if have.count(name) > 1}),
    }
    text = "; ".join(f"{what}: {', '.join(map(str, names))}" for what, names in differences.items() if names)
    raise ValueError(f"the table's columns are not the documented ones ({text or f'order: {have} is not {want}'})")


def write(
    frame: pd.DataFrame, path: str | Path, columns: Columns, title: str, twins: Iterable[str] = (".csv", ".tex")
) -> list[Path]:
    """Write `frame` to `path` (.parquet) and to its `twins` beside it, each appearing whole or not at all.

    columns: unit and meaning of every column, in order; they become the fields' metadata.
    Returns the paths of the files written. Raises ValueError if the frame's columns are not exactly these.
    """
    check(frame, columns)
    writers = {".csv": lambda to: frame.to_csv(to, index=False), ".tex": lambda to: to.write_text(latex(frame, title))}
    path, beside = Path(path), [Path(path).with_suffix(twin) for twin in twins]
    for twin in beside:
        _replace(twin, writers[twin.suffix])
    _replace(path, lambda to: pq.write_table(_documented(frame, columns, title), to, compression="zstd"))
    return [path, *beside]


def read(path: str | Path | BinaryIO) -> pd.DataFrame:
    """The table at `path` (.parquet), or in an open file, as it was written."""
    return pq.read_table(path).to_pandas()


def latex(frame: pd.DataFrame, title: str) -> str:
    """A booktabs `tabular` that pdfLaTeX takes as it is."""
    text = f"% {title}\n" + frame.to_latex(index=False, escape=True, na_rep="", float_format="%.6g")
    for character, command in TYPESET.items():
        text = text.replace(character, command)
    return text


def describe(columns: Columns) -> str:
    """A Markdown table of `columns`."""
    rows = [("column", "unit", "meaning"), ("---", "---", "---")]
    rows += [(f"`{name}`", unit, meaning) for name, (unit, meaning) in columns.items()]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n" for row in rows)


def _documented(frame: pd.DataFrame, columns: Columns, title: str) -> pa.Table:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        field.with_metadata({"unit": columns[field.name][0], "meaning": columns[field.name][1]})
        for field in table.schema
    ]
    return table.cast(pa.schema(fields, metadata={**table.schema.metadata, "title": title}))


def _replace(path: Path, write_to: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write_to(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
