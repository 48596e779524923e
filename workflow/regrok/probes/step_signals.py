"""Signals of every step, thinned for figures: of each stretch of steps the extremes, so that no spike is lost."""

import numpy as np
import pandas as pd

from .member import Member

NEEDS = ("signals",)
SETTINGS = {"every": 20}
COLUMNS = {
    "step": ("steps", "last step of the stretch"),
    "loss": ("nats", "largest training loss"),
    "grad_norm": ("1", "largest norm of the gradient"),
    "update_norm": ("1", "longest step"),
    "cosine_distance": ("1", "median of 1 - cos between successive weights"),
    "cosine_distance_max": ("1", "largest of them"),
    "last_layer_norm": ("1", "norm of the last layer's weights at its end"),
}


def measure(member: Member, every: int) -> pd.DataFrame:
    """A row a stretch of `every` steps; a last one that is not full is left out."""
    signals = member.signals()
    full = len(signals["step"]) // every * every
    cut = {name: column[:full].reshape(-1, every) for name, column in signals.items()}
    return pd.DataFrame(
        {
            "step": cut["step"][:, -1],
            "loss": cut["loss"].max(axis=1),
            "grad_norm": cut["grad_norm"].max(axis=1),
            "update_norm": cut["update_norm"].max(axis=1),
            "cosine_distance": np.median(cut["cosine_distance"], axis=1),
            "cosine_distance_max": cut["cosine_distance"].max(axis=1),
            "last_layer_norm": cut["last_layer_norm"][:, -1],
        }
    )
