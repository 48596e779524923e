"""Laws of steps to grokking against training fraction, by maximum likelihood with censoring.

    exponential    t(r) = a exp(-b r)
    power          t(r) = a r^-b
    power_offset   t(r) = c + a r^-b
    threshold      t(r) = a (r - rc)^-g, infinite for r <= rc

Errors are normal in log t with one standard deviation `sigma` about log t(r), independent between members (those of one
seed share a split across fractions: a correlation that is neglected). An event known to lie in (after, at] contributes
the probability of that interval, a censored member that of exceeding `after`. A fraction at or below `rc` has no events
in the threshold law, so members censored there cost it nothing. Exponents and c are at least 0, and rc lies between 0
and the smallest fraction with an event; so the threshold and the offset law contain the power law (rc = 0, c = 0).

Intervals are 95 % profile likelihood. With m events and k parameters besides sigma, log-likelihood may drop by
(m / 2) log(1 + t^2 / (m - k)), t the 97.5 % quantile of Student's t with m - k degrees of freedom: that is the interval
of least squares where nothing is censored and the law is a line in log t, and it tends to half of 3.84, the quantile of
chi-square. An interval that ends at a bound of its parameter is open there. AIC compares laws; `lack_of_fit` asks
whether a law holds at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import exp, inf, log, log1p, nan, sqrt

import numpy as np
import scipy

LEVEL = 0.95
LOG_TIME = 200.0  # bound of |log a|
STEEPEST = 300.0  # bound of the exponents
BOUNDS = ((-LOG_TIME, LOG_TIME), (0.0, STEEPEST), (0.0, 1.0))  # of log a, the exponent, and the shift in its own unit
SIGMA = (1e-3, 50.0)  # bounds of sigma
RESOLUTION = 1e-4  # by which rc stays below the smallest fraction with an event
STARTS = (0.0, 0.4, 0.75, 0.9, 0.98)  # of c or rc, in units of its upper bound
POLISHED = 3  # starts that are followed to their minimum


@dataclass(frozen=True)
class Observations:
    """One row a member, float (n,): training fraction, logs of the steps it generalised between (inf: not seen)."""

    fraction: np.ndarray
    log_after: np.ndarray
    log_at: np.ndarray

    @property
    def event(self) -> np.ndarray:
        return np.isfinite(self.log_at)

    @property
    def event_fractions(self) -> np.ndarray:
        return np.unique(self.fraction[self.event])


@dataclass(frozen=True)
class Law:
    """`names` of the parameters: scale, exponent and perhaps a shift, fitted in units of its upper bound `most`.

    mean(theta, r, most) -> log t (n,) and its derivatives (n, len(theta)), theta = log scale, exponent[, shift / most].
    line(log t, r, shift) -> (y, x) in which the law is y = log scale - exponent x; x is nan where it has no value.
    """

    names: tuple[str, ...]
    mean: Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]
    line: Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]
    most: Callable[[Observations], float] = lambda data: nan


def _exponential(theta, r, most):
    return theta[0] - theta[1] * r, np.stack([np.ones_like(r), -r], axis=1)


def _power(theta, r, most):
    return theta[0] - theta[1] * np.log(r), np.stack([np.ones_like(r), -np.log(r)], axis=1)


def _power_offset(theta, r, most):
    decaying = theta[0] - theta[1] * np.log(r)
    log_median = np.logaddexp(decaying, log(max(theta[2] * most, 1e-300)))
    share = np.exp(decaying - log_median)
    return log_median, np.stack([share, -share * np.log(r), np.exp(log(most) - log_median)], axis=1)


def _threshold(theta, r, most):
    above = r > theta[2] * most
    distance = np.where(above, r - theta[2] * most, 1.0)
    mean = np.where(above, theta[0] - theta[1] * np.log(distance), inf)
    slopes = np.stack([np.ones_like(r), -np.log(distance), theta[1] / distance * most], axis=1)
    return mean, slopes * above[:, None]


def _above(log_time, r, shift):
    """log(t - shift); where that is negative, or little, a twentieth of t stands in."""
    return log_time + np.log(np.maximum(1 - shift * np.exp(-log_time), 0.05)), np.log(r)


def _beyond(log_time, r, shift):
    return log_time, np.log(r - shift, where=r > shift, out=np.full_like(r, nan))


def _largest_offset(data: Observations) -> float:
    """Steps: the slowest event at the largest fraction, which lies above c but for its error."""
    return float(np.exp(data.log_at[data.event & (data.fraction == data.event_fractions[-1])].max()))


def _smallest_with_events(data: Observations) -> float:
    return float(data.event_fractions[0]) - RESOLUTION


LAWS = {
    "exponential": Law(("a", "b"), _exponential, lambda log_time, r, shift: (log_time, r)),
    "power": Law(("a", "b"), _power, lambda log_time, r, shift: (log_time, np.log(r))),
    "power_offset": Law(("a", "b", "c"), _power_offset, _above, _largest_offset),
    "threshold": Law(("a", "g", "rc"), _threshold, _beyond, _smallest_with_events),
}


@dataclass(frozen=True)
class Fit:
    """A fitted law. Without a fit, `reason` says why and every number but n and events is nan.

    params, low, high: the law's parameters (a and c in steps, b of the exponential law per unit of fraction) and their
    95 % intervals. n: members, events: those that generalised. aicc: AIC with Hurvich and Tsai's correction, inf where
    n is too small for it. lack_of_fit: p of the likelihood ratio against one free median a fraction, referred to F with
    the events as sample size (exact for lines without censoring); nan without replicates.
    """

    law: str
    params: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    sigma: float
    log_likelihood: float
    aic: float
    aicc: float
    lack_of_fit: float
    n: int
    events: int
    reason: str = ""


def fit(law: str, fraction: np.ndarray, after: np.ndarray, at: np.ndarray, event: np.ndarray) -> Fit:
    """Maximum likelihood fit of `law`, one of `LAWS`; the same result on every call and in any order of the members.

    fraction: (n,) in (0, 1]; after, at: (n,) steps, the event lies in (after, at] where `event`, beyond `after`
    elsewhere (`at` is then not read). Needs events at as many fractions as the law has parameters, and one event more
    for sigma: otherwise a Fit with a reason. Raises ValueError for inputs that cannot be observations.
    """
    data = _observations(fraction, after, at, event)
    names = LAWS[law].names
    n, events, fractions = len(data.fraction), int(data.event.sum()), len(data.event_fractions)
    if fractions < len(names) or events <= len(names):
        none = dict.fromkeys(names, nan)
        reason = f"{events} events at {fractions} fractions do not determine {len(names)} parameters and sigma"
        return Fit(law, none, none, none, nan, nan, nan, nan, nan, n, events, reason)
    return _fit(law, data)


def predict(fit: Fit, r: np.ndarray) -> np.ndarray:
    """Median steps to grokking at fractions `r`, float, shape of r; inf at and below rc, nan where there is no fit."""
    r = np.asarray(r, dtype=float)
    if fit.reason:
        return np.full_like(r, nan)
    scale, exponent, *shift = fit.params.values()
    theta = np.array([log(scale), exponent, *shift])
    mean, _ = LAWS[fit.law].mean(theta, r.ravel(), 1.0)
    return np.exp(mean).reshape(r.shape)


def log_likelihood(data: Observations, mean: np.ndarray, sigma: float) -> tuple[float, np.ndarray, float]:
    """Log-likelihood of normal errors in log t, its derivatives by `mean` (n,) and by log sigma."""
    finite = np.isfinite(mean)
    center = np.where(finite, mean, 0.0)
    low = np.where(finite, (data.log_after - center) / sigma, -inf)
    high = (data.log_at - center) / sigma
    log_p = _log_probability(low, high)
    density_low, density_high = _relative_density(low, log_p), _relative_density(high, log_p)
    by_mean = (density_low - density_high) / sigma
    by_log_sigma = _product(low, density_low) - _product(high, density_high)
    return float(log_p.sum()), by_mean, float(by_log_sigma.sum())


def _log_probability(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """log(Phi(high) - Phi(low)), computed in the lower tail, where the difference of small numbers keeps digits."""
    upper_tail = low > 0
    low, high = np.where(upper_tail, -high, low), np.where(upper_tail, -low, high)
    gap = np.minimum(
        scipy.special.log_ndtr(low) - scipy.special.log_ndtr(high), -1e-15
    )  # less than rounding can tell apart
    return scipy.special.log_ndtr(high) + np.log(-np.expm1(gap))


def _relative_density(z: np.ndarray, log_p: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2 - log(2 * np.pi) / 2 - log_p)


def _product(z: np.ndarray, density: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(z), z, 0.0) * density


def _observations(fraction, after, at, event) -> Observations:
    event = np.asarray(event, dtype=bool)
    fraction, after = np.asarray(fraction, dtype=float), np.asarray(after, dtype=float)
    at = np.where(event, np.asarray(at, dtype=float), inf)
    if not np.all((fraction > 0) & (fraction <= 1) & (after >= 0) & np.isfinite(after) & (after < at)):
        raise ValueError("an observation needs a fraction in (0, 1] and steps 0 <= after < at, after finite")
    order = np.lexsort((at, after, fraction))
    with np.errstate(divide="ignore"):  # an event by the first evaluation is known to lie in (0, at]
        return Observations(fraction[order], np.log(after[order]), np.log(at[order]))


def _fit(name: str, data: Observations) -> Fit:
    law = LAWS[name]
    most = law.most(data)
    bounds = np.array([*BOUNDS[: len(law.names)], np.log(SIGMA)])
    objective = _objective(data, lambda theta: law.mean(theta, data.fraction, most))
    best, loss = _minimise(objective, _starts(law, data, most, bounds), bounds)
    n, k, events = len(data.fraction), len(best), int(data.event.sum())
    limit, covariance = loss + _drop(events, len(law.names)), _covariance(objective, best)

    def lowest(pinned: np.ndarray, start: np.ndarray) -> float:
        return _minimise(objective, [*_starts(law, data, most, pinned), start], pinned)[1]

    ends = [_profile_interval(lowest, best, limit, bounds, covariance[j], j) for j in range(len(law.names))]
    aic = 2 * loss + 2 * k
    columns = (best, [low for low, _ in ends], [high for _, high in ends])
    params, low, high = (_natural(law, theta, most) for theta in columns)
    return Fit(
        law=name,
        params=params,
        low=low,
        high=high,
        sigma=exp(best[-1]),
        log_likelihood=-loss,
        aic=aic,
        aicc=aic + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else inf,
        lack_of_fit=_lack_of_fit(data, -loss, len(law.names)),
        n=n,
        events=events,
    )


def _drop(events: int, parameters: int) -> float:
    """By how much log-likelihood may fall within an interval."""
    freedom = events - parameters
    return events / 2 * log1p(scipy.stats.t.ppf((1 + LEVEL) / 2, freedom) ** 2 / freedom)


def _natural(law: Law, theta, most: float) -> dict[str, float]:
    """Named parameters from log scale, exponent, shift / most; a bound of the first two is no limit: 0 or inf."""
    scale = 0.0 if theta[0] <= -LOG_TIME else inf if theta[0] >= LOG_TIME else exp(theta[0])
    exponent = inf if theta[1] >= STEEPEST else float(theta[1])
    return dict(zip(law.names, (scale, exponent, *(float(u) * most for u in theta[2:3])), strict=False))


def _objective(data: Observations, mean: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> Callable:
    """theta, ending in log sigma -> minus log-likelihood and its gradient."""

    def objective(theta):
        log_median, slopes = mean(theta[:-1])
        value, by_mean, by_log_sigma = log_likelihood(data, log_median, exp(theta[-1]))
        return -value, -np.append(by_mean @ slopes, by_log_sigma)

    return objective


def _starts(law: Law, data: Observations, most: float, bounds: np.ndarray) -> list[np.ndarray]:
    """Least squares in log t for several shifts, with censored members at their censoring time.

    A parameter whose two bounds are equal keeps that value.
    """
    low, high = bounds.T
    log_time = np.where(data.event, data.log_at, np.maximum(data.log_after, 0))
    shifts = np.unique(low[2] + np.array(STARTS) * (high[2] - low[2])) if len(law.names) == 3 else (0.0,)
    starts = []
    for shift in shifts:
        y, x = law.line(log_time, data.fraction, shift * most)
        usable = np.isfinite(x)
        columns, y = np.stack([np.ones(usable.sum()), -x[usable]], axis=1), y[usable]
        line, free = low[:2].copy(), low[:2] < high[:2]
        line[free] = np.linalg.lstsq(columns[:, free], y - columns[:, ~free] @ line[~free], rcond=None)[0]
        rms = np.std(y - columns @ np.clip(line, low[:2], high[:2]))
        starts.append(np.clip([*line, *[shift] * (len(law.names) - 2), log(max(rms, 0.005))], low, high))
    return starts


def _minimise(objective: Callable, starts: list[np.ndarray], bounds: np.ndarray) -> tuple[np.ndarray, float]:
    """The lowest minimum found from the `POLISHED` best of `starts`."""
    options = {"maxiter": 1000, "ftol": 1e-11, "gtol": 1e-5}
    best = sorted(starts, key=lambda start: objective(start)[0])[:POLISHED]
    results = [
        scipy.optimize.minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        for start in best
    ]
    result = min(results, key=lambda result: result.fun)
    return result.x, float(result.fun)


def _covariance(objective: Callable, best: np.ndarray) -> np.ndarray:
    """Inverse of the Hessian at `best`: only to start from, so that a bound or a ridge need not be minded."""
    hessian = np.stack([objective(best + step)[1] - objective(best - step)[1] for step in 1e-5 * np.eye(len(best))])
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2e-5 / 2)
    return vectors / np.maximum(values, 1e-2) @ vectors.T


def _profile_interval(
    lowest: Callable, best: np.ndarray, limit: float, bounds: np.ndarray, slopes: np.ndarray, j: int
) -> tuple[float, float]:
    """Values of parameter j at which minus log-likelihood, minimised over the others, has risen to `limit`.

    lowest(bounds, start) -> that minimum; slopes: row j of the covariance, which predicts where the others go.
    """

    @cache  # brentq asks for the ends of its bracket again
    def excess(value: float) -> float:
        pinned = bounds.copy()
        pinned[j] = value
        return lowest(pinned, np.clip(best + (value - best[j]) * slopes / slopes[j], *pinned.T)) - limit

    def end(side: int) -> float:
        inner, step = float(best[j]), 2.5 * sqrt(slopes[j])
        while inner != bounds[j][side]:
            outer = float(np.clip(inner + (2 * side - 1) * step, *bounds[j]))
            if excess(outer) > 0:
                return scipy.optimize.brentq(excess, inner, outer, xtol=1e-3 * abs(outer - inner))
            inner, step = outer, 2 * step
        return inner

    return end(0), end(1)


def _lack_of_fit(data: Observations, log_likelihood_of_law: float, parameters: int) -> float:
    """p of the likelihood ratio against a free median for each fraction with an event (an infinite one elsewhere)."""
    levels = data.event_fractions
    if len(levels) <= parameters or data.event.sum() <= len(levels):
        return nan
    belongs = (data.fraction[:, None] == levels).astype(float)
    outside = np.where(belongs.any(axis=1), 0.0, inf)
    log_time = np.where(data.event, data.log_at, np.maximum(data.log_after, 0))
    start = [log_time[column].mean() for column in belongs.T.astype(bool)]
    bounds = np.array([*[BOUNDS[0]] * len(levels), np.log(SIGMA)])
    objective = _objective(data, lambda theta: (belongs @ theta + outside, belongs))
    _, loss = _minimise(objective, [np.append(start, log(0.3))], bounds)
    events, restrictions = int(data.event.sum()), len(levels) - parameters
    growth = np.expm1(2 * (-loss - log_likelihood_of_law) / events)  # of the residual sum of squares, without censoring
    freedom = events - len(levels)
    return float(scipy.stats.f.sf(growth * freedom / restrictions, restrictions, freedom))
