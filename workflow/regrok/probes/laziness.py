"""How far weights turn in a step: the cosine distance between successive weights, in slingshots and outside them.

Steps up to `skip` are left out, in which everything moves. A slingshot counts from its onset to its end. Distances are
accumulated in double precision while the network trains: in single precision they are noise.
"""

import numpy as np
import pandas as pd

from . import slingshots
from .member import Member

NEEDS = ("signals",)
SETTINGS = {"skip": 200, "jump": 10.0, "window": 100, "growth": 0.005, "floor": 1e-6}
COLUMNS = {
    "calm_steps": ("1", "steps outside slingshots"),
    "calm_low": ("1", "10 % quantile of their cosine distances"),
    "calm": ("1", "median of their cosine distances"),
    "calm_high": ("1", "90 % quantile of their cosine distances"),
    "slingshot_steps": ("1", "steps in slingshots"),
    "slingshot": ("1", "median of their cosine distances"),
    "turned": ("1", "share of the sum of all cosine distances that falls into slingshots"),
}


def measure(member: Member, skip: int, jump: float, window: int, growth: float, floor: float) -> pd.DataFrame:
    """One row."""
    signals = member.signals()
    found = slingshots.detect(signals["step"], signals["loss"], signals["last_layer_norm"], jump, window, growth, floor)
    return pd.DataFrame([summary(signals["step"], signals["cosine_distance"], found, skip)], columns=list(COLUMNS))


def summary(steps: np.ndarray, distances: np.ndarray, found: list[dict[str, float]], skip: int) -> dict[str, float]:
    """The columns; steps, distances: (n,); found: slingshots with onset and end."""
    inside = np.zeros(len(steps), dtype=bool)
    for one in found:
        inside |= (steps >= one["onset"]) & (steps <= one["end"])
    kept = (steps > skip) & np.isfinite(distances)
    calm, turning = distances[kept & ~inside], distances[kept & inside]
    row = {"calm_steps": len(calm), "slingshot_steps": len(turning)}
    if len(calm):
        row |= dict(zip(("calm_low", "calm", "calm_high"), map(float, np.quantile(calm, [0.1, 0.5, 0.9])), strict=True))
    if len(turning):
        row |= {"slingshot": float(np.median(turning))}
    if len(calm) + len(turning):
        row |= {"turned": float(turning.sum() / max(calm.sum() + turning.sum(), 1e-300))}
    return row
