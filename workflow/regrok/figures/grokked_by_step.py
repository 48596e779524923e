"""Share of the members of each architecture that have generalised by a step, one panel a training fraction."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import reported_001, summary, survival
from . import one_factor, style

INPUTS = ("members", "designs")
TITLE = "Members that have generalised by a step"
REPORTS = "001-C2, 001-C10, 001-C12"
ALT = (
    "Share of the members of the Transformer, the residual MLP and the LSTM that have generalised by a step (one minus "
    "the Kaplan-Meier curve) against the optimisation step on a logarithmic axis, one panel a training fraction. "
    "Triangles are members that had not generalised when they were last seen; below each panel stand the numbers of "
    "members at risk."
)
WIDTHS = {"lstm": 2.0, "residual_mlp": 1.5, "transformer": 1.0}  # drawn in this order, so that none hides another


@style.styled
def draw(members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """A diverged member stays at risk and never generalises."""
    members = one_factor.one_lstm(summary.studied(members, designs, "fractions"))
    if members.empty:
        return style.notice("No architecture has been trained at several fractions yet.", style.DOUBLE)
    fractions = sorted(members["fraction"].unique())
    figure = style.canvas(style.DOUBLE, 2.9)
    axes = figure.subplots(2, len(fractions), height_ratios=[1, 0.36], squeeze=False)
    limits = np.fmin(members["t4"].min(), members["budget"].max()) / 3, members["budget"].max()
    for ax, risk, which, fraction in zip(*axes, "abcdefgh", fractions, strict=False):
        own = members[members["fraction"] == fraction]
        for architecture, width in WIDTHS.items():
            group = own[own["architecture"] == architecture]
            if len(group):
                generalised(ax, group, limits[0], color=style.ARCHITECTURE_COLORS[architecture], linewidth=width)
        at_risk(risk, own, labelled(*limits))
        style.letter(ax, which, f"Fraction {fraction:g}")
        finish(ax, risk, limits, left=which == "a")
    axes[0, 0].set_ylabel("members generalised")
    axes[1, 0].set_title("members at risk", loc="left", fontsize=style.SMALL, fontweight="normal", color=style.MUTED)
    return figure


def finish(ax: Axes, risk: Axes, limits: tuple[float, float], left: bool) -> None:
    """The steps at which members are counted are the ticks of both."""
    for axis in (ax, risk):
        style.log_steps(axis.xaxis)
        steps = labelled(*limits)
        axis.set_xticks(steps, [style.short(step) for step in steps])
        axis.set_xlim(limits[0], limits[1] * 1.3)
        axis.tick_params(labelleft=left)
    ax.tick_params(labelbottom=False)
    style.percent(ax.yaxis)
    ax.set_ylim(-0.04, 1.04)
    risk.set_xlabel("optimisation step")


def generalised(ax: Axes, members: pd.DataFrame, first: float, color: str, **line) -> None:
    """One minus the Kaplan-Meier curve up to the last step of any member, and the members that it loses."""
    time, event = survival.durations(members)
    steps, survivors = survival.curve(time, event)
    last = members["budget"].max() if members["diverged"].any() else members["last_step"].max()
    x = np.concatenate([[first], steps, [last]])
    shares = np.concatenate([[0], 1 - survivors, 1 - survivors[-1:] if len(survivors) else [0]])
    ax.step(x, shares, where="post", color=color, **line)
    lost = np.sort(time[~event & np.isfinite(time)])
    at = shares[np.searchsorted(steps, lost, side="right")]
    style.censored(ax, lost, at, color, size=3.8, marker=">")


def at_risk(ax: Axes, members: pd.DataFrame, steps: list[float]) -> None:
    """Members that a step finds followed and not yet generalised, a row an architecture."""
    for row, architecture in enumerate(reported_001.ORDER):
        time, _ = survival.durations(members[members["architecture"] == architecture])
        look = {"ha": "center", "va": "center_baseline", "fontsize": style.SMALL}
        for step in steps:
            count = f"{(time >= step).sum()}" if len(time) else "–"
            ax.text(step, row, count, color=style.ARCHITECTURE_COLORS[architecture], **look)
    names = [style.ARCHITECTURE_NAMES[architecture] for architecture in reported_001.ORDER]
    ax.set_yticks(range(len(names)), names, fontweight="bold")
    for label, architecture in zip(ax.get_yticklabels(), reported_001.ORDER, strict=True):
        label.set_color(style.ARCHITECTURE_COLORS[architecture])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(False)
    ax.spines["left"].set_visible(False)


def labelled(low: float, high: float) -> list[float]:
    """Powers of ten within the limits, and three times them where there are few."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = np.sort(np.concatenate([decades, 3 * decades])) if high < 300 * low else decades
    return [step for step in steps if low * 1.1 <= step <= high]
