"""Hjorth parameters of the oscillations of the first training losses: report 003's spectral energy and its moments.

The paper (Notsawo et al. 2023, section 3) removes the part that does not oscillate by a filter of which it states
nothing. Ours is declared: a Savitzky-Golay fit of `order` over `filter` steps is subtracted. The first value is the
loss before any step; the fit follows its first fall only in part, so the second half of a window is looked at on its
own as well. Activity is the variance of what remains, the area under its power spectrum; mobility and complexity are
ratios of its first and second differences (Hjorth, Electroencephalography and Clinical Neurophysiology 29:306, 1970).
"""

import numpy as np
import pandas as pd
import scipy

from .member import Member

SETTINGS = {"windows": [100, 200, 400, 1000, 2000], "filter": 51, "order": 3}
COLUMNS = {
    "window": ("steps", "number of training losses, from the first on"),
    "activity": ("nats²", "variance of the loss less its trend"),
    "mobility": ("1", "standard deviation of its first differences over its own"),
    "complexity": ("1", "mobility of its first differences over its own"),
    "log_activity": ("1", "variance of the natural logarithm of the loss less its trend"),
    "late_activity": ("nats²", "variance of the loss less its trend in the second half of the window"),
    "raw_activity": ("nats²", "variance of the loss, trend included"),
    "loss": ("nats", "median of the last ten losses of the window"),
    "weight_norm": ("1", "norm of all weights at the last evaluation in the window"),
}


def measure(member: Member, windows: list[int], filter: int, order: int) -> pd.DataFrame:
    """A row a window that the member's losses fill; a loss that is not finite leaves all but the window undefined."""
    losses, history = member.step_losses().astype(float), member.history()
    rows = []
    for window in windows:
        if len(losses) >= max(window, filter):
            before = history["step"] <= window
            norm = float(history["weight_norm"][before][-1])
            rows.append({"window": window, "weight_norm": norm} | parameters(losses[:window], filter, order))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def parameters(losses: np.ndarray, filter: int, order: int) -> dict[str, float]:
    """The columns from activity to loss; losses: float (n,), n >= filter."""
    if not np.isfinite(losses).all():
        return {}
    tiny = np.finfo(np.float32).tiny
    rest, logs = (detrended(series, filter, order) for series in (losses, np.log(np.maximum(losses, tiny))))
    activity, mobility, complexity = hjorth(rest)
    return {
        "activity": activity,
        "mobility": mobility,
        "complexity": complexity,
        "log_activity": float(logs.var()),
        "late_activity": float(rest[len(rest) // 2 :].var()),
        "raw_activity": float(losses.var()),
        "loss": float(np.median(losses[-10:])),
    }


def detrended(series: np.ndarray, filter: int, order: int) -> np.ndarray:
    """A series, float (n,), less its Savitzky-Golay fit."""
    return series - scipy.signal.savgol_filter(series, filter, order)


def hjorth(series: np.ndarray) -> tuple[float, float, float]:
    """(activity, mobility, complexity) of a series, float (n,); the last two are nan where it does not move."""
    first = np.diff(series)
    second = np.diff(first)
    power, slope, bend = (float(part.var()) for part in (series, first, second))
    if not power or not slope:
        return power, np.nan, np.nan
    mobility = (slope / power) ** 0.5
    return power, mobility, (bend / slope) ** 0.5 / mobility
