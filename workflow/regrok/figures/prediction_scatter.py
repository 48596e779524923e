"""Figure of report 003: early spectral energy against the accuracy at the horizon, and how well each predictor
ranks."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis.prediction_skill import MAIN, PREDICTORS
from . import style

INPUTS = ("prediction", "prediction_skill")
TITLE = "Does early oscillation predict generalisation?"
REPORTS = "003-F4, 003-C3"
ALT = (
    "Above, a panel a training fraction: validation accuracy at the horizon against the spectral energy of the first "
    "400 training losses on a logarithmic axis, a point a member, those that had generalised by then open, with AUROC "
    "and rank correlation. Below, the AUROC of every predictor with its interval, for each fraction, against one half."
)


@style.styled
def draw(prediction: pd.DataFrame, prediction_skill: pd.DataFrame) -> Figure:
    """Of the architecture with most cells."""
    own = prediction[(prediction["window"] == MAIN) & prediction["activity"].notna()]
    if own.empty:
        return style.notice("No grid has been followed through the first 400 losses yet.", style.DOUBLE)
    name = own["architecture"].mode().iloc[0]
    own = own[own["architecture"] == name]
    skill = prediction_skill[(prediction_skill["architecture"] == name) & (prediction_skill["window"] == MAIN)]
    skill = skill[skill["population"] == "at risk"]
    fractions = sorted(own["fraction"].unique())
    figure = style.canvas(style.DOUBLE, 4.3)
    grid = figure.add_gridspec(2, len(fractions), height_ratios=[1, 1.25])
    first = None
    for column, fraction in enumerate(fractions):
        ax = figure.add_subplot(grid[0, column], sharex=first, sharey=first)
        first = first or ax
        style.letter(ax, "abcdefgh"[column], f"Fraction {fraction:g}")
        scatter(ax, own[own["fraction"] == fraction], skill[skill["fraction"] == f"{fraction:g}"])
        if column:
            ax.tick_params(labelleft=False)
        else:
            ax.set_ylabel("validation accuracy")
    style.percent(first.yaxis, (0, 0.5, 1))
    below = figure.add_subplot(grid[1, :])
    style.letter(below, "abcdefghi"[len(fractions)], "AUROC of each predictor, members at risk")
    forest(below, skill[skill["fraction"] != "pooled"], fractions)
    return figure


def scatter(ax: Axes, members: pd.DataFrame, skill: pd.DataFrame) -> None:
    risk = members["at_risk"].astype(bool)
    look = {"linestyle": "none", "markersize": 3.2, "alpha": 0.7}
    for part, face in ((members[risk], style.VALIDATION), (members[~risk], "white")):
        ax.plot(
            np.maximum(part["activity"], 1e-30),
            part["val_acc"],
            "o",
            color=style.VALIDATION,
            markerfacecolor=face,
            **look,
        )
    ax.set_xscale("log")
    ax.set(xlabel="energy, nats²", ylim=(-0.06, 1.42))
    row = skill[skill["predictor"] == "activity"]
    auroc, rank = (row[name].iloc[0] if len(row) else np.nan for name in ("auroc", "spearman"))
    told = [f"AUROC {auroc:.2f}" if np.isfinite(auroc) else "AUROC undefined"]
    told.append(f"Spearman {rank:.2f}".replace("-", "−") if np.isfinite(rank) else "Spearman undefined")
    place = {"xycoords": "axes fraction", "ha": "right", "va": "top", "fontsize": style.SMALL, "color": style.MUTED}
    ax.annotate("\n".join(told), (0.98, 0.99), **place)


def forest(ax: Axes, skill: pd.DataFrame, fractions: list[float]) -> None:
    import seaborn as sns

    shades = sns.color_palette("crest", len(fractions)).as_hex()
    drawn = False
    for index, (fraction, color) in enumerate(zip(fractions, shades, strict=True)):
        own = skill[(skill["fraction"] == f"{fraction:g}") & skill["auroc"].notna()].set_index("predictor")
        if own.empty:
            continue
        y = np.array([list(PREDICTORS).index(name) for name in own.index]) + 0.16 * (index - (len(fractions) - 1) / 2)
        ax.hlines(y, own["auroc_low"].fillna(own["auroc"]), own["auroc_high"].fillna(own["auroc"]), color=color)
        ax.plot(own["auroc"], y, "o", color=color, markersize=3.4, label=f"fraction {fraction:g}")
        drawn = True
    if not drawn:
        return style.say(ax, "At no fraction do some of the members at risk generalise and others not.")
    ax.axvline(0.5, color=style.INK, linewidth=0.7)
    ax.set_yticks(range(len(PREDICTORS)), PREDICTORS.values())
    ax.set(xlabel="AUROC (below one half: lower values go with generalising)", xlim=(-0.02, 1.02))
    ax.invert_yaxis()
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
