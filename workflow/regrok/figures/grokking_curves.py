"""Figure 1 of report 000: division modulo 97 at fraction 0.5 under AdamW, every member, with its events."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import format, reported, summary, survival
from . import style

INPUTS = ("histories", "members", "designs")
TITLE = "Grokking on modular division"
REPORTS = "000-F1"
ALT = (
    "Training and validation accuracy, losses and weight norm against the optimisation step on a logarithmic axis, "
    "one thin line a member and the median member thick. A strip above the accuracies marks when each member "
    "memorises and when it generalises, with medians, intervals and the step that the report states."
)
STUDY, FRACTION = "data_fraction", 0.5
EVENTS = {"t2": ("memorised, t₂", style.TRAINING), "t4": ("generalised, t₄", style.VALIDATION)}
ROWS = {"report": 0, "t4": 1, "t2": 2}
PANELS = {
    "accuracy": {"train_acc": style.TRAINING, "val_acc": style.VALIDATION},
    "loss": {"train_loss": style.TRAINING, "val_loss": style.VALIDATION},
    "norm": {"weight_norm": style.INK},
}


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """Panels: events over accuracies; losses; weight norm. The thick line is the member with the median t4."""
    members = summary.studied(members, designs, STUDY)
    members = members[np.isclose(members["fraction"], FRACTION)]
    histories = histories[histories["cell"].isin(members["cell"]) & (histories["step"] > 0)]
    if histories.empty:
        return style.notice(f"Division at fraction {FRACTION:g} under AdamW has not been trained yet.", style.DOUBLE)
    figure, axes = panels()
    seed = style.median_seed(members)
    for panel, columns in PANELS.items():
        for column, color in columns.items():
            style.trajectories(axes[panel], histories, seed, column, color)
    medians = {event: summary.waited(members, event) for event in EVENTS}
    events(axes["events"], members, medians)
    finish(axes, histories, medians)
    key(axes["accuracy"], len(members))
    return figure


def panels() -> tuple[Figure, dict[str, Axes]]:
    figure = style.canvas(style.DOUBLE, 3.0)
    left, right = figure.add_gridspec(1, 2, width_ratios=[1.5, 1])
    left, right = left.subgridspec(2, 1, height_ratios=[0.24, 1]), right.subgridspec(2, 1)
    places = {"events": left[0], "accuracy": left[1], "loss": right[0], "norm": right[1]}
    return figure, {name: figure.add_subplot(place) for name, place in places.items()}


def events(ax: Axes, members: pd.DataFrame, medians: dict[str, survival.Median]) -> None:
    """A row an event: members as dots, the median with its interval (range below 6 members), its value to the left."""
    budget = members["budget"].max()
    for event, (_, color) in EVENTS.items():
        row, median = ROWS[event], medians[event]
        at, missed = members[event].dropna(), members.loc[members[event].isna(), "last_step"]
        ax.plot(at, [row] * len(at), "o", color=color, alpha=0.35, markersize=3, markeredgewidth=0)
        style.censored(ax, missed, [row] * len(missed), color)
        if np.isfinite(median.value):
            ax.plot(style.ends(median, budget), [row, row], color=color, linewidth=1)
            ax.plot(median.value, row, "|", color=color, markersize=8, markeredgewidth=1.8)
        beside(ax, min([*at, *missed]), row, format.median(median, budget), style.INK)
    ax.plot(reported.GROKKING_STEP, ROWS["report"], "D", color=style.REPORTED, markersize=3.5)
    beside(ax, reported.GROKKING_STEP, ROWS["report"], format.steps(reported.GROKKING_STEP), style.REPORTED)
    ax.set_yticks(list(ROWS.values()), ["reported t₄", EVENTS["t4"][0], EVENTS["t2"][0]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.6, 2.6)


def beside(ax: Axes, step: float, row: int, text: str, color: str) -> None:
    """`text` to the left of a mark."""
    at = {"textcoords": "offset points", "ha": "right", "va": "center"}
    ax.annotate(text, (step, row), (-7, 0), fontsize=style.SMALL, color=color, **at)


def key(ax: Axes, members: int) -> None:
    """The names of the lines, where early accuracies leave room."""
    style.names(ax, {"training": style.TRAINING, "validation": style.VALIDATION})
    if members > 1:
        note = f"thick: the member with\nthe median t₄ of {members}"
        ax.text(0.03, 0.7, note, transform=ax.transAxes, color=style.MUTED, fontsize=style.SMALL, va="top")


def finish(axes: dict[str, Axes], histories: pd.DataFrame, medians: dict[str, survival.Median]) -> None:
    """Scales, labels and the medians as vertical lines."""
    last = max(histories["step"].max(), reported.GROKKING_STEP)
    for name, ax in axes.items():
        style.log_steps(ax.xaxis)
        ax.set_xlim(histories["step"].min(), last * 1.15)
        if name in ("events", "loss"):
            ax.tick_params(axis="x", labelbottom=False)
        else:
            ax.set_xlabel("optimisation step")
        for event, (_, color) in EVENTS.items():
            if np.isfinite(medians[event].value) and name != "events":
                ax.axvline(medians[event].value, color=color, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0.9)
    style.letter(axes["events"], "a", "Accuracy")
    style.letter(axes["loss"], "b", "Cross-entropy (nats)")
    style.letter(axes["norm"], "c", "Norm of all weights")
    style.percent(axes["accuracy"].yaxis)
    axes["accuracy"].set_ylim(-0.03, 1.03)
    axes["loss"].set_yscale("log")
    axes["loss"].set_ylim(style.around(*axes["loss"].dataLim.intervaly))
    axes["norm"].set_ylim(0, 1.08 * histories["weight_norm"].max())
