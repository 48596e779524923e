"""The first figure of report 003: accuracies against the step, with t1..t4 marked, at several training fractions."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis import summary
from . import curves, style

INPUTS = ("histories", "members", "designs")
TITLE = "The four events of a member that groks"
REPORTS = "003-F1, 003-C2"
ALT = (
    "Training and validation accuracy against the optimisation step on a logarithmic axis, a panel a training "
    "fraction, of the member with the median steps to grokking; vertical lines mark its events t1 to t4: training "
    "accuracy leaves chance, reaches the threshold, validation accuracy leaves chance, reaches the threshold."
)
PANELS = 3
EVENTS = ("t1", "t2", "t3", "t4")
SUBSCRIPTS = {"t1": "t₁", "t2": "t₂", "t3": "t₃", "t4": "t₄"}


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """Fractions that lie evenly among those at which members generalise, or, where none does, among all."""
    members = summary.studied(members, designs, "fractions_003")
    if members.empty:
        return style.notice("No network of report 003 has been trained at several fractions yet.", style.DOUBLE)
    members = members[members["architecture"] == members["architecture"].iloc[0]]
    chosen = fractions(members)
    figure = style.canvas(style.DOUBLE, 2.4)
    axes = figure.subplots(1, len(chosen), sharex=True, sharey=True, squeeze=False)[0]
    shown = curves.followed(histories, members[members["fraction"].isin(chosen)])
    for ax, which, fraction in zip(axes, "abc", chosen, strict=False):
        own = members[members["fraction"] == fraction]
        member = own[own["seed"] == style.median_seed(own)].iloc[0]
        style.letter(ax, which, f"Fraction {fraction:g}")
        curve = shown[(shown["cell"] == member["cell"]) & (shown["seed"] == member["seed"])]
        panel(ax, curve, member)
    axes[0].set_ylabel("accuracy")
    lines = [Line2D([], [], color=color, linestyle=dash) for color, dash in curves.LINES.values()]
    figure.legend(lines, ["training", "validation"], loc="outside lower center", ncols=2)
    axes[0].set_xlim(curves.FIRST, 1.15 * shown["step"].max())
    return figure


def fractions(members: pd.DataFrame) -> list[float]:
    """At most `PANELS` of them, from the smallest to the largest."""
    there = sorted(members.loc[members["generalised"], "fraction"].unique()) or sorted(members["fraction"].unique())
    places = {round(i * (len(there) - 1) / max(PANELS - 1, 1)) for i in range(PANELS)}
    return [there[place] for place in sorted(places)]


def panel(ax: Axes, history: pd.DataFrame, member: pd.Series) -> None:
    for column, (color, dash) in curves.LINES.items():
        ax.plot(history["step"], history[f"{column}_acc"], color=color, linestyle=dash)
    for row, event in enumerate(EVENTS):
        if member[event] >= curves.FIRST:
            color = style.TRAINING if event in ("t1", "t2") else style.VALIDATION
            ax.axvline(member[event], color=color, linewidth=0.7, linestyle=(0, (1, 1)), zorder=1)
            place = {"textcoords": "offset points", "ha": "center", "fontsize": style.SMALL, "color": color}
            ax.annotate(SUBSCRIPTS[event], (member[event], 1.06), (0, 9 * row), **place)
    style.log_steps(ax.xaxis)
    ax.set(xlabel="optimisation step", ylim=(-0.04, 1.62))
    style.percent(ax.yaxis, (0, 0.5, 1))
