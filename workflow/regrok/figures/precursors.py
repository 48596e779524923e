"""What report 000 calls precursors, counted from the step at which a member generalises, beside members that do not."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ..analysis.precursor_signals import NAMES, SIGNALS
from ..analysis.precursor_windows import BAND, MATCHED, WINDOW
from . import style

INPUTS = ("precursor_signals", "precursor_windows")
TITLE = "Signals before grokking"
REPORTS = "000-C7, 000-C8, 000-C9"
ALT = (
    "A panel a signal, weight norm, gradient variance, the same over the squared mean gradient, and sharpness, on a "
    "logarithmic axis against the steps before grokking: members that generalise, and the same steps of members that "
    "do not, with the same weight decay and with none, dashed, thin lines with a thick median. The steps at which the "
    "report has a peak are shaded."
)
KINDS = {("other",): (style.MUTED, (0, (3, 1.5))), MATCHED: (style.MUTED, "-"), ("",): (style.VALIDATION, "-")}


@style.styled
def draw(precursor_signals: pd.DataFrame, precursor_windows: pd.DataFrame) -> Figure:
    """Panels side by side; a panel without a member that generalises says so."""
    if precursor_signals.empty:
        return style.notice("No member has been trained for signals before grokking yet.", style.DOUBLE)
    figure = style.canvas(style.DOUBLE, 2.5)
    axes = figure.subplots(1, len(SIGNALS))
    for ax, which, signal in zip(axes, "abcd", SIGNALS, strict=True):
        style.letter(ax, which, NAMES[signal].replace("gradient variance", "grad. variance"))
        own = precursor_signals[precursor_signals["signal"] == signal].set_index(["cell", "seed"]).sort_index()
        panel(ax, own, precursor_windows[precursor_windows["signal"] == signal])
    lines = {
        "generalise": Line2D([], [], color=style.VALIDATION),
        "same steps of others, same decay": Line2D([], [], color=style.MUTED),
        "no decay": Line2D([], [], color=style.MUTED, linestyle=KINDS[("other",)][1]),
        "peak, in the report": Line2D([], [], color=style.HIGHLIGHT, alpha=0.4, linewidth=6),
    }
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=4)
    return figure


def panel(ax: Axes, signals: pd.DataFrame, windows: pd.DataFrame) -> None:
    if windows.empty:
        return style.say(ax, "no member has generalised late enough")
    ax.axvspan(-BAND[1], -BAND[0], color=style.HIGHLIGHT, alpha=0.25, linewidth=0)
    for kinds, (color, dash) in KINDS.items():
        chosen = windows[windows["control"].isin(kinds)]
        parts = [shifted(signals, row) for row in chosen.itertuples()]
        for part in parts:
            ax.plot(part.index, part, color=color, linestyle=dash, linewidth=0.4, alpha=0.5 if kinds == ("",) else 0.2)
        if parts:
            together, width = pd.concat(parts), max(100, np.median(np.diff(parts[0].index)))
            binned = together.groupby(np.round(together.index / width) * width).median()
            ax.plot(binned.index, binned, color=color, linestyle=dash, linewidth=1.6)
    ax.set(yscale="log", xlim=(-1.5 * WINDOW, 200))
    values = np.concatenate([line.get_ydata() for line in ax.lines])
    values = values[np.isfinite(values) & (values > 0)]
    ax.set_ylim(*style.around(values.min(), values.max()))
    ax.yaxis.set_major_locator(LogLocator(10, numticks=5))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks([-WINDOW, 0])
    ax.set_xlabel("steps from t₄")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))


def shifted(signals: pd.DataFrame, row) -> pd.Series:
    """The signal of the member that was looked at, by steps from t4 of the one that it is looked at for."""
    own = signals.loc[(row.other_cell, row.other_seed)]
    near = own[own["step"].between(row.t4 - 1.5 * WINDOW, row.t4 + 200)]
    return pd.Series(near["value"].to_numpy(float), index=near["step"].to_numpy(float) - row.t4)
