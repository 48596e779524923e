"""The numbers that the chapter on report 002 cites, beside those of cells."""

from collections.abc import Mapping

import pandas as pd

from . import reported_002
from .entries import Entries, missing, number, percent, plain, steps

TABLES = ("embedding_members",)
EXPECTED = {"simple_grokking": ["0.03", "5"], "representation": [], "perceptron_width": []}


def key(study: str, cell: pd.Series) -> str:
    """The part of a cell's key that follows the study."""
    if study == "simple_grokking":
        return f"{cell['weight_decay']:g}"
    return f"{cell['architecture']}.{cell['embedding' if study == 'perceptron_width' else 'width']:g}"


def build(tables: Mapping[str, pd.DataFrame]) -> Entries:
    """Entries under `reported_002` and `embedding`, the latter of the Transformers that generalise."""
    yield "reported_002.modulus", plain(reported_002.MODULUS)
    yield "reported_002.transformer_modulus", plain(reported_002.TRANSFORMER_MODULUS)
    yield "reported_002.hidden", plain(reported_002.HIDDEN)
    yield "reported_002.steps", steps(reported_002.STEPS)
    yield "reported_002.fraction", plain(reported_002.FRACTION)
    yield "reported_002.learning_rate", plain(reported_002.LEARNING_RATE)
    for name, value in reported_002.WEIGHT_DECAY.items():
        yield f"reported_002.weight_decay.{name}", plain(value)
    found = tables["embedding_members"]
    own = found[(found["architecture"] == "transformer") & found["generalised"].astype(bool)]
    for name in ("last_order", "initial_order", "null_order", "initial_disparity", "null_disparity", "participation"):
        yield f"embedding.{name}", number(own[name].median(), len(own)) if len(own) else missing()
    for name in ("initial_structure", "null_structure", "last_structure"):
        yield f"embedding.{name}", percent(own[name].median(), n=len(own)) if len(own) else missing()
    yield "embedding.half_step", steps(own["half_step"].median(), len(own)) if len(own) else missing()
    yield "embedding.t4", steps(own["t4"].median(), len(own)) if len(own) else missing()
