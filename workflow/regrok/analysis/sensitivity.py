"""Robustness, not tuning: one setting at a time that the report leaves open is changed against the base."""

import numpy as np
import pandas as pd

from . import summary
from .factors import FACTORS

INPUTS = ("members", "designs")
REPORTS = ""
COLUMNS = {
    "fraction": ("1", "share of the examples trained on"),
    "setting": ("", "the setting that is changed; empty for the base itself"),
    "value": ("", "its value, and those of other settings that change with it"),
    "base_value": ("", "its value in the base"),
    "cell": ("", "id of the cell"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that a member is followed at most"),
    "text": ("", "the median as printed"),
    "ratio": ("1", "median steps over those of the base at the same fraction"),
    "ratio_low": ("1", "lower end of its 95 % bootstrap interval; missing below 6 members"),
    "ratio_high": ("1", "upper end of its 95 % bootstrap interval; missing below 6 members"),
    "ratio_bound": ("", "> or < where censoring leaves only that side of it known"),
    "ratio_text": ("", "the ratio as printed"),
}
STUDY = "sensitivity"


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a cell of the study `sensitivity` and one for their base: by fraction, the base first, then by setting."""
    chosen = summary.studied(members, designs, STUDY)
    members = members[members["cell"].isin(of_report(designs, STUDY)["cell"])]
    rows = [
        row
        for fraction in sorted(chosen["fraction"].unique())
        for row in _rows(_alike(members, chosen, fraction), set(chosen["cell"]), designs)
    ]
    return summary.table(rows, COLUMNS)


def _alike(members: pd.DataFrame, chosen: pd.DataFrame, fraction: float) -> pd.DataFrame:
    """The members of `chosen` at a fraction and, in case their base is none of them, all others with the same seeds."""
    own = chosen[chosen["fraction"] == fraction]
    others = members[(members["fraction"] == fraction) & ~members["cell"].isin(own["cell"])]
    return pd.concat([own, others[others["seed"].isin(own["seed"])]])


def of_report(designs: pd.DataFrame, study: str) -> pd.DataFrame:
    """The rows of `designs` of the report that `study` is about."""
    return designs[designs["report"].isin(designs.loc[designs["study"] == study, "report"])]


def base(cells: pd.DataFrame, studied: np.ndarray, designs: pd.DataFrame, study: str) -> int:
    """Row of `cells` that differs from the `studied` rows in the fewest settings; it need not be studied itself.

    Of equals, the one that most studies but `study` ask for.
    cells: one row a cell, with the columns of FACTORS; studied: bool (n,).
    """
    # missing, a setting that a cell lacks, becomes a code of its own
    codes = cells[list(FACTORS)].apply(lambda column: pd.factorize(column)[0]).to_numpy()
    settings = (codes[:, None] != codes[studied]).sum(axis=2)
    differences = settings.clip(min=1).sum(axis=1)  # at least 1, or a cell would gain by its likeness to itself
    others = designs[designs["study"] != study].drop_duplicates(["study", "cell"])
    studies = others["cell"].value_counts().reindex(cells["cell"]).fillna(0).to_numpy()
    return int(np.lexsort((-studies, differences))[0])


def changed(cell: pd.Series, start: pd.Series) -> list[str]:
    """The settings in which two cells differ; one that both lack (missing) does not count."""
    own, other = (row[list(FACTORS)].astype(object).where(row.notna(), None) for row in (cell, start))
    return [name for name in FACTORS if own[name] != other[name]]


def _rows(members: pd.DataFrame, studied: set[str], designs: pd.DataFrame) -> list[dict]:
    cells = members.drop_duplicates("cell")
    start = cells.iloc[base(cells, cells["cell"].isin(studied).to_numpy(), designs, STUDY)]
    started = members[members["cell"] == start["cell"]]
    shown = members[members["cell"].isin({*studied, start["cell"]})]
    rows = [_row(cell, group, start, started) for cell, group in summary.by_cell(shown)]
    rank = {name: i for i, name in enumerate(("", *FACTORS))}
    return sorted(rows, key=lambda row: rank[row["setting"]])


def _row(cell: pd.Series, members: pd.DataFrame, start: pd.Series, started: pd.DataFrame) -> dict:
    first, *others = changed(cell, start) or [""]
    return {
        "fraction": cell["fraction"],
        "setting": first,
        "value": ", ".join([printed(cell, first), *(f"{name} {printed(cell, name)}" for name in others)]),
        "base_value": printed(start, first),
        "cell": cell["cell"],
        **summary.steps(members),
        **summary.relative(members, started),
    }


def printed(cell: pd.Series, name: str) -> str:
    """The setting `name` of a cell in words; nothing for no name."""
    value = cell[name] if name else ""
    return "none" if pd.isna(value) else value if isinstance(value, str) else f"{value:g}"
