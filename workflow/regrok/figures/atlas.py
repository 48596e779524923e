"""The atlas: for every operation and training fraction, how many members generalise, and when."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from . import style

INPUTS = ("atlas",)
TITLE = "An atlas of operations"
REPORTS = "000-F3, 000-C4"
ALT = (
    "A row an operation, symmetric ones above, a column a training fraction, a panel an architecture and a kind of "
    "split: the shade of a field is the share of members that generalise within the budget, the number in it their "
    "median steps, or the budget that they exceed."
)


@style.styled
def draw(atlas: pd.DataFrame) -> Figure:
    """Rows in the order of the table, symmetric operations first."""
    if atlas.empty:
        return style.notice("No operations have been trained for the atlas yet.", style.DOUBLE)
    order = atlas.drop_duplicates("symbol").sort_values("symmetric", ascending=False, kind="stable")
    rows, symmetric = list(order["symbol"]), int(order["symmetric"].astype(bool).sum())
    panels = list(atlas.groupby(["architecture", "pairs"], sort=False))
    figure = style.canvas(style.DOUBLE, max(1.8, 0.9 + 0.24 * len(rows)))
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, which, ((name, pairs), own) in zip(axes, "abcd", panels, strict=False):
        style.letter(ax, which, f"{style.ARCHITECTURE_NAMES[name]}, {pairs} pairs")
        panel(ax, own, rows)
        if 0 < symmetric < len(rows):
            ax.axhline(symmetric - 0.5, color=style.INK, linewidth=0.8)
    axes[0].set_yticks(range(len(rows)), rows)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), style.sequential()), ax=axes, pad=0.02, aspect=18)
    style.percent(bar.ax.yaxis)
    bar.set_label("members that generalise")
    bar.outline.set_visible(False)
    return figure


def panel(ax: Axes, atlas: pd.DataFrame, rows: list[str]) -> None:
    fractions = np.sort(atlas["fraction"].unique())
    for field in atlas.itertuples():
        x, y, share = fractions.searchsorted(field.fraction), rows.index(field.symbol), field.events / field.n
        shade = style.sequential()(share)
        ax.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, linewidth=0, facecolor=shade))
        reached = np.isfinite(field.median)
        text = style.short(field.median) if reached else f"> {style.short(field.budget)}"
        ax.text(
            x, y, text, ha="center", va="center", color="white" if share > 0.55 else style.INK, fontsize=style.SMALL
        )
    ax.set_xticks(range(len(fractions)), [f"{fraction:g}" for fraction in fractions])
    ax.set(xlabel="training fraction", xlim=(-0.5, len(fractions) - 0.5))
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
