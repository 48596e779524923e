"""What figures of training curves share: a grid of panels, one a setting, each with accuracies above and losses below.

Members are thin lines and the one with the median t4 is thick; training is dashed and validation solid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from ..analysis import summary
from . import one_factor, style

COLUMNS = 4  # panels side by side at most
FIRST = 10  # step at which the axis begins: before it nothing is learned
ACCURACY, LOSS, HEAD, FOOT = 0.75, 0.42, 0.42, 0.6  # heights in inches: of a row's parts, and of what lies below them
EPOCHS = 0.45  # height in inches of a row's two axes of steps and epochs
DASHED = (0, (3, 1.2))
LINES = {"train": (style.TRAINING, DASHED), "val": (style.VALIDATION, "-")}
EVENTS = {"t2": ("median t₂", style.TRAINING), "t4": ("median t₄", style.VALIDATION)}
MARK = {"marker": "v", "markersize": 4, "linestyle": "none", "markeredgewidth": 0}
FALL = {"color": style.HIGHLIGHT, "linewidth": 0.8, "linestyle": (0, (1, 1))}


@dataclass(frozen=True)
class Panel:
    """A setting and its members as their study asks for them, none if it has not been trained.

    falls: steps at which the learning rate falls.
    """

    title: str
    members: pd.DataFrame
    falls: tuple[float, ...] = ()


def draw(rows: Sequence[Sequence[Panel]], histories: pd.DataFrame, epochs: bool = False) -> Figure:
    """A panel a setting, axes shared by all; with `epochs` a second axis below each panel."""
    panels = [panel for row in rows for panel in row]
    shown = {panel.title: followed(histories, panel.members) for panel in panels if len(panel.members)}
    steps, losses = limits(pd.concat(shown.values()))
    tall = 1.4 if len(rows) == 1 else 1
    height = FOOT + len(rows) * (tall * (ACCURACY + LOSS) + HEAD + EPOCHS * epochs)
    figure = style.canvas(style.DOUBLE, height)
    grid = figure.add_gridspec(2 * len(rows), max(map(len, rows)), height_ratios=[ACCURACY, LOSS] * len(rows))
    for which, (row, column, panel) in zip("abcdefghijklmnopqrstuvwxyz", places(rows), strict=False):
        if panel.members.empty:
            ax = figure.add_subplot(grid[2 * row : 2 * row + 2, column])
            style.say(ax, "not trained yet")
            style.letter(ax, which, panel.title)
            continue
        top, bottom = (figure.add_subplot(grid[2 * row + part, column]) for part in range(2))
        style.letter(top, which, panel.title)
        accuracy(top, shown[panel.title], panel.members)
        loss(bottom, shown[panel.title], panel.members)
        lowest = row == len(rows) - 1 or column >= len(rows[row + 1])
        finish(top, bottom, panel, steps, losses, column == 0, lowest or epochs)
        lowest_axis = epochs_axis(bottom, panel.members["steps_per_epoch"].iloc[0]) if epochs else bottom
        lowest_axis.set_xlabel(("steps (above), epochs (below)" if epochs else "optimisation step") if lowest else "")
    key(figure, panels)
    return figure


def places(rows: Sequence[Sequence[Panel]]) -> Iterator[tuple[int, int, Panel]]:
    for row, panels in enumerate(rows):
        for column, panel in enumerate(panels):
            yield row, column, panel


def wrapped(panels: Sequence[Panel]) -> list[Sequence[Panel]]:
    """Rows of at most `COLUMNS` panels, as equal as can be."""
    columns = -(-len(panels) // -(-len(panels) // COLUMNS))
    return [panels[start : start + columns] for start in range(0, len(panels), columns)]


def by_fraction(
    histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame, study: str, architecture: str
) -> Figure:
    """A panel a training fraction of one architecture."""
    members = one_factor.one_lstm(summary.studied(members, designs, study))
    members = members[members["architecture"] == architecture]
    if members.empty:
        name = style.ARCHITECTURE_NAMES[architecture]
        return style.notice(f"The {name} has not been trained at several fractions yet.", style.DOUBLE)
    return draw(wrapped([Panel(f"Fraction {value:g}", own) for value, own in members.groupby("fraction")]), histories)


def followed(histories: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """The histories of `members` on the axis, as far as their study follows them."""
    own = histories[histories["cell"].isin(members["cell"].unique()) & (histories["step"] >= FIRST)]
    own = own.merge(members[["cell", "seed", "last_step"]], on=["cell", "seed"])
    return own[own["step"] <= own["last_step"]]


def limits(histories: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of the axes of steps and of losses."""
    losses = histories[["train_loss", "val_loss"]].to_numpy(float)
    losses = losses[np.isfinite(losses) & (losses > 0)]
    return (FIRST, 1.15 * histories["step"].max()), style.around(losses.min(), losses.max())


def accuracy(ax: Axes, histories: pd.DataFrame, members: pd.DataFrame) -> None:
    """With the end of every validation curve marked that has not reached the threshold."""
    curves(ax, histories, members, "acc")
    missed = members[~members["generalised"]]
    ends = histories.sort_values("step").groupby("seed")["val_acc"].last()
    style.censored(ax, missed["last_step"], missed["seed"].map(ends), style.VALIDATION, size=3.2, marker=">")
    style.percent(ax.yaxis, (0, 0.5, 1))
    ax.set_ylim(-0.04, 1.04)


def loss(ax: Axes, histories: pd.DataFrame, members: pd.DataFrame) -> None:
    curves(ax, histories, members, "loss")
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(10, numticks=3))
    ax.yaxis.set_minor_locator(NullLocator())


def curves(ax: Axes, histories: pd.DataFrame, members: pd.DataFrame, what: str) -> None:
    seed = style.median_seed(members)
    for side, (color, dashes) in LINES.items():
        style.trajectories(ax, histories, seed, f"{side}_{what}", color, linestyle=dashes)


def finish(top: Axes, bottom: Axes, panel: Panel, steps, losses, left: bool, lowest: bool) -> None:
    """Limits, labels where they are shared from, what became of the members, and their median events."""
    top.set_title(top.get_title("left"), pad=15)
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "color": style.MUTED, "fontsize": style.SMALL}
    top.annotate(outcome(panel.members), (0, 1), (0, 5), va="bottom", **place)
    bottom.set_ylim(losses)
    for ax, name in ((top, "accuracy"), (bottom, "loss\n(nats)")):
        style.log_steps(ax.xaxis)
        ax.set_xlim(steps)
        ax.tick_params(labelleft=left, labelbottom=lowest and ax is bottom)
        ax.set_ylabel(name if left else "")
        for step in panel.falls:
            ax.axvline(step, zorder=0.9, **FALL)
    for event, (_, color) in EVENTS.items():
        at = summary.waited(panel.members, event).value
        if np.isfinite(at):
            for ax in (top, bottom):
                ax.axvline(at, color=color, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0.95)
            top.plot(at, 1.04, color=color, clip_on=False, gid=event, zorder=4, **MARK)


def epochs_axis(ax: Axes, steps_per_epoch: int) -> Axes:
    """Epochs below steps."""
    functions = (lambda step: step / steps_per_epoch, lambda epoch: epoch * steps_per_epoch)
    below = ax.secondary_xaxis(-0.42, functions=functions)
    below.xaxis.set_major_locator(LogLocator(10, numticks=12))
    below.xaxis.set_minor_locator(NullLocator())
    below.xaxis.set_major_formatter(lambda value, _: style.short(value) if value >= 1 else f"{value:g}")
    return below


def outcome(members: pd.DataFrame) -> str:
    """Such as "8 of 8 grokked", "7 of 8 generalised, 3 grokked", "0 of 8 generalised, 1 diverged"."""
    generalised, grokked, diverged = (int(members[column].sum()) for column in ("generalised", "grokked", "diverged"))
    words = [f"{generalised} of {len(members)} " + ("grokked" if grokked == generalised > 0 else "generalised")]
    words += [f"{grokked} grokked"] if grokked < generalised else []
    words += [f"{diverged} diverged"] if diverged else []
    return ", ".join(words)


def key(figure: Figure, panels: Sequence[Panel]) -> None:
    """What lines and marks mean, of those that are there, below the panels."""
    members = pd.concat([panel.members for panel in panels])
    handles = [
        Line2D([], [], color=color, linestyle=dashes, label=name)
        for name, (color, dashes) in zip(("training", "validation"), LINES.values(), strict=True)
    ]
    if members["seed"].nunique() > 1:
        handles.append(Line2D([], [], color=style.INK, linewidth=1.6, label="thick: median member"))
    for event, (name, color) in EVENTS.items():
        if members[event].notna().any():
            handles.append(Line2D([], [], color=color, label=name, **MARK))
    if not members["generalised"].all():
        look = {"color": style.VALIDATION, "markerfacecolor": "white", "marker": ">", "markersize": 3.2}
        handles.append(Line2D([], [], linestyle="none", label="not generalised", **look))
    if any(panel.falls for panel in panels):
        factor = members["factor"].dropna().iloc[0]
        handles.append(Line2D([], [], label=f"learning rate × {factor:g}", **FALL))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=1.2, handlelength=1.6)
