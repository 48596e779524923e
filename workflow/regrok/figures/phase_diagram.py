"""Phases over learning rate and weight decay, a panel a training fraction (after Liu et al. 2022, Figure 6)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from ..analysis.phases import PHASES
from . import style

INPUTS = ("phases",)
TITLE = "Phases of learning over learning rate and weight decay"
REPORTS = "003-C2"
ALT = (
    "A grid of learning rates and weight decays for each training fraction, every field coloured by the phase of most "
    "of its members: confusion, memorisation, grokking or comprehension, with the number of members in that phase."
)
COLORS = {"confusion": "#e3e3e3", "memorisation": "#f4c7a1", "grokking": "#7fb5da", "comprehension": "#b9dfc4"}


@style.styled
def draw(phases: pd.DataFrame) -> Figure:
    """Of the architecture with most cells in the study `prediction`."""
    phases = phases[phases["study"] == "prediction"]
    if phases.empty:
        return style.notice("No grid of learning rates and weight decays has been trained for report 003 yet.")
    phases = phases[phases["architecture"] == phases["architecture"].mode().iloc[0]]
    fractions = sorted(phases["fraction"].unique())
    figure = style.canvas(style.DOUBLE, 2.6)
    axes = figure.subplots(1, len(fractions), sharey=True, squeeze=False)[0]
    for ax, which, fraction in zip(axes, "abcdefgh", fractions, strict=False):
        style.letter(ax, which, f"Fraction {fraction:g}")
        panel(ax, phases[phases["fraction"] == fraction], phases)
    axes[0].set_ylabel("learning rate")
    present = [name for name in PHASES if (phases["phase"] == name).any()]
    handles = [Patch(facecolor=COLORS[name], label=name) for name in present]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def panel(ax: Axes, phases: pd.DataFrame, all_phases: pd.DataFrame) -> None:
    """All panels have the fields of all."""
    rates, decays = (np.sort(all_phases[name].unique()) for name in ("learning_rate", "weight_decay"))
    for row in phases.itertuples():
        x, y = decays.searchsorted(row.weight_decay), rates.searchsorted(row.learning_rate)
        ax.add_patch(Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, linewidth=0, facecolor=COLORS[row.phase]))
        count = getattr(row, row.phase)
        ax.text(x, y, f"{count}/{row.n}", ha="center", va="center", fontsize=style.SMALL)
    ax.set_xticks(range(len(decays)), [style.scientific(decay) for decay in decays], rotation=90)
    ax.set_yticks(range(len(rates)), [style.scientific(rate) for rate in rates])
    ax.set(xlabel="weight decay", xlim=(-0.5, len(decays) - 0.5), ylim=(-0.5, len(rates) - 0.5))
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
