"""The numbers that the chapter on report 002 cites, beside those of cells."""

from collections.abc import Mapping

import pandas as pd

from . import reported_002
from .entries import Entries, plain, steps

TABLES = ()
EXPECTED = {"simple_grokking": ["0.03", "5"]}


def key(study: str, cell: pd.Series) -> str:
    """The part of a cell's key that follows the study."""
    return f"{cell['weight_decay']:g}"


def build(tables: Mapping[str, pd.DataFrame]) -> Entries:
    """Entries under `reported_002`."""
    yield "reported_002.modulus", plain(reported_002.MODULUS)
    yield "reported_002.transformer_modulus", plain(reported_002.TRANSFORMER_MODULUS)
    yield "reported_002.hidden", plain(reported_002.HIDDEN)
    yield "reported_002.steps", steps(reported_002.STEPS)
    yield "reported_002.fraction", plain(reported_002.FRACTION)
    yield "reported_002.learning_rate", plain(reported_002.LEARNING_RATE)
    for name, value in reported_002.WEIGHT_DECAY.items():
        yield f"reported_002.weight_decay.{name}", plain(value)
