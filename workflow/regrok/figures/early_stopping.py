"""What early stopping would have cost: members that a patience rule cuts before they generalise."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from . import style

INPUTS = ("early_stopping",)
TITLE = "Early stopping cuts runs that would generalise"
REPORTS = "000-C13"
ALT = (
    "Share of the generalising members that early stopping ends before they generalise, against the patience in "
    "steps on a logarithmic axis, for a rule that watches the validation loss and one that watches the validation "
    "accuracy, with 95 % intervals."
)
RULES = {
    "val_loss": ("validation loss", "#d55e00", "o", 1.0),
    "val_acc": ("validation accuracy", style.VALIDATION, "s", 1.06),
}


@style.styled
def draw(early_stopping: pd.DataFrame) -> Figure:
    """A line a rule; the second is shifted sideways by 6 % so that intervals do not cover one another."""
    rows = early_stopping[early_stopping["n"] > 0]
    if rows.empty:
        return style.notice("No member has generalised, so there was none for early stopping to cut.")
    figure = style.canvas(style.SINGLE, 2.4)
    ax = figure.subplots()
    for rule, (name, color, marker, shift) in RULES.items():
        own = rows[rows["rule"] == rule].sort_values("patience")
        x = own["patience"] * shift
        ax.vlines(x, own["low"], own["high"], color=color, linewidth=0.9)
        ax.plot(x, own["share"], marker + "-", color=color, label=name)
    ax.set_xscale("log")
    patiences = np.sort(rows["patience"].unique())
    ax.set_xticks(patiences, [style.short(patience) for patience in patiences])
    ax.xaxis.set_minor_locator(NullLocator())
    style.percent(ax.yaxis)
    ax.set_ylim(-0.03, 1.05)
    ax.set(xlabel="patience of early stopping (steps)", ylabel=f"members cut before t₄ (n = {rows['n'].max()})")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2, borderaxespad=0.1, columnspacing=1.2)
    return figure
