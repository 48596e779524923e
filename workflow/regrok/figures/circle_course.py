"""The order of the embeddings through training, its nearness to the end by width, and the frequencies it is made of."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import curves, style

INPUTS = ("embedding", "embedding_members", "embedding_spectrum", "histories", "members", "designs")
TITLE = "Order of the embeddings, its beginnings and its frequencies"
REPORTS = "002-C1, 002-C2, 002-C3, 002-C4, 002-C6"
ALT = (
    "Left, order on the embeddings' own two components and validation accuracy against the step, by member. Middle, "
    "distance from the initial to the final picture on the final components against the width of the model, members "
    "and the mean of independent initialisations, by architecture. Right, share of the variance by frequency before "
    "and after training, of one member."
)


@style.styled
def draw(
    embedding: pd.DataFrame,
    embedding_members: pd.DataFrame,
    embedding_spectrum: pd.DataFrame,
    histories: pd.DataFrame,
    members: pd.DataFrame,
    designs: pd.DataFrame,
) -> Figure:
    """The first and the last panel of Transformers, or of perceptrons where none was followed."""
    if embedding_members.empty:
        return style.notice("No embeddings have been followed through training yet.", style.DOUBLE)
    transformers = embedding_members[embedding_members["architecture"] == "transformer"]
    own = transformers if len(transformers) else embedding_members
    own = own[own["cell"] == own.sort_values(["generalised", "width", "cell"])["cell"].iloc[-1]]
    figure = style.canvas(style.DOUBLE, 2.4)
    left, middle, right = figure.subplots(1, 3)
    style.letter(left, "a", "Order and accuracy")
    chosen = members.merge(own[["cell", "seed"]], on=["cell", "seed"])
    course(left, embedding, curves.followed(histories, chosen), own)
    style.letter(middle, "b", "From start to end")
    distance(middle, embedding_members)
    style.letter(right, "c", "Frequencies")
    spectrum(right, embedding_spectrum, own)
    return figure


def course(ax: Axes, embedding: pd.DataFrame, histories: pd.DataFrame, own: pd.DataFrame) -> None:
    for member in own.itertuples():
        series = embedding[(embedding["cell"] == member.cell) & (embedding["seed"] == member.seed)].sort_values("step")
        series = series[series["step"] >= curves.FIRST]
        ax.plot(series["step"], series["order"], color=style.HIGHLIGHT, linewidth=0.9)
        history = histories[(histories["cell"] == member.cell) & (histories["seed"] == member.seed)]
        ax.plot(history["step"], history["val_acc"], color=style.VALIDATION, linewidth=0.9)
    style.log_steps(ax.xaxis)
    ax.set(xlabel="optimisation step", ylabel="share", ylim=(-0.04, 1.3))
    ax.set_yticks([0, 0.5, 1])
    lines = [Line2D([], [], color=color) for color in (style.VALIDATION, style.HIGHLIGHT)]
    ax.legend(lines, ["validation accuracy", "order"], loc="upper left", borderaxespad=0.1)


def distance(ax: Axes, found: pd.DataFrame) -> None:
    for name, group in found.groupby("architecture"):
        group = group[group["weight_decay"] == group["weight_decay"].mode().iloc[0]]
        color = style.ARCHITECTURE_COLORS[name]
        means = group.groupby("width")[["initial_disparity", "null_disparity"]].median()
        ax.plot(group["width"], group["initial_disparity"], "o", color=color, markersize=2.4, alpha=0.5)
        ax.plot(means.index, means["initial_disparity"], "-", color=color, label=style.ARCHITECTURE_NAMES[name])
        ax.plot(means.index, means["null_disparity"], linestyle=(0, (2, 1)), color=color, linewidth=0.8)
    ax.plot([], [], linestyle=(0, (2, 1)), color=style.MUTED, linewidth=0.8, label="independent start")
    widths = np.sort(found["width"].unique())
    ax.set_xscale("log", base=2)
    ax.set_xticks(widths, [f"{width:g}" for width in widths])
    ax.minorticks_off()
    ax.set(xlabel="width of the embeddings", ylabel="Procrustes distance", ylim=(0, 1.45))
    ax.set_xlim(widths[0] / 1.4, widths[-1] * 1.4)
    ax.set_yticks([0, 0.5, 1])
    ax.legend(loc="upper right", borderaxespad=0.1)


def spectrum(ax: Axes, spectra: pd.DataFrame, own: pd.DataFrame) -> None:
    member = own.sort_values("seed").iloc[0]
    mine = spectra[(spectra["cell"] == member["cell"]) & (spectra["seed"] == member["seed"])]
    looks = {mine["step"].min(): ("start", style.TRAINING), mine["step"].max(): ("end", style.HIGHLIGHT)}
    for shift, (step, (label, color)) in zip((-0.2, 0.2), looks.items(), strict=False):
        part = mine[mine["step"] == step]
        ax.bar(part["frequency"] + shift, part["share"], width=0.4, color=color, label=label, linewidth=0)
    top = mine["share"].max()
    ax.set(xlabel="frequency", ylabel="share of the variance", ylim=(0, 1.3 * top if top > 0 else 1))
    ax.legend(loc="upper right", ncols=2, borderaxespad=0.1)
