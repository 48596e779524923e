"""An entry of numbers.json, of each kind of quantity that the paper's text cites."""

from collections.abc import Callable, Iterator
from math import isfinite, nan
from typing import Any

import numpy as np
import pandas as pd

from . import format, summary, survival

NOT_RUN = "not run"

Entry = dict[str, Any]
Entries = Iterator[tuple[str, Entry]]


def entry(value, text: str, low=nan, high=nan, n=None, censored=None) -> Entry:
    ends = {"value": value, "low": low, "high": high, "n": n, "censored": censored}
    return {key: json_number(end) for key, end in ends.items()} | {"text": text}


def json_number(value) -> int | float | None:
    if value is None or not isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def missing() -> Entry:
    return entry(None, NOT_RUN)


def number(value: float, n=None) -> Entry:
    return entry(value, format.number(value), n=n)


def steps(value: float, n=None) -> Entry:
    """Also for any other count."""
    return entry(value, format.steps(value), n=n)


def percent(share: float, decimals: int = 0, n=None) -> Entry:
    return entry(share, format.percent(share, decimals), n=n)


def plain(value: float) -> Entry:
    """A setting, in as few digits as it has: 0.001, 1, 512."""
    return entry(value, f"{value:g}" if abs(value) < 1e4 else format.steps(value))


def of(count: int, n: int) -> Entry:
    """ "6 of 8"; value is the share."""
    return entry(count / n if n else nan, f"{count} of {n}" if n else NOT_RUN, n=n, censored=n - count)


def time(members: pd.DataFrame, event: str, since: np.ndarray | float = 0.0) -> Entry:
    """Median steps to `event`, a column of the members table, with its interval; `since`: steps, float (n,), nan for
    not yet."""
    return waited(summary.waited(members, event, since), members["budget"].max(), format.steps)


def epochs(members: pd.DataFrame, event: str) -> Entry:
    """The same in passes over the training set, of members of one cell."""
    each = members["steps_per_epoch"].iloc[0]
    found = summary.in_epochs(summary.waited(members, event), each)
    return waited(found, members["budget"].max() / each, format.number)


def waited(found: survival.Median, budget: float, show: Callable[[float], str]) -> Entry:
    text = format.median(found, budget, show)
    return median(found.value, found.low, found.high, found.n, found.events, text)


def median(value, low, high, n, events, text) -> Entry:
    return entry(value, text, low, high, n, n - events) if n else missing()


def ratio(row: Any, prefix: str) -> Entry:
    """A ratio's columns `prefix`, `prefix`_low, ..., without the sign × of its text."""
    value, low, high, text = (row[f"{prefix}{end}"] for end in ("", "_low", "_high", "_text"))
    return entry(value, text.replace("×", ""), low, high)
