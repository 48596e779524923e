"""Figure of report 003: losses of weights whose norm is held, against that norm: the L and the U of Liu et al. 2023."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ..analysis import summary
from . import curves, style

INPUTS = ("constrained_norm", "members", "designs")
TITLE = "Losses at constrained norms of the weights"
REPORTS = "003-F9"
LEAST = 1e-4  # nats; below it a loss is only of how long it has descended
ALT = (
    "A panel a training fraction: training loss, dashed, and validation loss, solid, after descent on the sphere, "
    "against the norm of the weights, both axes logarithmic; a vertical line is the norm at the end of training. "
    "Lines are members. Losses below a ten-thousandth of a nat lie below the panels."
)


@style.styled
def draw(constrained_norm: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """Of the architecture with most members."""
    members = summary.studied(members, designs, "landscape")
    found = constrained_norm.merge(members[["cell", "seed", "fraction", "architecture"]], on=["cell", "seed"])
    if found.empty:
        return style.notice("No losses at constrained norms have been measured yet.", style.DOUBLE)
    found = found[found["architecture"] == found["architecture"].mode().iloc[0]]
    fractions = sorted(found["fraction"].unique())
    figure = style.canvas(style.DOUBLE, 2.3)
    axes = figure.subplots(1, len(fractions), sharey=True, squeeze=False)[0]
    for ax, which, fraction in zip(axes, "abcdefgh", fractions, strict=False):
        style.letter(ax, which, f"Fraction {fraction:g}")
        panel(ax, found[found["fraction"] == fraction])
    losses = found[["train_loss", "val_loss"]].stack()
    axes[0].set_ylim(*style.around(losses[losses > LEAST].min(), losses.max()))
    axes[0].set_ylabel("loss, nats")
    axes[0].yaxis.set_major_locator(LogLocator(10, numticks=5))
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    lines = [Line2D([], [], color=color, linestyle=dash) for color, dash in curves.LINES.values()]
    figure.legend(lines, ["training", "validation"], loc="outside lower center", ncols=2)
    return figure


def panel(ax: Axes, found: pd.DataFrame) -> None:
    for _, own in found.groupby(["cell", "seed"]):
        for side, (color, dash) in curves.LINES.items():
            ax.plot(
                own["norm"], own[f"{side}_loss"], color=color, linestyle=dash, linewidth=0.9, marker="o", markersize=2
            )
    ax.axvline(found.loc[found["share"] == 1, "norm"].median(), color=style.MUTED, linewidth=0.7, linestyle=(0, (1, 1)))
    ax.set(xscale="log", yscale="log", xlabel="norm of the weights")
    ax.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5), numticks=6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
