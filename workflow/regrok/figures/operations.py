"""Figure 3 of report 000: steps to grokking of each operation against the share of pairs trained on."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..analysis import summary
from . import style

INPUTS = ("operations", "members", "designs")
TITLE = "Data needed by each operation"
REPORTS = "000-F3"
ALT = (
    "Steps to grokking on a logarithmic axis against the training fraction for addition, subtraction, "
    "multiplication and division modulo 97, one panel for splits of ordered pairs and one for splits of unordered "
    "pairs. Dots are members, large marks medians with intervals, open triangles cells whose median is not reached "
    "within the budget. A strip above each panel shows the share of members that generalise."
)
SPLITS = {"ordered": "Ordered pairs", "unordered": "Unordered pairs"}


@style.styled
def draw(operations: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """A panel a kind of split: shares that generalised over steps. Intervals are 95 %, below 6 members the range."""
    if operations.empty:
        return style.notice("No operation has been trained at several fractions yet.", style.DOUBLE)
    members = summary.studied(members, designs, "operations")
    names = operations.sort_values("symmetric", ascending=False, kind="stable")["operation"].unique().tolist()
    figure = style.canvas(style.DOUBLE, 3.9)
    grid = figure.add_gridspec(2, 2, height_ratios=[0.22, 1])
    gap = style.least_gap(operations["fraction"])
    dodge = dict(zip(names, gap * (0.72 * (np.arange(len(names)) + 0.5) / len(names) - 0.36), strict=True))
    for column, (pairs, title) in enumerate(SPLITS.items()):
        cells = operations[operations["pairs"] == pairs]
        if cells.empty:
            top = figure.add_subplot(grid[:, column])
            style.say(top, f"not trained yet with a split of {pairs} pairs")
        else:
            top, main = (figure.add_subplot(grid[row, column]) for row in range(2))
            shares(top, cells, names, gap)
            if pairs == operations["pairs"].min():  # the first panel with runs
                label(top, main, names)
            for name in names:
                own = cells[cells["operation"] == name].sort_values("fraction")
                steps(main, own, members[members["cell"].isin(own["cell"])], dodge[name], name)
            finish(top, main, operations, members)
        style.letter(top, "ab"[column], title)
    return figure


def shares(ax: Axes, cells: pd.DataFrame, names: list[str], gap: float) -> None:
    """A row an operation, a box a cell, filled as far as its members generalised."""
    width, height = 0.8 * gap, 0.6
    for cell in cells.itertuples():
        corner = (cell.fraction - width / 2, len(names) - 1 - names.index(cell.operation) - height / 2)
        color = style.operation_colors()[cell.operation]
        ax.add_patch(Rectangle(corner, width * cell.events / cell.n, height, facecolor=color))
        ax.add_patch(Rectangle(corner, width, height, facecolor="none", edgecolor=color, linewidth=0.7))
    note = f"share generalised (n = {style.span(cells['n'])})"
    ax.set_title(note, loc="right", fontsize=style.SMALL, fontweight="normal", color=style.MUTED)
    ax.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    ax.spines[:].set_visible(False)
    ax.grid(False)
    ax.set_ylim(-0.5, len(names) - 0.5)


def label(strip: Axes, main: Axes, names: list[str]) -> None:
    """The names of the operations, and of the time axis."""
    place = {"transform": strip.get_yaxis_transform(), "ha": "right", "va": "center_baseline", "fontweight": "bold"}
    for row, name in enumerate(reversed(names)):
        strip.text(-0.01, row, style.operation(name), color=style.operation_colors()[name], **place)
    main.set_ylabel("steps to grokking, t₄")


def steps(ax: Axes, cells: pd.DataFrame, members: pd.DataFrame, shift: float, name: str) -> None:
    """One operation: members, medians with their intervals, open triangles at the budget."""
    color, marker = style.operation_colors()[name], style.OPERATION_MARKERS[name]
    ax.plot(members["fraction"] + shift, members["t4"], "o", color=color, alpha=0.4, markersize=2.4, markeredgewidth=0)
    missed = members[~members["generalised"]]
    style.censored(ax, missed["fraction"] + shift, missed["last_step"], color, size=2.2, gid="")
    reached = cells[np.isfinite(cells["median"])]
    low, high = style.bars(reached, members)
    x = reached["fraction"] + shift
    line = cells["median"].where(np.isfinite(cells["median"]))
    ax.plot(cells["fraction"] + shift, line, color=color, linewidth=0.6, alpha=0.7)
    ax.vlines(x, low, high, color=color, linewidth=0.9)
    ax.plot(x, reached["median"], marker, color=color, markersize=4, markeredgecolor="white", markeredgewidth=0.5)
    never = cells[np.isinf(cells["median"])]
    style.censored(ax, never["fraction"] + shift, never["budget"], color, size=5)


def finish(strip: Axes, main: Axes, operations: pd.DataFrame, members: pd.DataFrame) -> None:
    for ax in (strip, main):
        style.fractions(ax, operations["fraction"])
    style.log_steps(main.yaxis)
    times = [*members["t4"].dropna(), *operations["budget"]]
    low, high = style.around(min(times), max(times))
    main.set_ylim(low, 1.6 * high)
    if np.isinf(operations["median"]).any():
        style.explain_censored(main)
    main.set_xlabel("training fraction")
