"""Tasks beyond arithmetic: when networks memorise and when they generalise, a row a task and a panel a fraction."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis.beyond_arithmetic import CONTROL, FAMILIES
from . import style

INPUTS = ("beyond_arithmetic",)
TITLE = "Boolean functions, patterns and strings"
REPORTS = "000-C10"
ALT = (
    "A row a task, in groups of Boolean functions, patterns and strings, a panel a training fraction: an open circle "
    "at the median step by which the training set is known, joined to a filled one at the median step to grokking, or "
    "to a triangle at the budget where that is not reached, with the validation accuracy beside it."
)


@style.styled
def draw(beyond_arithmetic: pd.DataFrame) -> Figure:
    """Tasks in the order of the table, family by family; architectures one above the other in a row."""
    if beyond_arithmetic.empty:
        return style.notice("No task beyond arithmetic has been trained yet.", style.DOUBLE)
    table = beyond_arithmetic
    rows = [symbol for family in FAMILIES for symbol in table.loc[table["family"] == family, "symbol"].unique()]
    families = table.drop_duplicates("symbol").set_index("symbol")["family"].loc[rows]
    ends = [row for row in range(1, len(rows)) if families.iloc[row] != families.iloc[row - 1]]
    fractions = sorted(table["fraction"].unique())
    figure = style.canvas(style.DOUBLE, max(2.2, 1.2 + 0.24 * len(rows)))
    axes = figure.subplots(1, len(fractions), sharey=True, sharex=True, squeeze=False)[0]
    names = [name for name in style.ARCHITECTURE_NAMES if name in set(table["architecture"])]
    for ax, which, fraction in zip(axes, "abcdef", fractions, strict=False):
        style.letter(ax, which, f"training fraction {fraction:g}")
        panel(ax, table[table["fraction"] == fraction], rows, names, ends)
    first = axes[0]
    first.set_yticks(range(len(rows)), rows)
    first.set_ylim(len(rows) - 0.4, -0.6)
    style.log_steps(first.xaxis)
    steps = table[["memorised", "median", "budget"]].to_numpy(float)
    first.set_xlim(0.6 * max(1.0, np.nanmin(steps)), 3.2 * np.max(steps[np.isfinite(steps)]))
    figure.supxlabel("optimisation step", fontsize=style.NORMAL)
    figure.legend(handles=legend(names), loc="outside upper center", ncols=4, frameon=False, fontsize=style.SMALL)
    return figure


def panel(ax: Axes, cells: pd.DataFrame, rows: list[str], names: list[str], ends: list[int]) -> None:
    """ends: the rows above which another family begins."""
    for end in ends:
        ax.axhline(end - 0.5, color=style.MUTED, linewidth=0.5)
    for cell in cells.itertuples():
        lanes = len(names)
        y = rows.index(cell.symbol) + (names.index(cell.architecture) - (lanes - 1) / 2) * 0.42
        color = style.MUTED if cell.operation.startswith(CONTROL) else style.ARCHITECTURE_COLORS[cell.architecture]
        reached, known = np.isfinite(cell.median), np.isfinite(cell.memorised)
        end = cell.median if reached else cell.budget
        if known:
            ax.plot([cell.memorised, end], [y, y], color=color, linewidth=1.0, solid_capstyle="butt")
            ax.plot(cell.memorised, y, "o", color=color, markerfacecolor="white", markersize=4.2)
        if reached:
            ax.plot(cell.median, y, "o", color=color, markersize=3.4)
        else:
            style.censored(ax, [cell.budget], [y], color, size=4.2)
            ax.text(1.25 * cell.budget, y, f"{cell.best:.0%}", va="center", fontsize=style.SMALL, color=color)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)


def legend(names: list[str]) -> list[Line2D]:
    made = [
        Line2D([], [], color=style.ARCHITECTURE_COLORS[name], linewidth=2, label=style.ARCHITECTURE_NAMES[name])
        for name in names
    ]
    ink = {"color": style.INK, "linewidth": 0}
    made.append(
        Line2D([], [], marker="o", markerfacecolor="white", markersize=4.2, label="training set known, t₂", **ink)
    )
    made.append(Line2D([], [], marker="o", markersize=3.4, label="generalises, t₄", **ink))
    text = "not within the budget; best validation accuracy"
    made.append(Line2D([], [], marker="^", markerfacecolor="white", markersize=4.2, label=text, **ink))
    return made
