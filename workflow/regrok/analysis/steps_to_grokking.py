"""Steps to grokking of every cell: how many members generalise and grok, and the median t4 with its interval.

Members that have not generalised are right-censored where they were followed to; diverged ones never generalise.
"""

import numpy as np
import pandas as pd

from . import factors, survival
from .summary import by_cell, steps, table

INPUTS = ("members",)
REPORTS = ""
COLUMNS = {
    "cell": ("", "id of the cell"),
    **factors.COLUMNS,
    "n_parameters": ("1", "parameters of a member"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "grokked": ("1", "members that generalised at least 1 000 steps after memorising"),
    "diverged": ("1", "members with a non-finite loss, counted as never generalising"),
    "median": ("steps", "Kaplan-Meier median of t4; inf: not reached"),
    "low": ("steps", "low end of its 95 % interval; empty below 6 members"),
    "high": ("steps", "high end of its 95 % interval; inf: beyond the budget"),
    "least": ("steps", "fastest member; inf: none generalised"),
    "most": ("steps", "slowest member; inf: did not generalise"),
    "median_t2": ("steps", "Kaplan-Meier median of t2, when training accuracy reaches the threshold; inf: not reached"),
    "median_delay": ("steps", "Kaplan-Meier median of t4 - t2 over the members that memorised; inf: not reached"),
    "budget": ("steps", "how far members were followed at most"),
    "text": ("", "median t4 as printed"),
}


def build(members: pd.DataFrame) -> pd.DataFrame:
    """A row a cell, in the order of their first members."""
    return table([_row(factors, group) for factors, group in by_cell(members)], COLUMNS)


def _row(factors: pd.Series, members: pd.DataFrame) -> dict:
    time, event = survival.durations(members)
    reached = np.where(event, time, np.inf)
    return {
        **factors,
        **steps(members),
        "grokked": int(members["grokked"].sum()),
        "diverged": int(members["diverged"].sum()),
        "least": reached.min(),
        "most": reached.max(),
        "median_t2": _median_t2(members),
        "median_delay": _median_delay(members),
    }


def _followed(members: pd.DataFrame) -> np.ndarray:
    return np.where(members["diverged"].to_numpy(bool), np.inf, members["last_step"].to_numpy(float))


def _median_t2(members: pd.DataFrame) -> float:
    t2 = members["t2"].to_numpy(float)
    memorised = np.isfinite(t2)
    return _median(np.where(memorised, t2, _followed(members)), memorised)


def _median_delay(members: pd.DataFrame) -> float:
    """Of the members that have memorised: those that have not generalised have waited since t2."""
    members = members[members["t2"].notna()]
    t2, t4 = members["t2"].to_numpy(float), members["t4"].to_numpy(float)
    generalised = np.isfinite(t4)
    return _median(np.where(generalised, t4, _followed(members)) - t2, generalised)


def _median(time: np.ndarray, event: np.ndarray) -> float:
    return float(survival.medians(time, event, np.ones(len(time), dtype=int))) if len(time) else np.nan
