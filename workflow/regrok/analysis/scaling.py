"""Laws of steps to grokking against the training fraction, fitted to our members and to the report's own Table 2.

`ours`: every member of the study data_fraction is one observation, known up to an interval or censored. `reported`: the
four points of Table 2 that have a number, taken to the nearest step. `reported_censored`: with fraction 0.2 added as
one run that had not generalised by 500 000 steps. Few points fit many laws: AICc is inf where it does not apply.
"""

from functools import cache

import numpy as np
import pandas as pd

from . import reported, scaling_laws, survival
from .format import number
from .scaling_laws import Fit
from .summary import studied, table

INPUTS = ("members", "designs")
REPORTS = "000-C3"
COLUMNS = {
    "source": ("", "ours, reported, or reported_censored"),
    "law": ("", "exponential a exp(-b r), power a r^-b, power_offset c + a r^-b, or threshold a (r - rc)^-g"),
    "n": ("1", "observations"),
    "events": ("1", "observations that generalised"),
    "scale": ("steps", "a"),
    "scale_low": ("steps", "low end of its 95 % profile-likelihood interval"),
    "scale_high": ("steps", "high end"),
    "exponent": ("1", "b or g"),
    "exponent_low": ("1", "low end of its 95 % profile-likelihood interval"),
    "exponent_high": ("1", "high end"),
    "shift": ("steps or 1", "c in steps, or rc as a fraction; empty where the law has none"),
    "shift_low": ("steps or 1", "low end of its 95 % profile-likelihood interval; 0: no lower limit"),
    "shift_high": ("steps or 1", "high end"),
    "sigma": ("1", "standard deviation of log t about the law"),
    "log_likelihood": ("1", "maximum"),
    "aic": ("1", "Akaike's criterion"),
    "delta_aic": ("1", "AIC above that of the best law for this source"),
    "aicc": ("1", "AIC corrected for few observations; inf: too few"),
    "delta_aicc": ("1", "AICc above that of the best law for this source"),
    "lack_of_fit": ("1", "p of the likelihood ratio against one free median a fraction; empty without replicates"),
    "text": ("", "the fitted law as printed"),
    "reason": ("", "why there is no fit"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a (source, law)."""
    own = studied(members, designs, "data_fraction")
    ours = rows("ours", own["fraction"].to_numpy(float), *survival.intervals(own))
    return table([*ours, *_reported_rows()], COLUMNS)


@cache
def _reported_rows() -> list[dict]:
    return [
        *rows("reported", *reported_observations(censored=False)),
        *rows("reported_censored", *reported_observations(censored=True)),
    ]


def reported_observations(censored: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(fraction, after, at, event) of Table 2, numbers to half a step; `censored` keeps the fraction without one."""
    fraction = np.array(list(reported.DATA_FRACTION))
    steps = np.array([row["steps"] for row in reported.DATA_FRACTION.values()])
    event = np.isfinite(steps)
    after = np.where(event, steps - 0.5, reported.UNSUCCESSFUL_STEPS)
    at = np.where(event, steps + 0.5, np.inf)
    keep = event | censored
    return fraction[keep], after[keep], at[keep], event[keep]


def rows(source: str, *observations: np.ndarray) -> list[dict]:
    """A row a law fitted to (fraction, after, at, event), each (n,)."""
    fits = [scaling_laws.fit(law, *observations) for law in scaling_laws.LAWS]
    best, best_corrected = (_least([getattr(fit, key) for fit in fits]) for key in ("aic", "aicc"))
    return [
        {
            "source": source,
            "law": fit.law,
            "n": fit.n,
            "events": fit.events,
            **_parameters(fit),
            "sigma": fit.sigma,
            "log_likelihood": fit.log_likelihood,
            "aic": fit.aic,
            "delta_aic": fit.aic - best,
            "aicc": fit.aicc,
            "delta_aicc": fit.aicc - best_corrected,
            "lack_of_fit": fit.lack_of_fit,
            "text": _text(fit),
            "reason": fit.reason,
        }
        for fit in fits
    ]


def _least(values: list[float]) -> float:
    """The smallest finite value, nan without one."""
    return min((value for value in values if np.isfinite(value)), default=np.nan)


def _parameters(fit: Fit) -> dict[str, float]:
    columns = zip(("scale", "exponent", "shift"), fit.params, strict=False)
    return {
        column + suffix: values[name]
        for column, name in columns
        for suffix, values in (("", fit.params), ("_low", fit.low), ("_high", fit.high))
    }


def _text(fit: Fit) -> str:
    if fit.reason:
        return "–"
    scale, exponent, *shift = (number(value) for value in fit.params.values())
    return {
        "exponential": f"{scale} exp(−{exponent} r)",
        "power": f"{scale} r^−{exponent}",
        "power_offset": f"{shift and shift[0]} + {scale} r^−{exponent}",
        "threshold": f"{scale} (r − {shift and shift[0]})^−{exponent}",
    }[fit.law]
