"""Bootstrap over seeds. Cells share their random streams by seed, so a draw takes the same seeds from both cells."""

from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import survival

LEAST_MEMBERS = 6  # below, a cell has no distribution-free interval for its median, and its bootstrap is no better


class Ratio(NamedTuple):
    """A ratio with its 95 % interval; `bound` is ">" or "<" where censoring leaves only that side of it known."""

    value: float
    low: float
    high: float
    bound: str


def ratio_of_medians(ref: pd.DataFrame, other: pd.DataFrame, rng: np.random.Generator, draws: int = 4000) -> Ratio:
    """Median t4 of `ref` over that of `other` (members tables of one cell each): the speed-up of `other`.

    A median that is not reached is at least the median of the times that its members were followed, so the ratio
    becomes a bound (">" if that is the reference's, "<" if the other's), and nan if neither is reached.

    Percentile bootstrap at 95 %: seeds in both cells are drawn jointly, the remaining ones of each on their own, and a
    draw in which a median is not reached widens the interval by the whole range that it leaves open. No interval (nan)
    below `LEAST_MEMBERS` in either cell. In simulations with log-normal times its coverage is 93 % at 6 seeds, and 95
    to 98 % at 8 to 12.
    """
    ref, other = ref.sort_values("seed"), other.sort_values("seed")
    if not (len(ref) and len(other)):
        return Ratio(nan, nan, nan, "")
    ones = np.ones((1, len(ref)), dtype=int), np.ones((1, len(other)), dtype=int)
    (least,), (most,) = _range_of_ratio(ref, other, *ones)
    low = high = nan
    if min(len(ref), len(other)) >= LEAST_MEMBERS:
        lows, highs = _range_of_ratio(ref, other, *_joint_counts(ref["seed"], other["seed"], rng, draws))
        low = float(np.quantile(lows, 0.025, method="inverted_cdf"))
        high = float(np.quantile(highs, 0.975, method="inverted_cdf"))
    if least == most:
        return Ratio(float(least), low, high, "")
    if least > 0 and most == np.inf:
        return Ratio(float(least), low, high, ">")
    if least == 0 and most < np.inf:
        return Ratio(float(most), low, high, "<")
    return Ratio(nan, nan, nan, "")


def _range_of_ratio(ref, other, ref_counts: np.ndarray, other_counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest ratio that each weighted sample allows; counts (draws, n), returns (draws,) twice."""
    ref_least, ref_most = _range_of_median(ref, ref_counts)
    other_least, other_most = _range_of_median(other, other_counts)
    never = np.isinf(ref_most) & np.isinf(other_most)
    least = np.divide(ref_least, other_most, where=~never, out=np.zeros_like(ref_least))
    most = np.divide(ref_most, other_least, where=~never, out=np.full_like(ref_most, np.inf))
    return least, most


def _range_of_median(members: pd.DataFrame, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    time, event = survival.durations(members)
    most = survival.medians(time, event, counts)
    followed = survival.medians(time, np.ones_like(event), counts)
    return np.where(np.isinf(most), followed, most), most


def _joint_counts(
    ref: pd.Series, other: pd.Series, rng: np.random.Generator, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each member is drawn, int (draws, len(ref)) and (draws, len(other)); equal where the seed is shared."""
    counts = np.zeros((draws, len(ref)), dtype=int), np.zeros((draws, len(other)), dtype=int)
    shared = ref.isin(other).to_numpy(), other.isin(ref).to_numpy()
    drawn = _counts(shared[0].sum(), rng, draws)
    for count, common in zip(counts, shared, strict=True):
        count[:, common] = drawn
        count[:, ~common] = _counts((~common).sum(), rng, draws)
    return counts


def _counts(n: int, rng: np.random.Generator, draws: int) -> np.ndarray:
    return rng.multinomial(n, np.full(n, 1 / n), size=draws) if n else np.zeros((draws, 0), dtype=int)
