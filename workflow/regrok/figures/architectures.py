"""Table 3 of report 000 as a figure: how many members of each architecture memorise, generalise and grok."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..analysis import format
from . import style

INPUTS = ("architectures",)
TITLE = "Least architecture that groks"
REPORTS = "000-T3, 000-C6, 000-C11"
ALT = (
    "Share of the members that memorise, generalise and grok for each of the five architectures of the report's "
    "Table 3, in one panel with embeddings of width 80 and in the other with the embedding width that gives the "
    "reported number of parameters; beside each architecture its number of parameters and what the report says of "
    "it."
)
READINGS = {"fixed": "Embedding width 80", "matched": "Width matched to reported size"}
OUTCOMES = {  # column -> (what the members do, colour, thickness of the bar)
    "share_memorised": ("memorise", "#b9d4ea", 0.78),
    "share_generalised": ("generalise", "#4a90c8", 0.5),
    "share_grokked": ("grok", "#08306b", 0.2),
}


@style.styled
def draw(architectures: pd.DataFrame) -> Figure:
    """A panel a reading of the table, a row an architecture, its three shares as bars within one another."""
    if architectures.empty:
        return style.notice("The architectures of Table 3 have not been trained yet.", style.DOUBLE)
    figure = style.canvas(style.DOUBLE, 2.4)
    axes = figure.subplots(1, len(READINGS))
    for ax, which, (reading, title) in zip(axes, "ab", READINGS.items(), strict=True):
        rows = architectures[architectures["reading"] == reading]
        if rows.empty:
            style.say(ax, "not trained yet")
        else:
            shares(ax, rows)
        style.letter(ax, which, title)
    axes[0].set_ylabel("width × layers: parameters")
    handles = [Patch(color=color, label=name) for name, color, _ in OUTCOMES.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=1.2)
    return figure


def shares(ax: Axes, rows: pd.DataFrame) -> None:
    """Bars from above in the order of the table; at the right what the report says."""
    places = range(len(rows))[::-1]
    at = {"transform": ax.get_yaxis_transform(), "va": "center_baseline", "color": style.REPORTED}
    for column, (_, color, thickness) in OUTCOMES.items():
        ax.barh(places, rows[column], height=thickness, color=color, linewidth=0)
    for place, row in zip(places, rows.itertuples(), strict=True):
        ax.text(1.03, place, row.reported, **at)
        if row.share_memorised == 0:
            ax.text(0.02, place, "none memorises", color=style.MUTED, va="center_baseline", fontsize=style.SMALL)
    ax.text(1.03, len(rows) - 0.3, "reported", **at | {"fontweight": "bold"})
    labels = [f"{row.hidden} × {row.layers}: {format.steps(row.n_parameters)}" for row in rows.itertuples()]
    ax.set_yticks(places, labels)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    style.percent(ax.xaxis)
    ax.set(xlim=(0, 1), ylim=(-0.6, len(rows) + 0.1), xlabel=f"members (n = {style.span(rows['n'])})")
