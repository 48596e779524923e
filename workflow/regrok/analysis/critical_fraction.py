"""The training fraction at which half of the members generalise within the budget of their study.

The share of members that generalise is made to rise with the fraction by isotonic regression (weights: members), and
the fraction at which it crosses one half is read off by linear interpolation. Between two fractions nothing was
measured, so the interval runs between fractions that were trained at: from the 2.5 % quantile of the fraction below the
crossing to the 97.5 % quantile of the one above it, over a bootstrap that draws seeds jointly over all fractions, since
cells share their random streams by seed. It is a statement about a budget: with more steps it can only fall.
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


def crossing(fractions: np.ndarray, yes: np.ndarray, n: np.ndarray) -> tuple[float, float, float]:
    """(below, at, above): where the isotonic share of yes / n crosses one half, between its neighbours in `fractions`;
    -inf where the share is one half from the start, inf where it never is.

    fractions: increasing, (k,); yes, n: counts, (k,).
    """
    share = isotonic_regression(yes / n, weights=n).x
    first = int(np.searchsorted(share, 0.5))
    below, above = (np.concatenate([[-np.inf], fractions, [np.inf]])[first + side] for side in (0, 1))
    if first == 0:
        return -np.inf, -np.inf, float(above)
    if first == len(share):
        return float(below), np.inf, np.inf
    low, high = share[first - 1], share[first]
    return float(below), float(below + (0.5 - low) / (high - low) * (above - below)), float(above)


def _row(members: pd.DataFrame) -> dict:
    table, budget = by_budget(members)
    fractions, outcome = table.columns.to_numpy(float), table.to_numpy(float)
    known = np.isfinite(outcome)
    yes, n = np.where(known, outcome, 0).sum(axis=0), known.sum(axis=0)
    _, critical, _ = crossing(fractions, yes, n)
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


def _interval(fractions: np.ndarray, outcome: np.ndarray, known: np.ndarray, draws: int = DRAWS) -> tuple[float, float]:
    """Over draws of seeds; an open end where 2.5 % of the draws cross nowhere."""
    rng, seeds = np.random.default_rng(0), len(outcome)
    counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    yes, n = counts @ outcome, counts @ known
    drawn = [
        crossing(fractions[there > 0], some[there > 0], there[there > 0]) for some, there in zip(yes, n, strict=True)
    ]
    below, _, above = np.transpose(drawn)
    low = np.quantile(below, 0.025, method="inverted_cdf")
    high = np.quantile(above, 0.975, method="inverted_cdf")
    return (float(low) if np.isfinite(low) else 0.0), float(high)


def _text(critical: float, low: float, high: float, fractions: np.ndarray) -> str:
    if np.isneginf(critical):
        return f"below {fractions[0]:g}"
    if np.isposinf(critical):
        return f"above {fractions[-1]:g}"
    ends = f"[{low:.2f},{format.FIXED}{high:.2f}]" if np.isfinite(high) else f"[{low:.2f},{format.FIXED}∞]"
    return f"{critical:.2f}" if np.isnan(low) else f"{critical:.2f} {ends}"
