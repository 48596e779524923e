"""Slingshots (Thilak et al. 2022): the norm of the last layer grows, the loss leaps up, and the norm comes to rest.

An onset is the first step whose loss is at least `jump` times the median of the `window` losses before it, or times
`floor` where that is larger (losses of a network that is certain are rounding, and zero is ten times zero), if from
`window` steps before the onset to within `window` after it the norm of the last layer's weights grows by a share of
`growth`. A slingshot lasts until the loss has stayed below that for `window` steps. The source describes the two signs
without numbers. These were set before the runs, but for `floor`, which came with a review of the code; growth was at
first sought after the onset alone, until pilots showed it where the source has it.
"""

import numpy as np
import pandas as pd

from .member import Member

NEEDS = ("signals",)
SETTINGS = {"jump": 10.0, "window": 100, "growth": 0.005, "floor": 1e-6}
COLUMNS = {
    "onset": ("steps", "first step of the slingshot"),
    "end": ("steps", "last step at which the loss is raised"),
    "loss_before": ("nats", "median training loss of the window before"),
    "peak_loss": ("nats", "largest training loss"),
    "norm_before": ("1", "norm of the last layer a window before the onset"),
    "norm_after": ("1", "largest norm of the last layer in the window after the onset"),
}


def measure(member: Member, jump: float, window: int, growth: float, floor: float) -> pd.DataFrame:
    """A row a slingshot."""
    signals = member.signals()
    rows = detect(signals["step"], signals["loss"], signals["last_layer_norm"], jump, window, growth, floor)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def detect(
    steps: np.ndarray, losses: np.ndarray, norms: np.ndarray, jump: float, window: int, growth: float, floor: float
) -> list[dict[str, float]]:
    """The rows of `COLUMNS`, in order of onset; steps, losses, norms: (n,), of one step after the other."""
    raised = spikes(losses, jump, window, floor)
    found = []
    for first, last in episodes(raised, window):
        before, after = norms[first - window], np.max(norms[first : first + window], initial=-np.inf)
        if after >= (1 + growth) * before:
            found.append(
                {
                    "onset": int(steps[first]),
                    "end": int(steps[last]),
                    "loss_before": float(np.median(losses[first - window : first])),
                    "peak_loss": float(losses[first : last + 1].max()),
                    "norm_before": float(before),
                    "norm_after": float(after),
                }
            )
    return found


def spikes(losses: np.ndarray, jump: float, window: int, floor: float) -> np.ndarray:
    """Whether each loss is at least `jump` times the median of the `window` before it and times `floor`, bool (n,);
    False before that."""
    raised = np.zeros(len(losses), dtype=bool)
    if len(losses) > window:
        before = np.median(np.lib.stride_tricks.sliding_window_view(losses[:-1], window), axis=1)
        raised[window:] = losses[window:] >= jump * np.maximum(before, floor)
    return raised & np.isfinite(losses)


def episodes(raised: np.ndarray, gap: int) -> list[tuple[int, int]]:
    """(first, last) index of each run of True that False interrupts for less than `gap`."""
    found: list[tuple[int, int]] = []
    for index in map(int, np.flatnonzero(raised)):
        if found and index - found[-1][1] < gap:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found
