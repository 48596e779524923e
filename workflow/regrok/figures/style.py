"""How every figure looks, and how it is written: sizes, fonts, colours, the mark of a censored time, `save`.

Colours are seaborn's colour-blind palette; one meaning keeps one colour in all figures.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from pathlib import Path
from textwrap import fill

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ..analysis.survival import Median
from ..tasks.modular import OPERATIONS

SINGLE, DOUBLE = 3.4, 7.0  # widths in inches of one column and of both on A4
NORMAL, SMALL = 7.5, 7.0  # font sizes in points, as printed

INK, MUTED = "#262626", "#6e6e6e"
TRAINING, VALIDATION = "#8a8a8a", "#0173b2"
REPORTED = "#a3195b"  # whatever is the source report's own
HIGHLIGHT = "#f0a202"

OPERATION_MARKERS = dict(zip(OPERATIONS, "oDsvPXhpd*" * len(OPERATIONS), strict=False))
OPERATION_NAMES = {"add": "addition", "subtract": "subtraction", "multiply": "multiplication", "divide": "division"}
OPTIMIZER_NAMES = {"adamw": "AdamW", "adam": "Adam, L2", "sgd": "SGD, momentum", "rmsprop": "RMSprop"}
LAW_COLORS = {"exponential": "#d55e00", "power": "#0173b2", "power_offset": "#029e73", "threshold": "#a0559b"}
LAW_DASHES = {"exponential": "-", "power": (0, (5, 1.2)), "power_offset": (0, (1, 1)), "threshold": (0, (4, 1, 1, 1))}
LAW_NAMES = {
    "exponential": "exponential",
    "power": "power law",
    "power_offset": "power law + offset",
    "threshold": "threshold law",
}
ARCHITECTURE_COLORS = {
    "mlp": "#8c510a",
    "shared_mlp": "#bf812d",
    "sequence_mlp": "#543005",
    "transformer": "#4b2e83",
    "tied_transformer": "#807dba",
    "residual_mlp": "#e08214",
    "lstm": "#35978f",
}
ARCHITECTURE_NAMES = {
    "mlp": "MLP",
    "shared_mlp": "MLP, one table",
    "sequence_mlp": "MLP",
    "transformer": "Transformer",
    "tied_transformer": "Transformer, tied",
    "residual_mlp": "residual MLP",
    "lstm": "LSTM",
}
PRECISION_COLORS = {"float32": "#d55e00", "float64": "#029e73"}

CENSORED = "censored"  # gid of the marks of censored times

RC = {
    "font.family": "DejaVu Sans",
    "font.size": NORMAL,
    "axes.labelsize": NORMAL,
    "axes.titlesize": NORMAL,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.labelpad": 3.0,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": "#ebebeb",
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.0,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.0,
    "lines.markeredgewidth": 0.8,
    "figure.dpi": 150,
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.hspace": 0.05,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "regrok",
    "pdf.fonttype": 42,
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """`draw` under this module's settings, whatever the caller's are."""

    @wraps(draw)
    def wrapper(*tables, **named) -> Figure:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(RC)
            return draw(*tables, **named)

    return wrapper


@styled
def save(figure: Figure, path: str | Path) -> list[Path]:
    """Write `path`.svg and `path`.pdf (a suffix of `path` is replaced); the same figure gives the same bytes.

    Returns the paths of the two.
    """
    svg, pdf = Path(path).with_suffix(".svg"), Path(path).with_suffix(".pdf")
    figure.savefig(svg, metadata={"Date": None})
    figure.savefig(pdf, metadata={"CreationDate": None})
    return [svg, pdf]


def canvas(width: float, height: float) -> Figure:
    """An empty figure of that size in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def notice(message: str, width: float = SINGLE, height: float = 1.2) -> Figure:
    """A figure that says in words why there is nothing to draw."""
    figure = canvas(width, height)
    say(figure.subplots(), message)
    return figure


def say(ax: Axes, message: str) -> None:
    """`message` in place of an empty panel."""
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    ax.spines[:].set_visible(False)
    ax.patch.set_facecolor("#f6f6f6")
    width = ax.get_position().width * ax.figure.get_figwidth()
    text = fill(message, max(12, int(72 * width / (0.62 * NORMAL))))
    ax.text(0.5, 0.5, text, ha="center", va="center", color=MUTED)


def log_steps(axis) -> None:
    """A logarithmic axis of optimisation steps, ticks as 1, 10, 100, 1k, 10k."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(10, numticks=12))
    axis.set_minor_locator(LogLocator(10, subs=range(2, 10), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


def percent(axis, ticks: Sequence[float] = (0, 0.25, 0.5, 0.75, 1)) -> None:
    """Shares written as percentages."""
    axis.set_ticks(ticks)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def letter(ax: Axes, which: str, title: str) -> None:
    """Panel title with its letter."""
    ax.set_title(f"{which}  {title}")


def censored(ax: Axes, x: Sequence[float], y: Sequence[float], color: str, size: float = 4.5, **line) -> None:
    """Open triangles at times that an event is known to lie beyond."""
    if len(x):  # an empty line that is not clipped breaks the layout
        mark = {"marker": "^", "markersize": size, "markerfacecolor": "white", "linestyle": "none", "clip_on": False}
        ax.plot(x, y, color=color, zorder=4, **{"gid": CENSORED} | mark | line)


def explain_censored(ax: Axes, text: str = "median not reached within the budget") -> None:
    """What the open triangles mean, in the upper right corner."""
    place = {"xycoords": "axes fraction", "ha": "right", "va": "top", "fontsize": SMALL, "color": MUTED}
    ax.annotate(f"△ {text}", (0.99, 0.99), bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5}, **place)


def around(low: float, high: float) -> tuple[float, float]:
    """Limits of a logarithmic axis with a margin, and with room for the ticks of two decades at least."""
    if high < 10 * low:
        low, high = 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high))
    return low / 1.6, high * 1.6


def fit_log(axes: Sequence[Axes]) -> None:
    """Give logarithmic y-axes that are shared the limits of all lines in them with more than two points."""
    lines = [line.get_ydata() for ax in axes for line in ax.lines if len(line.get_ydata()) > 2]
    values = np.concatenate([np.asarray(line, dtype=float) for line in lines]) if lines else np.array([])
    values = values[np.isfinite(values) & (values > 0)]
    if len(values):
        axes[0].set_ylim(*around(values.min(), values.max()))


def least_gap(values: pd.Series) -> float:
    """Least distance between different values, at most 0.1."""
    return np.diff(np.sort(values.unique()), append=np.inf).clip(max=0.1).min()


def fractions(ax: Axes, values: pd.Series) -> None:
    """A tick at every fraction, labelled at multiples of 0.1 (or everywhere, where there are none)."""
    values = np.sort(values.unique())
    round_ones = values[np.isclose(values * 10, np.round(values * 10))]
    labelled = round_ones if len(round_ones) else values
    ax.set_xticks(labelled, [f"{value:g}" for value in labelled])
    ax.set_xticks(values, minor=True)
    ax.set_xlim(values[0] - 0.04, values[-1] + 0.04)


def ends(median: Median, ceiling: float) -> tuple[float, float]:
    """Where the bar of a median begins and ends: its interval, or below 6 members the range; inf becomes `ceiling`."""
    low, high = (median.least, median.most) if np.isnan(median.low) else (median.low, median.high)
    return min(low, ceiling), min(high, ceiling)


def median_seed(members: pd.DataFrame) -> int:
    """Seed of the member with the (lower) median t4, those that never generalise last."""
    ranked = members.sort_values(["t4", "seed"], na_position="last")["seed"].to_numpy()
    return int(ranked[(len(ranked) - 1) // 2])


def trajectories(ax: Axes, histories: pd.DataFrame, seed: int, column: str, color: str, **line) -> None:
    """`column` of each member against the step: thin, and thick for `seed`."""
    for member, history in histories.groupby("seed"):
        strong = {"linewidth": 1.6, "zorder": 3} if member == seed else {"linewidth": 0.5, "alpha": 0.45}
        ax.plot(history["step"], history[column], color=color, **strong, **line)


def names(ax: Axes, colors: Mapping[str, str], x: float = 0.03, top: float = 0.94) -> None:
    """What the lines are, in their colours, from (x, top) downwards in axes coordinates."""
    place = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "top",
        "ha": "left" if x < 0.5 else "right",
    }
    for row, (name, color) in enumerate(colors.items()):
        ax.annotate(name, (x, top), (0, -1.5 * NORMAL * row), color=color, fontweight="bold", **place)


def short(step: float) -> str:
    """Steps where room is scarce: 950, 1k, 2.9k, 95k, 1M."""
    for unit, suffix in ((1e6, "M"), (1e3, "k")):
        if step >= 0.9995 * unit:
            return f"{float(f'{step / unit:.2g}'):g}{suffix}" if step < 99.5 * unit else f"{step / unit:.0f}{suffix}"
    return f"{step:.0f}"


def bars(cells: pd.DataFrame, members: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of each cell's median: its interval, or the range of its members where there is none; inf becomes
    the budget."""
    slowest = members["t4"].where(members["generalised"], np.inf).groupby(members["cell"])
    least, most = (cells["cell"].map(limit) for limit in (slowest.min(), slowest.max()))
    low, high = cells["low"].fillna(least), cells["high"].fillna(most)
    return np.minimum(low, cells["budget"]).to_numpy(), np.minimum(high, cells["budget"]).to_numpy()


def operation(name: str) -> str:
    """Its name in the text, or its formula."""
    return OPERATION_NAMES.get(name) or OPERATIONS[name].symbol


@cache
def operation_colors() -> dict[str, str]:
    """Symmetric operations cool, asymmetric ones warm; one added later takes the next colour of the palette."""
    import seaborn as sns  # a second to load, which the other figures need not wait for

    palette = sns.color_palette("colorblind").as_hex()
    chosen = {"add": "#0173b2", "multiply": "#56b4e9", "subtract": "#de8f05", "divide": "#b23a00"}
    return dict(zip(OPERATIONS, palette * len(OPERATIONS), strict=False)) | chosen


def sequential() -> Colormap:
    """White to dark blue, for shares."""
    import seaborn as sns

    return sns.light_palette("#08306b", as_cmap=True)


def scientific(value: float) -> str:
    """Learning rates and decays on an axis: 0, 0.03, 1, and powers of ten below 0.01."""
    if value == 0 or 0.01 <= value < 1000:
        return f"{value:g}"
    digits, exponent = f"{value:.0e}".split("e")
    return f"$10^{{{int(exponent)}}}$" if digits == "1" else f"{digits}·$10^{{{int(exponent)}}}$"


def span(counts: pd.Series) -> str:
    """Such as "8", or "6 to 8" where they differ."""
    low, high = counts.min(), counts.max()
    return f"{low}" if low == high else f"{low} to {high}"
