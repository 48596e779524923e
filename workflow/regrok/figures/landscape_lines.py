"""Figure of report 003: loss and accuracy along the line from the weights of a step to those of the end of training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ..analysis import format, summary
from . import curves, style

INPUTS = ("landscape_line", "members", "designs")
TITLE = "Loss and accuracy on the way to the final weights"
REPORTS = "003-F5, 003-C9"
ALT = (
    "A row a training fraction, a column a step of training: losses above and accuracies below, on the training set "
    "dashed and on the validation set solid, along the straight line from the weights of that step, at 0, to the final "
    "ones, at 1. Thin lines are members, the thick one is that with the median steps to grokking."
)
COLUMNS = 4


@style.styled
def draw(landscape_line: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """The smallest and the largest fraction, and at most four steps that both have."""
    return grid(landscape_line, summary.studied(members, designs, "landscape"), "end")


def grid(landscape_line: pd.DataFrame, members: pd.DataFrame, target: str) -> Figure:
    """The lines towards one of the two targets."""
    lines = landscape_line[landscape_line["target"] == target].merge(
        members[["cell", "seed", "fraction", "architecture"]], on=["cell", "seed"]
    )
    if lines.empty:
        return style.notice("No line through weight space has been measured yet.", style.DOUBLE)
    lines = lines[lines["architecture"] == lines["architecture"].mode().iloc[0]]
    fractions = sorted({lines["fraction"].min(), lines["fraction"].max()})
    starts = sorted(set.intersection(*(set(lines.loc[lines["fraction"] == r, "start"]) for r in fractions)))[:COLUMNS]
    figure = style.canvas(style.DOUBLE, 0.5 + 1.9 * len(fractions))
    axes = figure.subplots(2 * len(fractions), len(starts), sharex=True, sharey="row", squeeze=False)
    for row, fraction in enumerate(fractions):
        for column, start in enumerate(starts):
            own = lines[(lines["fraction"] == fraction) & (lines["start"] == start)]
            loss, accuracy = axes[2 * row, column], axes[2 * row + 1, column]
            style.letter(loss, "abcdefgh"[row * len(starts) + column], f"r = {fraction:g}, step {format.steps(start)}")
            members_of = members[members["fraction"] == fraction]
            panel(loss, own, "loss", style.median_seed(members_of))
            panel(accuracy, own, "acc", style.median_seed(members_of))
        style.fit_log(axes[2 * row])
        axes[2 * row, 0].set_ylabel("loss, nats")
        axes[2 * row + 1, 0].set_ylabel("accuracy")
    for ax in axes[-1]:
        ax.set_xlabel("position α")
        ax.set_xticks([0, 1])
    return figure


def panel(ax: Axes, lines: pd.DataFrame, what: str, strong: int) -> None:
    for side, (color, dash) in curves.LINES.items():
        for seed, line in lines.groupby("seed"):
            look = {"linewidth": 1.5, "zorder": 3} if seed == strong else {"linewidth": 0.5, "alpha": 0.45}
            ax.plot(line["alpha"], line[f"{side}_{what}"], color=color, linestyle=dash, **look)
    for end in (0, 1):
        ax.axvline(end, color=style.MUTED, linewidth=0.5, linestyle=(0, (1, 1)))
    if what == "acc":
        style.percent(ax.yaxis, (0, 0.5, 1))
        ax.set_ylim(-0.06, 1.06)
        return
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(10, numticks=4))
    ax.yaxis.set_minor_formatter(NullFormatter())
