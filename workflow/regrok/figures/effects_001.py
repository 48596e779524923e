"""Every setting that report 001 varies, in one figure: median steps to grokking with intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis import format, reported_001, summary, survival
from . import one_factor, style

INPUTS = ("members", "designs")
TITLE = "What changes the steps to grokking"
REPORTS = "001-C2, 001-C4, 001-C5, 001-C6, 001-C7, 001-C8"
ALT = (
    "Dot plots of the median steps to grokking on a logarithmic axis with 95 % intervals: on the left by training "
    "fraction, by dropout rate and by settings that the report leaves open, for three architectures in three "
    "colours; on the right for the Transformer by weight decay, batch size, learning rate, optimiser and number of "
    "terms. Open triangles are medians that are not reached within the budget, with the number of members that "
    "generalise."
)
UNIT, GAP, HEAD = 0.115, 0.6, 0.3  # height of a mark in inches; from row to row, in marks; of a title in inches
OPEN = {  # row -> members of the study open_settings in it
    "as in the other studies": "schedule == 'staircase' and norm != 'pre' and positions != 'sum' and not wide",
    "constant learning rate": "schedule == 'constant'",
    "layer norm before blocks": "norm == 'pre'",
    "positions summed": "positions == 'sum'",
    "LSTM of hidden width 512": "wide",
}
OPTIMIZERS = {"adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}
Row = tuple[str, pd.DataFrame]


@style.styled
def draw(members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """Two columns of panels, a panel a factor, a mark a cell; a factor that has not been run is left out."""
    studies = ("fractions", "dropout", "open_settings", "optimizers_001", "summands")
    own = {study: summary.studied(members, designs, study) for study in studies}
    columns = [
        {
            "Training fraction": fractions(own["fractions"]),
            "Dropout": dropout(own["dropout"]),
            "Settings left open": open_settings(own["open_settings"]),
        },
        {
            "Weight decay": one_setting(own["optimizers_001"], "weight_decay"),
            "Batch size": one_setting(own["optimizers_001"], "batch_size"),
            "Learning rate": one_setting(own["optimizers_001"], "learning_rate"),
            "Optimiser and its rate": optimizers(own["optimizers_001"]),
            "Sums of K terms": summands(own["summands"]),
        },
    ]
    columns = [{title: rows for title, rows in panels.items() if rows} for panels in columns]
    columns = [panels for panels in columns if panels]
    if not columns:
        return style.notice("No setting of report 001 has been varied yet.", style.DOUBLE)
    shown = pd.concat(group for panels in columns for rows in panels.values() for _, group in rows)
    tallest = max(sum(UNIT * units(rows) + HEAD for rows in panels.values()) for panels in columns)
    figure = style.canvas(style.DOUBLE, tallest + 0.75)
    letters = iter("abcdefghijkl")
    for place, panels in zip(figure.add_gridspec(1, len(columns)), columns, strict=True):
        grid = place.subgridspec(len(panels), 1, height_ratios=[units(rows) for rows in panels.values()])
        for spot, (title, rows) in zip(grid, panels.items(), strict=True):
            ax = figure.add_subplot(spot)
            panel(ax, rows)
            style.letter(ax, next(letters), title)
            finish(ax, shown, last=title == list(panels)[-1])
    key(figure, shown)
    return figure


def fractions(members: pd.DataFrame) -> list[Row]:
    return [(f"{value:g}", group) for value, group in one_factor.one_lstm(members).groupby("fraction")]


def dropout(members: pd.DataFrame) -> list[Row]:
    """With weight decay for all, then without it."""
    rows = [(decay > 0, value, group) for (decay, value), group in members.groupby(["weight_decay", "dropout"])]
    rows.sort(key=lambda row: not row[0])
    return [(f"{value:g}" if decayed else f"{value:g}, no decay", group) for decayed, value, group in rows]


def open_settings(members: pd.DataFrame) -> list[Row]:
    wide = (members["architecture"] == "lstm") & (members["hidden"] != one_factor.LSTM_HIDDEN)
    members = members.assign(wide=wide.to_numpy(bool))
    rows = [(name, members.query(condition).drop(columns="wide")) for name, condition in OPEN.items()]
    return [row for row in rows if len(row[1])]


def one_setting(members: pd.DataFrame, setting: str) -> list[Row]:
    return [(f"{value:g}", group) for value, group in one_factor.alike(members, setting).groupby(setting)]


def optimizers(members: pd.DataFrame) -> list[Row]:
    """The report's own and, in their order, the others at each of their rates."""
    groups = one_factor.alike(members, "optimizer", "learning_rate").groupby(["optimizer", "learning_rate"])
    return [
        (f"{name}, {rate:g}", group)
        for key, name in OPTIMIZERS.items()
        for (optimizer, rate), group in groups
        if optimizer == key and (key != "adamw" or rate == one_factor.OWN["learning_rate"])
    ]


def summands(members: pd.DataFrame) -> list[Row]:
    """At the report's fraction, then at other numbers of examples."""
    same = members["fraction"] == one_factor.OWN["fraction"]
    rows = [(f"K = {terms}", group) for terms, group in members[same].groupby("terms")]
    controls = members[~same].groupby("terms")
    return rows + [(f"K = {k}, {format.steps(group['n_train'].max())} examples", group) for k, group in controls]


def units(rows: list[Row]) -> float:
    """Height of rows, in marks."""
    return sum(len(marks(group)) + GAP for _, group in rows)


def marks(members: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """(architecture, its members) in a row, in the order of the report."""
    groups = {architecture: members[members["architecture"] == architecture] for architecture in reported_001.ORDER}
    return [(architecture, group) for architecture, group in groups.items() if len(group)]


def panel(ax: Axes, rows: list[Row]) -> None:
    """Rows from above, in each a mark an architecture."""
    place, ticks = 0.0, []
    for name, group in rows:
        own = marks(group)
        for row, (architecture, alike) in enumerate(own):
            mark(ax, alike, place + row, style.ARCHITECTURE_COLORS[architecture])
        ticks.append((place + (len(own) - 1) / 2, name))
        place += len(own) + GAP
    ax.set_yticks(*zip(*ticks, strict=True))
    ax.set_ylim(place - GAP / 2 - 0.5, -0.5 - GAP / 2)


def mark(ax: Axes, members: pd.DataFrame, y: float, color: str) -> None:
    """Members as dots, the median with its interval (range below 6 members), an open triangle where there is none."""
    median, budget = survival.median(*survival.durations(members)), members["budget"].max()
    at = members["t4"].dropna()
    ax.plot(at, [y] * len(at), "o", color=color, alpha=0.3, markersize=2.2, markeredgewidth=0)
    low, high = style.ends(median, budget)
    ax.plot([low, high], [y, y], color=color, linewidth=1)
    if np.isfinite(median.value):
        ax.plot(median.value, y, "o", color=color, markersize=4)
    else:
        style.censored(ax, [budget], [y], color, size=4, marker=">")
    if median.events < median.n:
        diverged = members["diverged"].sum()
        note = f"{median.events} of {median.n}" + (f", {diverged} div." if diverged else "")
        look = {"transform": ax.get_yaxis_transform(), "va": "center_baseline", "fontsize": style.SMALL}
        ax.text(1.02, y, note, color=color, **look)


def finish(ax: Axes, members: pd.DataFrame, last: bool) -> None:
    style.log_steps(ax.xaxis)
    low, high = style.around(np.fmin(members["t4"].min(), members["budget"].min()), members["budget"].max())
    ax.set_xlim(low / 1.5, high)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="x", labelbottom=last)
    ax.set_xlabel("median steps to grokking, t₄" if last else "")


def key(figure: Figure, members: pd.DataFrame) -> None:
    handles = [
        Line2D([], [], color=style.ARCHITECTURE_COLORS[name], marker="o", label=style.ARCHITECTURE_NAMES[name])
        for name, _ in marks(members)
    ]
    handles.append(Line2D([], [], color=style.INK, linewidth=1, label="95 % (range below 6)"))
    if not members["generalised"].all():
        look = {"color": style.INK, "markerfacecolor": "white", "marker": ">", "linestyle": "none"}
        handles.append(Line2D([], [], label="not reached (right: how many generalise)", **look))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        columnspacing=1,
        handlelength=1.4,
        handletextpad=0.5,
    )
