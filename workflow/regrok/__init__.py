"""regrok: the grokking literature, reproduced from nothing.

In a notebook at the root of the project: `regrok.load("members")` is a table of what was trained.
"""


def load(table: str, scale: str = "laptop"):
    """A table of a scale as a pandas DataFrame, such as "members", "histories" or "steps_to_grokking".

    Raises FileNotFoundError, naming the tables that there are, or ValueError if the table's file is damaged.
    """
    from pathlib import Path

    from .analysis.tables import read
    from .provenance import checked

    root = next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "results").is_dir()), Path.cwd())
    folder = root / "results" / scale / "tables"
    if not (folder / f"{table}.parquet").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.parquet"))) or "none yet"
        raise FileNotFoundError(
            f"{folder} has no table '{table}'; there are: {known}. `make reproduce SCALE={scale}` builds them, and "
            "load(table, scale) reads those of another scale"
        )
    return read(checked(folder / f"{table}.parquet"))
