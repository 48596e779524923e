"""The training fraction at which half of the members generalise within the budget of their study.

The share of members that generalise is made to rise with the fraction by isotonic regression (weights: members), and
the fraction at which it crosses one half is read off by linear interpolation. Its interval is a percentile bootstrap at
95 % that draws seeds jointly over all fractions, since cells share their random streams by seed. It is a statement
about a budget: with more steps it can only fall.
"""

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from . import format, resampling
from .summary import studied, table

INPUTS = ("members", "designs")
REPORTS = "003-C6, 000-C3"
COLUMNS = {
    "study": ("", "data_fraction (report 000) or fractions_003"),
    "architecture": ("", "model"),
    "n": ("1", "members"),
    "fractions": ("1", "training fractions"),
    "budget": ("steps", "how far members were followed at most, the least of all fractions"),
    "none_at": ("1", "largest fraction at which no member generalises, below all at which one does"),
    "all_from": ("1", "smallest fraction from which on all members generalise"),
    "critical": ("1", "fraction at which half generalise; missing if half do or do not at every fraction"),
    "low": ("1", "low end of its 95 % interval; 0: no lower limit"),
    "high": ("1", "high end; inf: no upper limit"),
    "text": ("", "as printed"),
}
STUDIES = ("data_fraction", "fractions_003")
DRAWS = 2000


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a (study, architecture)."""
    rows = [
        {"study": study, "architecture": name} | _row(group)
        for study in STUDIES
        for name, group in studied(members, designs, study).groupby("architecture")
    ]
    return table(rows, COLUMNS)


def by_budget(members: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """(bool, seeds x fractions: whether a member generalises by the least budget of all; nan where not run), budget."""
    budget = members["budget"].min()
    yes = (members["t4"] <= budget).astype(float)
    return yes.groupby([members["seed"], members["fraction"]]).first().unstack(), float(budget)


def crossing(fractions: np.ndarray, yes: np.ndarray, n: np.ndarray) -> float:
    """Fraction at which the isotonic share of yes / n crosses one half; -inf if it is above from the start, inf if
    never.

    fractions: increasing, (k,); yes, n: counts, (k,).
    """
    share = isotonic_regression(yes / n, weights=n).x
    if share[0] >= 0.5:
        return -np.inf
    if share[-1] < 0.5:
        return np.inf
    above = int(np.argmax(share >= 0.5))
    low, high = share[above - 1], share[above]
    return float(fractions[above - 1] + (0.5 - low) / (high - low) * (fractions[above] - fractions[above - 1]))


def _row(members: pd.DataFrame) -> dict:
    table, budget = by_budget(members)
    fractions, outcome = table.columns.to_numpy(float), table.to_numpy(float)
    known = np.isfinite(outcome)
    yes, n = np.where(known, outcome, 0).sum(axis=0), known.sum(axis=0)
    critical = crossing(fractions, yes, n)
    low = high = np.nan
    if len(table) >= resampling.LEAST_MEMBERS:
        low, high = _interval(fractions, np.where(known, outcome, 0), known)
    some, every = yes > 0, yes == n
    none = fractions[: np.argmax(some)] if some.any() else fractions
    last_failure = np.flatnonzero(~every)
    return {
        "n": int(n.sum()),
        "fractions": len(fractions),
        "budget": budget,
        "none_at": none[-1] if len(none) else np.nan,
        "all_from": fractions[last_failure[-1] + 1 if len(last_failure) else 0] if every[-1] else np.nan,
        "critical": critical if np.isfinite(critical) else np.nan,
        "low": low,
        "high": high,
        "text": _text(critical, low, high, fractions),
    }


def _interval(fractions: np.ndarray, outcome: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Percentile interval over draws of seeds; an open end where 2.5 % of the draws cross nowhere."""
    rng, seeds = np.random.default_rng(0), len(outcome)
    counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=DRAWS)
    yes, n = counts @ outcome, counts @ known
    drawn = [
        crossing(fractions[there > 0], some[there > 0], there[there > 0]) for some, there in zip(yes, n, strict=True)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
    return (float(low) if np.isfinite(low) else 0.0), float(high)


def _text(critical: float, low: float, high: float, fractions: np.ndarray) -> str:
    if np.isneginf(critical):
        return f"below {fractions[0]:g}"
    if np.isposinf(critical):
        return f"above {fractions[-1]:g}"
    ends = f"[{low:.2f},{format.FIXED}{high:.2f}]" if np.isfinite(high) else f"[{low:.2f},{format.FIXED}∞]"
    return f"{critical:.2f}" if np.isnan(low) else f"{critical:.2f} {ends}"
