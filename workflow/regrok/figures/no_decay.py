"""Figure 2 of report 000: division modulo 97 under Adam without weight decay, with the loss in float32 and in float64.

In float32 the loss of an example that is fitted well is exactly 0, and so is its gradient; float64 is the control.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import format, reported, summary
from . import style

INPUTS = ("histories", "members", "designs")
TITLE = "Adam without weight decay"
REPORTS = "000-F2"
ALT = (
    "Four panels against the optimisation step on a logarithmic axis, for losses computed in float32 and in "
    "float64: training and validation accuracy of each, validation loss, and the share of training examples whose "
    "loss is exactly zero. Thin lines are members, the thick one is the median member."
)
PRECISIONS = ("float32", "float64")
DASHES = {"float32": "-", "float64": (0, (3, 1))}


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """Above: accuracies, a panel a precision; below: validation loss and share of losses that are exactly 0."""
    members = summary.studied(members, designs, "no_decay")
    histories = histories[histories["cell"].isin(members["cell"]) & (histories["step"] > 0)]
    if histories.empty:
        return style.notice("Division under Adam without weight decay has not been trained yet.", style.DOUBLE)
    figure = style.canvas(style.DOUBLE, 3.6)
    (*accuracies, loss, zero) = figure.subplots(2, 2).flat
    for ax, which, precision in zip(accuracies, "ab", PRECISIONS, strict=True):
        style.letter(ax, which, f"Accuracy, loss in {precision}")
        group = members[members["loss_precision"] == precision]
        own = histories[histories["cell"].isin(group["cell"])]
        if own.empty:
            style.say(ax, f"not trained yet with a {precision} loss")
            continue
        accuracy(ax, own, group)
        steps_axis(ax, histories["step"])
        ax.tick_params(labelbottom=False)
        color, seed = style.PRECISION_COLORS[precision], style.median_seed(group)
        style.trajectories(loss, own, seed, "val_loss", color, linestyle=DASHES[precision])
        style.trajectories(zero, own, seed, "zero_loss_share", color, linestyle=DASHES[precision])
    for ax in (loss, zero):
        steps_axis(ax, histories["step"])
        ax.set_xlabel("optimisation step")
    finish(loss, zero)
    return figure


def accuracy(ax: Axes, histories: pd.DataFrame, members: pd.DataFrame) -> None:
    seed = style.median_seed(members)
    for column, color in (("train_acc", style.TRAINING), ("val_acc", style.VALIDATION)):
        style.trajectories(ax, histories, seed, column, color)
    style.percent(ax.yaxis)
    ax.set_ylim(-0.03, 1.03)
    style.names(ax, {"training": style.TRAINING, "validation": style.VALIDATION})
    stated = reported.NO_DECAY
    ax.plot(stated["steps"], stated["val_acc"], "D", color=style.REPORTED, markersize=3.5, clip_on=False, zorder=4)
    note = f"reported: {format.percent(stated['val_acc'], 1)}"
    place = {"textcoords": "offset points", "ha": "right", "va": "bottom"}
    ax.annotate(note, (stated["steps"], stated["val_acc"]), (2, 5), color=style.REPORTED, fontsize=style.SMALL, **place)


def steps_axis(ax: Axes, steps: pd.Series) -> None:
    """As far as the report's run."""
    style.log_steps(ax.xaxis)
    ax.set_xlim(steps.min(), max(steps.max(), reported.NO_DECAY["steps"]) * 1.3)


def finish(loss: Axes, zero: Axes) -> None:
    style.letter(loss, "c", "Validation cross-entropy (nats)")
    style.letter(zero, "d", "Training examples whose loss is exactly 0")
    style.names(loss, style.PRECISION_COLORS, 0.97, 0.3)
    style.names(zero, style.PRECISION_COLORS)
    loss.set_ylim(0, 1.08 * loss.dataLim.ymax)
    style.percent(zero.yaxis)
    zero.set_ylim(-0.03, 1.03)
