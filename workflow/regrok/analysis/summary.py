"""What several tables share: the members of a study, a row of results for a cell, an empty table with its dtypes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api.types import is_object_dtype

from . import factors, format, resampling, survival


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


def waited(members: pd.DataFrame, event: str, since: np.ndarray | float = 0.0) -> survival.Median:
    """Median steps to `event`, a column of the members table; `since`: steps, float (n,), nan for not yet.

    A member without the event has waited from `since` to its last step, for ever if it diverged, not at all if not yet.
    """
    followed = np.where(members["diverged"], np.inf, members["last_step"].to_numpy(float)) - since
    taken = members[event].to_numpy(float) - since
    seen = np.isfinite(taken)
    return survival.median(np.where(seen, taken, np.nan_to_num(followed, nan=0.0, posinf=np.inf)), seen)


def in_epochs(median: survival.Median, steps_per_epoch: int) -> survival.Median:
    """A median in steps as one in passes over the training set."""
    times = {name: getattr(median, name) / steps_per_epoch for name in ("value", "low", "high", "least", "most")}
    return replace(median, **times)


def shares(members: pd.DataFrame) -> dict:
    """share_memorised, share_generalised, share_grokked: of all members, those that diverged included."""
    return {
        "share_memorised": members["t2"].notna().mean(),
        "share_generalised": members["generalised"].mean(),
        "share_grokked": members["grokked"].mean(),
    }


def table(rows: list[dict], columns: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """`rows` as a frame of `columns`: those with a unit are numbers, the others names or flags, even without rows.
    A column that is documented as a factor of the cell has that factor's dtype."""
    frame = pd.DataFrame(rows, columns=list(columns))
    own = {name: factors.FACTORS[name][1] for name in frame if columns[name] == factors.COLUMNS.get(name)}
    frame = frame.astype(own)
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
