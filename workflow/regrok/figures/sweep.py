"""What figures of sweeps over learning rate and weight decay share: a heat map an optimiser."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from . import style

LEAST_MEMORISED = 0.5  # share of the members below which a field is hatched


def draw(points: pd.DataFrame, best: pd.DataFrame, optimizers: tuple[str, ...]) -> Figure:
    """A panel an optimiser; every panel has its own learning rates and weight decays.

    points, best: the rows of one study in the tables optimizer_sweep and optimizer_best.
    """
    if points.empty:
        return style.notice("The optimisers have not been swept over learning rate and weight decay yet.", style.DOUBLE)
    figure = style.canvas(style.DOUBLE, 2.75)
    axes = figure.subplots(1, len(optimizers))
    for ax, which, optimizer in zip(axes, "abc", optimizers, strict=True):
        style.letter(ax, which, style.OPTIMIZER_NAMES[optimizer])
        own = points[points["optimizer"] == optimizer]
        if own.empty:
            style.say(ax, "not swept yet")
            continue
        heat_map(ax, own)
        outline(ax, own, best[best["optimizer"] == optimizer])
        ax.set(xlabel="weight decay", ylabel="learning rate" if which == "a" else "")
    scale = ScalarMappable(Normalize(0, 1), style.sequential())
    bar = figure.colorbar(scale, ax=axes, pad=0.02, aspect=18, shrink=0.9)
    style.percent(bar.ax.yaxis)
    bar.set_label("members that generalise")
    bar.outline.set_visible(False)
    notes = ["outlined: chosen by one half of the seeds"]
    if (points["share_memorised"] < LEAST_MEMORISED).any():
        notes.append("hatched: fewer than half of the members memorise")
    figure.supxlabel("; ".join(notes), fontsize=style.SMALL, color=style.MUTED)
    return figure


def heat_map(ax: Axes, points: pd.DataFrame) -> None:
    rates, decays = np.sort(points["learning_rate"].unique()), np.sort(points["weight_decay"].unique())
    for point in points.itertuples():
        row, column = rates.searchsorted(point.learning_rate), decays.searchsorted(point.weight_decay)
        field(ax, column, row, point)
    ax.set_xticks(range(len(decays)), [style.scientific(decay) for decay in decays])
    ax.set_yticks(range(len(rates)), [style.scientific(rate) for rate in rates])
    ax.set(xlim=(-0.5, len(decays) - 0.5), ylim=(-0.5, len(rates) - 0.5))
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)


def field(ax: Axes, column: int, row: int, point) -> None:
    """Shade: share that generalises; above, the median steps; below, what else there is to know."""
    shade = style.sequential()(point.share_generalised)
    hatch = "" if point.share_memorised >= LEAST_MEMORISED else "////"
    box = {"facecolor": shade, "edgecolor": "#b5b5b5" if hatch else "white", "hatch": hatch, "hatch_linewidth": 0.4}
    ax.add_patch(Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, linewidth=0, **box))
    color = "white" if point.share_generalised > 0.55 else style.INK
    median = style.short(point.median) if np.isfinite(point.median) else f"> {style.short(point.budget)}"
    text = {
        "ha": "center",
        "va": "center",
        "color": color,
        "bbox": {"facecolor": shade, "edgecolor": "none", "pad": 0.6},
    }
    ax.text(column, row + 0.16, median, fontweight="bold" if np.isfinite(point.median) else "normal", **text)
    diverged = f", {point.diverged} div." if point.diverged else ""
    ax.text(column, row - 0.2, f"{point.events:g}/{point.n:g}{diverged}", fontsize=style.SMALL, **text)


def outline(ax: Axes, points: pd.DataFrame, best: pd.DataFrame) -> None:
    """The points that the even and the odd seeds chose."""
    rates, decays = np.sort(points["learning_rate"].unique()), np.sort(points["weight_decay"].unique())
    for choice in best.itertuples():
        halves = {
            (choice.learning_rate_even, choice.weight_decay_even),
            (choice.learning_rate_odd, choice.weight_decay_odd),
        }
        for rate, decay in sorted(half for half in halves if not np.isnan(half[0])):
            corner = (decays.searchsorted(decay) - 0.45, rates.searchsorted(rate) - 0.45)
            ax.add_patch(Rectangle(corner, 0.9, 0.9, fill=False, edgecolor=style.HIGHLIGHT, linewidth=1.5))
