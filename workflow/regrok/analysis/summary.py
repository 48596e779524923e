"""What several tables share: the members of a study, a row of results for a cell, an empty table with its dtypes."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from pandas.api.types import is_object_dtype

from . import format, resampling, survival


def studied(members: pd.DataFrame, designs: pd.DataFrame, study: str) -> pd.DataFrame:
    """The rows of `members` that `study` asks for, cut at the budget that it asks for.

    Another study may follow a shared cell further and with more seeds, which would give that cell an edge where cells
    compete within a budget. Events beyond the budget become nan; final and best values stay as recorded.
    """
    asked = designs[designs["study"] == study].groupby("cell")[["seeds", "budget"]].max()
    members = members[members["cell"].isin(asked.index)]
    members = members[members["seed"] < asked.loc[members["cell"], "seeds"].to_numpy()]
    budget = asked.loc[members["cell"], "budget"].to_numpy()
    times = {event: members[event].where(members[event] <= budget) for event in ("t1", "t2", "t3", "t4")}
    after = {f"{event}_after": members[f"{event}_after"].where(time.notna()) for event, time in times.items()}
    reached, late = times["t4"].notna(), members["last_step"] > budget
    return members.assign(
        **times,
        **after,
        **{name: members[name].where(reached) for name in ("delay", "delay_ratio")},
        generalised=reached,
        grokked=members["grokked"] & reached,
        diverged=members["diverged"] & ~late,
        stop_reason=members["stop_reason"].mask(late & ~reached, "budget"),
        budget=budget,
        last_step=members["last_step"].clip(upper=budget),
    )


def by_cell(members: pd.DataFrame) -> Iterator[tuple[pd.Series, pd.DataFrame]]:
    """(a row with the cell's factors, the cell's members) of every cell, in the order of `members`."""
    for _, group in members.groupby("cell", sort=False):
        yield group.iloc[0], group


def steps(members: pd.DataFrame) -> dict:
    """n, events, median, low, high, budget and text: the steps to grokking of members of one setting."""
    budget = members["budget"].max()
    median = survival.median(*survival.durations(members))
    return {
        "n": median.n,
        "events": median.events,
        "median": median.value,
        "low": median.low,
        "high": median.high,
        "budget": budget,
        "text": format.median(median, budget),
    }


def shares(members: pd.DataFrame) -> dict:
    """share_memorised, share_generalised, share_grokked: of all members, those that diverged included."""
    return {
        "share_memorised": members["t2"].notna().mean(),
        "share_generalised": members["generalised"].mean(),
        "share_grokked": members["grokked"].mean(),
    }


def table(rows: list[dict], columns: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """`rows` as a frame of `columns`: those with a unit are numbers, the others names or flags, even without rows."""
    frame = pd.DataFrame(rows, columns=list(columns))
    vague = [name for name in frame if is_object_dtype(frame[name])]
    return frame.astype({name: "float64" if columns[name][0] else "str" for name in vague})


def relative(members: pd.DataFrame, base: pd.DataFrame, name: str = "ratio") -> dict:
    """`name`, with _low, _high, _bound and _text: median steps to grokking of `members` over that of `base`."""
    ratio = resampling.ratio_of_medians(members, base, np.random.default_rng(0))
    return {
        name: ratio.value,
        f"{name}_low": ratio.low,
        f"{name}_high": ratio.high,
        f"{name}_bound": ratio.bound,
        f"{name}_text": format.ratio(*ratio),
    }
