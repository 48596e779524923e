"""Figure of report 003: how much of the way through weight space lies in few components, and that way in two of
them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import reported_003, summary
from . import style

INPUTS = ("trajectory", "trajectory_path", "members", "designs")
TITLE = "The trajectory of the weights in few components"
REPORTS = "003-F6, 003-C7"
ALT = (
    "Left, a panel a training fraction: variance of the weights that is not explained by the first components, on a "
    "logarithmic axis, of all members, of a walk of as long steps in new directions and of one that decays, with the "
    "report's two per cent. Right, the way of one member a fraction in its first two components, coloured by step."
)
LOOKS = {
    "ours": ("cumulative", style.VALIDATION, "o-"),
    "walk": ("walk", style.MUTED, "s--"),
    "decaying walk": ("decaying", style.HIGHLIGHT, "^--"),
}


@style.styled
def draw(
    trajectory: pd.DataFrame, trajectory_path: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame
) -> Figure:
    """Of the architecture with most members."""
    members = summary.studied(members, designs, "landscape")
    members = members[["cell", "seed", "fraction", "architecture"]]
    found = trajectory.merge(members, on=["cell", "seed"])
    if found.empty:
        return style.notice("No snapshots for the components of a trajectory have been taken yet.", style.DOUBLE)
    found = found[found["architecture"] == found["architecture"].mode().iloc[0]]
    paths = trajectory_path.merge(members, on=["cell", "seed"])
    fractions = sorted(found["fraction"].unique())
    figure = style.canvas(style.DOUBLE, 4.0)
    axes = figure.subplots(2, len(fractions), squeeze=False)
    for column, fraction in enumerate(fractions):
        upper, lower = axes[:, column]
        style.letter(upper, "abcdefgh"[column], f"Fraction {fraction:g}")
        unexplained(upper, found[found["fraction"] == fraction])
        way(lower, paths[paths["fraction"] == fraction])
        lower.set_xlabel("first component")
    low = min(ax.get_ylim()[0] for ax in axes[0])
    for ax in axes[0]:
        ax.set_ylim(max(low, 1e-6), 1)
    axes[0, 0].set_ylabel("variance not explained")
    axes[1, 0].set_ylabel("second component")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def unexplained(ax: Axes, found: pd.DataFrame) -> None:
    for label, (name, color, shape) in LOOKS.items():
        rest = (1 - found.groupby("component")[name].median()).clip(lower=1e-12)
        ax.plot(rest.index, rest, shape, color=color, markersize=3, linewidth=1, label=label)
    ax.axhline(1 - reported_003.VARIANCE_SHARE, color=style.REPORTED, linewidth=0.8, label="report")
    ax.set(yscale="log", xlabel="number of components")
    ax.set_xticks(range(2, int(found["component"].max()) + 1, 2))


def way(ax: Axes, paths: pd.DataFrame) -> None:
    if paths.empty:
        return style.say(ax, "not measured yet")
    own = paths[paths["seed"] == paths["seed"].min()].sort_values("step")
    ax.plot(own["first"], own["second"], color=style.MUTED, linewidth=0.7)
    shades = style.sequential()(np.linspace(0.25, 1, len(own)))
    ax.scatter(own["first"], own["second"], c=shades, s=9, linewidths=0, zorder=3)
    ax.annotate(
        "0", (own["first"].iloc[0], own["second"].iloc[0]), (4, 2), textcoords="offset points", fontsize=style.SMALL
    )
    ax.margins(0.15)
