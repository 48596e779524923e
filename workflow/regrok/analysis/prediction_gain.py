"""What the spectral measures add to what is known without them, judged on cells that were left out.

Two ridge-penalised logistic regressions predict whether a member that has not yet generalised after the report's window
will by the horizon. The first knows what is trivial: learning rate and weight decay (logarithms, their squares and
product), the training loss and the weight norm at the end of the window. The second knows activity, mobility and
complexity as well. Each cell is predicted by a regression on all other cells of its fraction. The gain is by how much
the second lowers the mean log loss; its interval is a bootstrap at 95 % that draws cells and seeds.
"""

import numpy as np
import pandas as pd

from . import discrimination
from .prediction import usable
from .prediction_skill import LEAST_CELLS, MAIN
from .summary import table

INPUTS = ("prediction",)
REPORTS = "003-C3"
COLUMNS = {
    "architecture": ("", "model"),
    "fraction": ("", "training fraction, or 'all': their predictions together, each made within its fraction"),
    "n": ("1", "members at risk"),
    "cells": ("1", "cells"),
    "generalised": ("1", "members that generalise by the horizon"),
    "baseline_loss": ("nats", "mean log loss of the regression on what is trivial"),
    "spectral_loss": ("nats", "the same with the spectral measures"),
    "gain": ("nats", "baseline_loss - spectral_loss"),
    "gain_low": ("nats", "low end of its 95 % interval"),
    "gain_high": ("nats", "high end"),
    "baseline_auroc": ("1", "of the first regression's predictions"),
    "spectral_auroc": ("1", "of the second's"),
}


def build(prediction: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, fraction) at which some but not all members at risk generalise, in several cells."""
    rows = []
    known = usable(prediction, MAIN)
    known = known[known["at_risk"].astype(bool)]
    for name, own in known.groupby("architecture"):
        judged = [_predicted(group) for _, group in own.groupby("fraction") if _mixed(group)]
        rows += [{"architecture": name, "fraction": f"{one['fraction'].iloc[0]:g}"} | _gain(one) for one in judged]
        if len(judged) > 1:
            rows.append({"architecture": name, "fraction": "all"} | _gain(pd.concat(judged)))
    return table(rows, COLUMNS)


def _mixed(members: pd.DataFrame) -> bool:
    by_cell = members.groupby("cell")["generalised"]
    return by_cell.ngroups >= LEAST_CELLS and by_cell.any().sum() >= 2 and (~by_cell.all()).sum() >= 2


def _predicted(members: pd.DataFrame) -> pd.DataFrame:
    """With the probabilities `baseline` and `spectral`, each from the other cells."""
    rate, decay = (np.log10(members[name].to_numpy(float)) for name in ("learning_rate", "weight_decay"))
    trivial = np.column_stack([rate, decay, rate**2, decay**2, rate * decay, members[["loss", "weight_norm"]]])
    spectral = np.column_stack([trivial, members[["activity", "mobility", "complexity"]]])
    positive, cells = members["generalised"].to_numpy(bool), members["cell"].to_numpy(str)
    return members.assign(
        baseline=discrimination.held_out(trivial, positive, cells),
        spectral=discrimination.held_out(spectral, positive, cells),
    )


def _gain(members: pd.DataFrame) -> dict:
    positive = members["generalised"].to_numpy(bool)
    losses = {name: discrimination.log_loss(members[name].to_numpy(), positive) for name in ("baseline", "spectral")}
    saved = losses["baseline"] - losses["spectral"]
    draws = discrimination.draws_of_members(members, np.random.default_rng(0))
    low, high = discrimination.interval(draws @ saved / draws.sum(axis=1))
    return {
        "n": len(members),
        "cells": members["cell"].nunique(),
        "generalised": int(positive.sum()),
        **{f"{name}_loss": loss.mean() for name, loss in losses.items()},
        "gain": saved.mean(),
        "gain_low": low,
        "gain_high": high,
        **{
            f"{name}_auroc": discrimination.auroc(members[name].to_numpy(), positive)[0]
            for name in ("baseline", "spectral")
        },
    }
