"""Steps to an event when some members never reach it: Kaplan-Meier medians, log-rank and trend tests.

Times are float steps; `event` is True where the event was seen and False where the member was followed to `time`
without it (right-censored). A censoring time of inf says "never": a diverged member stays in every risk set, so that
the curve is the complement of the cumulative incidence with divergence as competing event, not one of survivors.
"""

import warnings
from dataclasses import dataclass
from itertools import combinations, permutations
from math import comb, factorial, nan

import numpy as np
import pandas as pd
import scipy

TIE = 1e-9  # rounding below which a survival probability equals one half, or two test statistics are equal
MOST_SPLITS = 20_000  # relabellings that an exact permutation test enumerates, or a random one draws


@dataclass(frozen=True)
class Median:
    """Median steps to an event with its confidence interval; inf is "not reached", nan is "cannot be said".

    `least`, `most`: range of the sample, with inf where the slowest member never reached the event.
    `method`: "order statistics", "log-log Kaplan-Meier", or "" where there is no interval.
    """

    value: float
    low: float
    high: float
    n: int
    events: int
    method: str
    least: float = nan
    most: float = nan


def durations(members: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(time, event), float and bool (n,): t4, or the last step (inf if diverged) of a member without it."""
    event = members["generalised"].to_numpy(bool)
    censored = np.where(members["diverged"].to_numpy(bool), np.inf, members["last_step"].to_numpy(float))
    return np.where(event, members["t4"].to_numpy(float), censored), event


def intervals(members: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(after, at, event), float, float and bool (n,): t4 lies in (after, at]; at is inf where it was not reached.

    A diverged member counts as followed to its budget without generalising.
    """
    event = members["generalised"].to_numpy(bool)
    last, budget = members["last_step"].to_numpy(float), members["budget"].to_numpy(float)
    followed = np.where(members["diverged"].to_numpy(bool), np.fmax(last, budget), last)
    after = np.where(event, members["t4_after"].to_numpy(float), followed)
    return after, np.where(event, members["t4"].to_numpy(float), np.inf), event


def medians(time: np.ndarray, event: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Kaplan-Meier medians of weighted samples.

    time, event: (n,); weights: integer counts (..., n), one sample along the last axis. Returns (...): the time at
    which the curve falls below one half, the midpoint of the plateau where it rests at one half, inf where it never
    falls below. With all members followed equally far this is the sample median with inf for the censored ones.
    """
    order = np.lexsort((~event, time))  # at equal times, events before censorings
    time, event, weights = time[order], event[order], np.asarray(weights)[..., order]
    at_risk = np.cumsum(weights[..., ::-1], axis=-1)[..., ::-1]
    curve = np.cumprod(1 - np.where(event, weights, 0) / np.maximum(at_risk, 1), axis=-1)
    padded = np.append(time, np.inf)
    return (padded[_first(curve < 0.5 + TIE)] + padded[_first(curve < 0.5 - TIE)]) / 2


def curve(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(steps, share): the Kaplan-Meier curve falls to `share` at each of the `steps` at which something happened."""
    if not event.any():
        return np.array([]), np.array([])
    survival = scipy.stats.ecdf(_censored(time, event)).sf
    happened = np.isin(survival.quantiles, time[event])
    return survival.quantiles[happened], survival.probabilities[happened]


def _first(holds: np.ndarray) -> np.ndarray:
    """Index of the first True along the last axis, its length where there is none."""
    sentinel = np.ones((*holds.shape[:-1], 1), dtype=bool)
    return np.concatenate([holds, sentinel], axis=-1).argmax(axis=-1)


def order_interval(n: int, level: float = 0.95) -> tuple[int, float]:
    """(k, coverage): the k-th smallest to the k-th largest of n values hold the median with that probability.

    The largest k whose coverage, 1 - 2 P(Binomial(n, 1/2) < k), is at least `level`; k = 0 if there is none. At 95 %
    none exists for n < 6; n = 6 to 8 give the whole range (96.9, 98.4, 99.2 %), n = 10 the second to the ninth
    (97.9 %). The coverage is exact for continuous times and at least as high with ties (David and Nagaraja, Order
    Statistics, section 7.1).
    """
    coverages = 1 - 2 * scipy.special.bdtr(np.arange(n), n, 0.5)  # of k = 1, 2, ...
    k = int(np.sum(coverages >= level - TIE))
    return (k, float(coverages[k - 1])) if k else (0, 0.0)


def median(time: np.ndarray, event: np.ndarray, level: float = 0.95) -> Median:
    """Median of the steps to an event with a distribution-free confidence interval of at least `level`.

    time: float (n,), event or censoring time; event: bool (n,). Where no member was censored before the last event, the
    interval runs between order statistics (`order_interval`) and is exact; its low end counts a censored member at its
    censoring time, which it has outlasted. Otherwise it is the log-log interval of the Kaplan-Meier curve, inverted at
    one half (Klein and Moeschberger, Survival Analysis, 4.5). Below the least n that allows `level`, there is none.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    n, events = len(time), int(event.sum())
    if n == 0:
        return Median(nan, nan, nan, 0, 0, "")
    reached = np.where(event, time, np.inf)
    low, high, method = nan, nan, ""
    k, _ = order_interval(n, level)
    if k and (events in (0, n) or time[~event].min() >= time[event].max()):
        low, high, method = np.sort(time)[k - 1], np.sort(reached)[n - k], "order statistics"
    elif k:
        low, high, method = *_kaplan_meier_interval(time, event, level), "log-log Kaplan-Meier"
    value = medians(time, event, np.ones(n, dtype=int))
    return Median(float(value), float(low), float(high), n, events, method, float(reached.min()), float(reached.max()))


def _kaplan_meier_interval(time: np.ndarray, event: np.ndarray, level: float) -> tuple[float, float]:
    curve = scipy.stats.ecdf(_censored(time, event)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no band (nan) where the curve is 1 or 0
        band = curve.confidence_interval(confidence_level=level, method="log-log")
    lower = np.where(curve.probabilities == 0, 0.0, band.low.probabilities)
    padded = np.append(curve.quantiles, np.inf)
    return padded[_first(lower <= 0.5)], padded[_first(band.high.probabilities <= 0.5)]


def _censored(time: np.ndarray, event: np.ndarray) -> "scipy.stats.CensoredData":
    """For scipy, which takes no inf: "never" becomes a censoring after everything else."""
    end = 2 * max(time[np.isfinite(time)], default=1.0)
    return scipy.stats.CensoredData(uncensored=time[event], right=np.minimum(time[~event], end))


def logrank(time_a: np.ndarray, event_a: np.ndarray, time_b: np.ndarray, event_b: np.ndarray) -> float:
    """Two-sided p of the log-rank test of equal event times; nan if a sample is empty, 1 if nothing happened.

    Up to `MOST_SPLITS` relabellings: the exact permutation test on observed minus expected events, valid where both
    samples are followed alike. Beyond: the chi-square approximation of scipy.stats.logrank.
    """
    time, event = np.concatenate([time_a, time_b]).astype(float), np.concatenate([event_a, event_b]).astype(bool)
    n, n_a = len(time), len(time_a)
    if n_a in (0, n):
        return nan
    if not event.any():
        return 1.0
    if comb(n, n_a) > MOST_SPLITS:
        split = [_censored(time[part], event[part]) for part in (slice(n_a), slice(n_a, None))]
        return float(scipy.stats.logrank(*split).pvalue)
    scores = logrank_scores(time, event)
    splits = np.array(list(combinations(range(n), n_a)))
    differences = np.abs(scores[splits].sum(axis=1))
    return float(np.mean(differences >= abs(scores[:n_a].sum()) - TIE))


def logrank_scores(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Event indicator minus pooled Nelson-Aalen hazard, (n,): over a sample they sum to observed minus expected."""
    at, deaths = np.unique(time[event], return_counts=True)
    hazards = deaths / (time >= at[:, None]).sum(axis=1)
    return event - (hazards[:, None] * (at[:, None] <= time)).sum(axis=0)


def followed_alike(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(time, event) cut at the first censoring, so that all members are followed equally far and may be relabelled."""
    horizon = np.min(time[~event], initial=np.inf)
    event = event & (time <= horizon)
    return np.where(event, time, horizon), event


def trend(scores: np.ndarray, levels: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """One-sided permutation p that scores do not rise with levels, and that they do not fall.

    scores, levels: float (n,). The statistic is the sum of level times score: of two levels it compares means, and of
    log-rank scores it is the log-rank test, or for more levels Tarone's test for trend (Biometrika 62:679, 1975). All
    relabellings are enumerated up to `MOST_SPLITS`; beyond, the one seen and as many random ones stand for them.
    """
    statistics = _relabelled(levels, rng) @ scores
    observed = levels @ scores
    return float(np.mean(statistics >= observed - TIE)), float(np.mean(statistics <= observed + TIE))


def _relabelled(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Levels in other orders, float (relabellings, n)."""
    n, distinct = len(levels), np.unique(levels)
    high = int(np.sum(levels == distinct[-1]))
    if len(distinct) == 2 and comb(n, high) <= MOST_SPLITS:
        chosen = np.array(list(combinations(range(n), high)))
        orders = np.full((len(chosen), n), distinct[0])
        np.put_along_axis(orders, chosen, distinct[1], axis=1)
        return orders
    if factorial(n) <= MOST_SPLITS:
        return np.array(list(permutations(levels)))
    drawn = rng.permuted(np.tile(levels, (MOST_SPLITS, 1)), axis=1)
    return np.concatenate([levels[None], drawn])
