"""Figures of report 003: oscillations of losses and accuracies, and what the weights do at slingshots."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from ..analysis import summary
from . import curves, style

INPUTS = ("histories", "members", "designs", "slingshots", "step_signals")
TITLE = "Slingshots"
REPORTS = "003-F2, 003-F7, 003-C4, 003-C5"
ALT = (
    "A column a setting of weight decay, epsilon and precision of the loss at the most frequent decay of the second "
    "moment, of the member with the median steps to grokking among those whose steps were recorded. "
    "From above: accuracies, losses, the norm of the last layer, and the cosine distance of the "
    "weights from one step to the next, median and largest of short stretches, all against the optimisation step. "
    "Vertical lines mark the onsets of slingshots; a triangle marks t4."
)
HEIGHTS = (0.7, 0.8, 0.6, 0.8)
AXES = ("accuracy", "loss, nats", "last layer", "cosine dist.")


@style.styled
def draw(
    histories: pd.DataFrame,
    members: pd.DataFrame,
    designs: pd.DataFrame,
    slingshots: pd.DataFrame,
    step_signals: pd.DataFrame,
) -> Figure:
    """Of the architecture and decay of Adam's second moment with most members."""
    members = summary.studied(members, designs, "slingshots")
    members = members.merge(step_signals[["cell", "seed"]].drop_duplicates(), on=["cell", "seed"])
    if members.empty:
        return style.notice("No steps have been recorded for slingshots yet.", style.DOUBLE)
    for name in ("architecture", "beta2"):
        members = members[members[name] == members[name].mode().iloc[0]]
    cells = list(summary.by_cell(members.sort_values(["weight_decay", "epsilon", "loss_precision"])))
    figure = style.canvas(style.DOUBLE, 4.6)
    axes = figure.subplots(4, len(cells), sharex="col", sharey="row", squeeze=False, height_ratios=HEIGHTS)
    for column, (cell, own) in enumerate(cells):
        seed = style.median_seed(own)
        style.letter(axes[0, column], "abcdefgh"[column], title(cell))
        of = [table[(table["cell"] == cell["cell"]) & (table["seed"] == seed)] for table in (step_signals, slingshots)]
        member = own[own["seed"] == seed].iloc[0]
        history = curves.followed(histories, own[own["seed"] == seed])
        history = history[history["seed"] == seed]
        panels(axes[:, column], history, *of, member)
    for row in (1, 3):
        style.fit_log(axes[row])
    for ax, label in zip(axes[:, 0], AXES, strict=True):
        ax.set_ylabel(label)
    key(figure)
    figure.align_ylabels(axes[:, 0])
    return figure


def title(cell: pd.Series) -> str:
    told = "float64" if cell["loss_precision"] == "float64" else f"ε {style.scientific(cell['epsilon'])}"
    return f"decay {cell['weight_decay']:g}, {told}"


def panels(axes, history: pd.DataFrame, signals: pd.DataFrame, onsets: pd.DataFrame, member: pd.Series) -> None:
    accuracy, loss, norm, turning = axes
    for side, (color, dash) in curves.LINES.items():
        accuracy.plot(history["step"], history[f"{side}_acc"], color=color, linestyle=dash)
    loss.plot(history["step"], history["val_loss"], color=style.VALIDATION)
    loss.plot(signals["step"], signals["loss"], color=style.TRAINING, linewidth=0.8)
    norm.plot(signals["step"], signals["last_layer_norm"], color=style.INK, linewidth=1)
    turning.plot(signals["step"], signals["cosine_distance_max"], color=style.HIGHLIGHT, linewidth=0.6)
    turning.plot(signals["step"], signals["cosine_distance"], color=style.INK, linewidth=0.8)
    for ax in axes:
        for onset in onsets["onset"]:
            ax.axvline(onset, color=style.REPORTED, linewidth=0.5, alpha=0.7, zorder=0.5)
    if member["generalised"]:
        accuracy.plot([member["t4"]], [1.08], "v", color=style.VALIDATION, markersize=4, clip_on=False)
    finish(accuracy, loss, turning)


def finish(accuracy: Axes, loss: Axes, turning: Axes) -> None:
    style.percent(accuracy.yaxis, (0, 0.5, 1))
    accuracy.set_ylim(-0.05, 1.2)
    for ax in (loss, turning):
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(10, numticks=4))
        ax.yaxis.set_minor_formatter(NullFormatter())
    turning.set_xlabel("optimisation step")
    turning.xaxis.set_major_locator(MaxNLocator(3))
    turning.xaxis.set_major_formatter(lambda value, _: style.short(value))


def key(figure: Figure) -> None:
    lines = {
        "training": Line2D([], [], color=style.TRAINING, linestyle=curves.DASHED),
        "validation": Line2D([], [], color=style.VALIDATION),
        "median of a stretch": Line2D([], [], color=style.INK),
        "largest": Line2D([], [], color=style.HIGHLIGHT),
        "onset": Line2D([], [], color=style.REPORTED, linewidth=0.6),
        "t₄": Line2D([], [], color=style.VALIDATION, marker="v", linestyle="none", markersize=4),
    }
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=len(lines))
