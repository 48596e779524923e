"""How well each quantity known after the first losses ranks the members of a training fraction by what becomes of them.

AUROC: probability that a member that generalises by the horizon has a higher value than one that does not; below one
half a lower value goes with generalising. Undefined where all or none generalise. Spearman: rank correlation with the
validation accuracy at the horizon. Intervals are percentile bootstraps at 95 % that draw cells and seeds. `pooled` puts
all fractions together, as a scatter plot over all of them does: part of what it shows is that more data help.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from . import discrimination
from .prediction import usable
from .summary import table

INPUTS = ("prediction",)
REPORTS = "003-F4, 003-C3, 003-C10"
PREDICTORS = {
    "activity": "spectral energy (activity)",
    "mobility": "mobility",
    "complexity": "complexity",
    "log_activity": "energy of the log loss",
    "late_activity": "energy of the second half",
    "raw_activity": "variance of the loss",
    "loss": "training loss",
    "weight_norm": "weight norm",
    "learning_rate": "learning rate",
    "weight_decay": "weight decay",
    "shrinkage": "learning rate times weight decay",
}
COLUMNS = {
    "architecture": ("", "model"),
    "window": ("steps", "training losses that were looked at"),
    "fraction": ("", "training fraction, or 'pooled'"),
    "population": ("", "'all' members, or those 'at risk': not yet generalised when the window ends"),
    "predictor": ("", "what members are ranked by"),
    "n": ("1", "members"),
    "cells": ("1", "cells"),
    "generalised": ("1", "members that generalise by the horizon"),
    "auroc": ("1", "probability of a higher value among those that generalise"),
    "auroc_low": ("1", "low end of its 95 % interval"),
    "auroc_high": ("1", "high end"),
    "spearman": ("1", "rank correlation with the validation accuracy at the horizon"),
    "spearman_low": ("1", "low end of its 95 % interval"),
    "spearman_high": ("1", "high end"),
}
MAIN = 400  # steps: the report's window, at which every predictor is looked at; at the others the activity alone
LEAST_CELLS = 6  # for an interval


def build(prediction: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, window, fraction, population, predictor)."""
    rows = []
    for (name, window), own in prediction.groupby(["architecture", "window"]):
        known = usable(own, window)
        known["shrinkage"] = known["learning_rate"] * known["weight_decay"]
        for fraction, group in by_fraction(known):
            for population, members in {"all": group, "at risk": group[group["at_risk"].astype(bool)]}.items():
                key = {"architecture": name, "window": window, "fraction": fraction, "population": population}
                for predictor in PREDICTORS if window == MAIN else ("activity",):
                    rows.append(key | {"predictor": predictor} | skill(members, predictor))
    return table(rows, COLUMNS)


def by_fraction(members: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    yield from ((f"{fraction:g}", group) for fraction, group in members.groupby("fraction"))
    if members["fraction"].nunique() > 1:
        yield "pooled", members


def skill(members: pd.DataFrame, predictor: str) -> dict:
    """The columns from n on."""
    positive = members["generalised"].to_numpy(bool)
    found = {"n": len(members), "cells": members["cell"].nunique(), "generalised": int(positive.sum())}
    score = members[predictor].to_numpy(float)
    if not len(members) or np.isnan(score).any():
        return found
    draws = discrimination.draws_of_members(members, np.random.default_rng(0))
    measures = {
        "auroc": lambda weights=None: discrimination.auroc(score, positive, weights),
        "spearman": lambda weights=None: discrimination.spearman(score, members["val_acc"].to_numpy(float), weights),
    }
    for name, measured in measures.items():
        found[name] = measured()[0]
        if np.isfinite(found[name]) and found["cells"] >= LEAST_CELLS:
            found[f"{name}_low"], found[f"{name}_high"] = discrimination.interval(measured(draws))
    return found
