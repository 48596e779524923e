"""Numbers as the paper prints them. Thousands are set apart by a narrow no-break space, units by a no-break space."""

from collections.abc import Callable
from math import floor, isinf, isnan, log10

from .survival import Median

THIN = "\u202f"  # narrow no-break space
FIXED = "\u00a0"  # no-break space
NOTHING = "–"  # no value


def steps(value: float) -> str:
    """12350.0 -> "12 350"; inf -> "∞"; nan or None -> "–"."""
    if value is None or isnan(value):
        return NOTHING
    return "∞" if isinf(value) else f"{round(value):,}".replace(",", THIN)


def number(value: float, digits: int = 3) -> str:
    """To `digits` significant digits, without exponent: 0.012345 -> "0.0123", 95420.0 -> "95 400"."""
    if value is None or isnan(value):
        return NOTHING
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    decimals = digits - 1 - floor(log10(abs(value))) if value else 0
    return f"{round(value, decimals):,.{max(decimals, 0)}f}".replace(",", THIN).replace("-", "−")


def percent(share: float, decimals: int = 0) -> str:
    """0.25 -> "25 %"."""
    return NOTHING if share is None or isnan(share) else f"{100 * share:.{decimals}f}{FIXED}%"


def p_value(p: float) -> str:
    """0.0312 -> "0.031", 0.0002 -> "< 0.001"."""
    if p is None or isnan(p):
        return NOTHING
    return f"<{FIXED}0.001" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def ratio(value: float, low: float, high: float, bound: str) -> str:
    """ "7.7× [6.1, 9.9]", "> 7.1× [5.2, ∞]"; the interval only where there is one."""
    if value is None or isnan(value):
        return NOTHING
    text = f"{bound}{FIXED}{_factor(value)}×" if bound else f"{_factor(value)}×"
    return text if isnan(low) else f"{text} [{_factor(low)},{FIXED}{_factor(high)}]"


def _factor(value: float) -> str:
    return steps(value) if value >= 100 or value in (0, 1) else number(value, 2) if value < 1 else f"{value:.1f}"


def median(median: Median, budget: float, show: Callable[[float], str] = steps) -> str:
    """Median steps with interval, or what can be said instead; `budget` is how far the members were followed at most,
    and `show` how a time is printed.

    "2 950 [2 400, 3 800]"; "7 200 [4 100, > 100 000]"; below six members range and n, "2 950 (2 400 to 3 800, n = 3)";
    "not reached (2 of 10 by 100 000)"; "–" without members.
    """
    if median.n == 0:
        return NOTHING
    if isinf(median.value):
        return f"not reached ({median.events} of {median.n} by {show(budget)})"
    value = show(median.value)
    if not isnan(median.low):
        return f"{value} [{show(median.low)},{FIXED}{_upper(median.high, budget, show)}]"
    size = f"n{FIXED}={FIXED}{median.n}"
    if median.n == 1:
        return f"{value} ({size})"
    return f"{value} ({show(median.least)} to {_upper(median.most, budget, show)}, {size})"


def _upper(value: float, budget: float, show: Callable[[float], str]) -> str:
    return f">{FIXED}{show(budget)}" if isinf(value) else show(value)
