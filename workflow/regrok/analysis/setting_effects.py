"""What each changed setting of report 001 does to the steps to grokking, against the report's own setting."""

import pandas as pd

from . import format, sensitivity, summary
from .factors import FACTORS

INPUTS = ("members", "designs", "cells")
REPORTS = "001-F5, 001-F6"
COLUMNS = {
    "study": ("", "study that asks for the cell"),
    "architecture": ("", "model"),
    "factor": ("", "the setting that is changed; empty for the base itself"),
    "value": ("", "its value, and those of other settings that change with it"),
    "base_value": ("", "its value in the base"),
    "cell": ("", "id of the cell"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "memorised": ("1", "members whose training accuracy reached the threshold"),
    "median_t2": ("", "median steps to memorisation (t2) as printed"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that a member is followed at most"),
    "text": ("", "the median as printed"),
    "ratio": ("1", "median steps over those of the base of the same study and architecture"),
    "ratio_low": ("1", "lower end of its 95 % bootstrap interval; missing below 6 members"),
    "ratio_high": ("1", "upper end of its 95 % bootstrap interval; missing below 6 members"),
    "ratio_bound": ("", "> or < where censoring leaves only that side of it known"),
    "ratio_text": ("", "the ratio as printed"),
}
STUDIES = ("optimizers_001", "dropout", "open_settings")
WORDS = {"learning_rate": "rate", "weight_decay": "decay"}


def build(members: pd.DataFrame, designs: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """A row a cell of the studies, and one for its base if the study has it not: by study and architecture, the base
    first, then by factor."""
    rows = [
        row
        for study in STUDIES
        for _, own in summary.studied(members, designs, study).groupby("architecture", sort=False)
        for row in _rows(study, own, members, designs, cells)
    ]
    return summary.table(rows, COLUMNS)


def base(study: str, architecture: str, cells: pd.DataFrame, designs: pd.DataFrame) -> pd.Series:
    """The cell that the others of `study` are compared with, whether or not it has been run."""
    asked = cells["cell"].isin(sensitivity.of_report(designs, study)["cell"])
    alike = cells[asked & (cells["architecture"] == architecture)]
    studied = alike["cell"].isin(designs.loc[designs["study"] == study, "cell"]).to_numpy()
    return alike.iloc[sensitivity.base(alike, studied, designs, study)]


def changed(cell: pd.Series, start: pd.Series) -> list[str]:
    """The settings in which a cell differs from its base `start`, the decay last; what only one of them has belongs to
    another setting. An optimiser goes by its name, rate and decay."""
    names = [name for name in sensitivity.changed(cell, start) if not (pd.isna(cell[name]) or pd.isna(start[name]))]
    if "optimizer" in names:
        return ["optimizer", "learning_rate", "weight_decay"]
    return sorted(names, key=lambda name: name == "weight_decay")


def _rows(
    study: str, own: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame, cells: pd.DataFrame
) -> list[dict]:
    start = base(study, own["architecture"].iloc[0], cells, designs)
    if not (own["cell"] == start["cell"]).any():
        own = pd.concat([own, members[(members["cell"] == start["cell"]) & members["seed"].isin(own["seed"])]])
    started = own[own["cell"] == start["cell"]]
    rank = {name: i for i, name in enumerate(("", *FACTORS))}
    rows = [{"study": study, **_row(cell, group, start, started)} for cell, group in summary.by_cell(own)]
    return sorted(rows, key=lambda row: rank[row["factor"]])


def _row(cell: pd.Series, members: pd.DataFrame, start: pd.Series, started: pd.DataFrame) -> dict:
    first, *others = changed(cell, start) or [""]
    named = [f"{WORDS.get(name, name)} {sensitivity.printed(cell, name)}" for name in others]
    steps = summary.steps(members)
    return {
        "architecture": cell["architecture"],
        "factor": first,
        "value": ", ".join([sensitivity.printed(cell, first), *named]),
        "base_value": sensitivity.printed(start, first),
        "cell": cell["cell"],
        "memorised": int(members["t2"].notna().sum()),
        "median_t2": format.median(summary.waited(members, "t2"), steps["budget"]),
        **steps,
        **summary.relative(members, started),
    }
