"""Figure of report 003: early spectral energy beside the accuracy at the horizon, over learning rate and weight
decay."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from ..analysis.prediction_skill import MAIN
from . import style

INPUTS = ("prediction",)
TITLE = "Early oscillation and late accuracy over two settings"
REPORTS = "003-F3"
ALT = (
    "Heat maps over learning rate and weight decay, a column a training fraction: above, the spectral energy of the "
    "first 400 training losses on a logarithmic scale, below, the validation accuracy at the horizon, both means over "
    "members. Fields whose members all diverged are crossed."
)
ROWS = {"activity": "log₁₀ energy", "val_acc": "validation accuracy"}


@style.styled
def draw(prediction: pd.DataFrame) -> Figure:
    """Of the architecture with most cells; fields are means over its members."""
    own = prediction[prediction["window"] == MAIN]
    if own.empty:
        return style.notice("No grid has been followed through the first 400 losses yet.", style.DOUBLE)
    own = own[own["architecture"] == own["architecture"].mode().iloc[0]]
    own = own.assign(activity=np.log10(np.maximum(own["activity"].astype(float), 1e-30)))
    fractions = sorted(own["fraction"].unique())
    figure = style.canvas(style.DOUBLE, 3.7)
    axes = figure.subplots(2, len(fractions), sharex=True, sharey=True, squeeze=False)
    scales = {"activity": scale(own["activity"]), "val_acc": Normalize(0, 1)}
    for row, (name, label) in enumerate(ROWS.items()):
        for column, fraction in enumerate(fractions):
            ax = axes[row, column]
            style.letter(ax, "abcdefghijklmnop"[row * len(fractions) + column], f"Fraction {fraction:g}")
            image = heat_map(ax, own[own["fraction"] == fraction], own, name, colors(name), scales[name])
        bar = figure.colorbar(image, ax=axes[row].tolist(), pad=0.01, aspect=14)
        bar.set_label(label)
        bar.outline.set_visible(False)
        if name == "val_acc":
            style.percent(bar.ax.yaxis)
        axes[row, 0].set_ylabel("learning rate")
    for ax in axes[-1]:
        ax.set_xlabel("weight decay")
    return figure


def scale(values: pd.Series) -> Normalize:
    there = values[np.isfinite(values)]
    low, high = (there.min(), there.max()) if len(there) else (0.0, 1.0)
    return Normalize(low, high if high > low else low + 1)


def colors(name: str) -> Colormap:
    import seaborn as sns

    return style.sequential() if name == "val_acc" else sns.light_palette("#7a2048", as_cmap=True)


def heat_map(ax: Axes, members: pd.DataFrame, everywhere: pd.DataFrame, name: str, cmap: Colormap, norm: Normalize):
    """The image; fields that were not run are left white."""
    rates, decays = (np.sort(everywhere[axis].unique()) for axis in ("learning_rate", "weight_decay"))
    means = members.groupby(["learning_rate", "weight_decay"])[name].mean().unstack()
    image = ax.imshow(means.reindex(index=rates, columns=decays), cmap=cmap, norm=norm, origin="lower", aspect="auto")
    for (rate, decay), gone in (
        members.groupby(["learning_rate", "weight_decay"])[name].apply(lambda v: v.isna().all()).items()
    ):
        if gone:
            ax.text(decays.searchsorted(decay), rates.searchsorted(rate), "×", ha="center", va="center")
    ax.set_xticks(range(len(decays)), [style.scientific(decay) for decay in decays], rotation=90)
    ax.set_yticks(range(len(rates)), [style.scientific(rate) for rate in rates])
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return image
