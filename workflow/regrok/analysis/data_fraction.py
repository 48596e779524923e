"""Steps to grokking and speed-up against the training fraction on modular division, beside Table 2 of report 000."""

from math import isnan, nan

import pandas as pd

from . import format, reported
from .summary import table

INPUTS = ("designs", "cells", "steps_to_grokking", "speedup")
REPORTS = "000-T2"
COLUMNS = {
    "fraction": ("1", "share of the examples trained on"),
    "cell": ("", "id of the cell; empty if this scale does not train it"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "grokked": ("1", "members that generalised at least 1 000 steps after memorising"),
    "median": ("steps", "median t4; inf: not reached"),
    "low": ("steps", "low end of its 95 % interval; empty below 6 members"),
    "high": ("steps", "high end of its 95 % interval; inf: beyond the budget"),
    "budget": ("steps", "how far members were followed at most"),
    "text": ("", "median t4 as printed"),
    "speedup": ("1", "median t4 of the reference fraction over that of this one"),
    "speedup_low": ("1", "low end of its 95 % interval"),
    "speedup_high": ("1", "high end of its 95 % interval"),
    "speedup_bound": ("", "'>': the speed-up is a lower bound, '<': an upper bound, empty: neither"),
    "speedup_text": ("", "speed-up as printed"),
    "reported_steps": ("steps", "the report's steps to grokking; empty where it reports none, or nothing"),
    "reported_speedup": ("1", "the report's speed-up"),
    "reported_text": ("", "the report's steps to grokking as printed"),
    "reported_speedup_text": ("", "the report's speed-up as printed"),
}
MEASURED = {"n": 0, "events": 0, "grokked": 0, "median": nan, "low": nan, "high": nan, "budget": nan, "text": "–"}
COMPARED = {"ratio": nan, "low": nan, "high": nan, "bound": "", "text": "–"}


def build(
    designs: pd.DataFrame, cells: pd.DataFrame, steps_to_grokking: pd.DataFrame, speedup: pd.DataFrame
) -> pd.DataFrame:
    """A row a fraction that we train or the report has, ascending."""
    asked = set(designs.loc[designs["study"] == "data_fraction", "cell"])
    ours = {row.fraction: row.cell for row in cells.itertuples() if row.cell in asked}
    measured = steps_to_grokking.set_index("cell").to_dict("index")
    compared = speedup[speedup["study"] == "data_fraction"].set_index("cell").to_dict("index")
    rows = []
    for fraction in sorted(ours.keys() | reported.DATA_FRACTION.keys()):
        cell = ours.get(fraction, "")
        own, ratio = measured.get(cell, MEASURED), compared.get(cell, COMPARED)
        rows.append(
            {"fraction": fraction, "cell": cell}
            | {key: own[key] for key in MEASURED}
            | {f"speedup_{key}".replace("_ratio", ""): ratio[key] for key in COMPARED}
            | _reported(fraction)
        )
    return table(rows, COLUMNS)


def _reported(fraction: float) -> dict:
    known = reported.DATA_FRACTION.get(fraction)
    if known is None:
        return {"reported_text": format.NOTHING, "reported_speedup_text": format.NOTHING}
    return {
        "reported_steps": known["steps"],
        "reported_speedup": known["speedup"],
        "reported_text": "no grokking" if isnan(known["steps"]) else format.steps(known["steps"]),
        "reported_speedup_text": format.ratio(known["speedup"], nan, nan, ""),
    }
