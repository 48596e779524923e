"""Robustness: how much the steps to grokking change when a setting that the report leaves open is changed."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ..analysis import format
from . import style

INPUTS = ("sensitivity",)
TITLE = "Sensitivity to settings that the report leaves open"
REPORTS = "000-T1"
ALT = (
    "Dot plot of the median steps to grokking relative to the base setting on a logarithmic axis, one row for each "
    "changed setting and one panel for each training fraction, with intervals. Open triangles are bounds where a "
    "median is not reached within the budget."
)
NAMES = {
    "embedding": "embedding width",
    "embedding_std": "initial embeddings, std",
    "beta1": "Adam's β₁",
    "beta2": "Adam's β₂",
    "epsilon": "Adam's ε",
    "decays": "weight decay on",
    "schedule": "learning rate",
    "warmup": "warm-up steps",
    "batch_size": "batch size",
    "batch_order": "batches",
    "batch_last": "last short batch",
    "loss_precision": "loss precision",
}
VALUES = {"no_biases": "no biases", "no_embeddings": "no embeddings", "replacement": "with replacement"}
GROUPED = "#f4f4f4"
WORDS = {"va": "center_baseline", "fontsize": style.SMALL, "color": style.MUTED}
WIDEST = 2.0  # the axis shows at least from 1 / WIDEST to WIDEST


@style.styled
def draw(sensitivity: pd.DataFrame) -> Figure:
    """A panel a fraction at which there is a ratio, a row a change (base → value). Below 6 members there are no
    intervals."""
    changes = sensitivity[sensitivity["setting"] != ""]
    if changes.empty:
        return style.notice("No setting has been varied against the base yet.", style.DOUBLE)
    if changes["ratio"].isna().all():
        return style.notice("No median is reached within the budget, so there is no ratio to the base.", style.DOUBLE)
    told = changes.groupby("fraction")["ratio"].transform("count") > 0
    silent = sorted(changes.loc[~told, "fraction"].unique())
    changes = changes[told]
    labels = {(change.setting, change.value): label(change) for change in ordered(changes).itertuples()}
    rows = {key: len(labels) - 1 - place for place, key in enumerate(labels)}
    fractions = sorted(changes["fraction"].unique())
    figure = style.canvas(style.DOUBLE, 0.75 + 0.17 * len(rows))
    axes = figure.subplots(1, len(fractions), squeeze=False)[0]
    for ax, which, fraction in zip(axes, "abcdefgh", fractions, strict=False):
        style.letter(ax, which, f"Training fraction {fraction:g}")
        panel(ax, changes[changes["fraction"] == fraction], rows, limit(changes))
        ax.set_xlabel("median t₄ relative to the base")
        bands(ax, rows)
        ax.set_yticks(list(rows.values()) if ax is axes[0] else [])
    axes[0].set_yticklabels(list(labels.values()))
    notes = [f"fraction {fraction:g}: no median reached within the budget" for fraction in silent]
    if (changes["ratio_bound"] != "").any():
        notes.append("open triangles: bounds, because a median is not reached within the budget")
    if notes:
        figure.supxlabel("; ".join(notes), fontsize=style.SMALL, color=style.MUTED)
    return figure


def ordered(changes: pd.DataFrame) -> pd.DataFrame:
    """Values of one setting together, settings as at the fraction with the most changes."""
    most = changes["fraction"].map(changes["fraction"].value_counts())
    changes = changes.loc[most.sort_values(ascending=False, kind="stable").index]
    rank = {setting: place for place, setting in enumerate(changes["setting"].unique())}
    return changes.sort_values("setting", key=lambda settings: settings.map(rank), kind="stable")


def panel(ax: Axes, changes: pd.DataFrame, rows: dict[tuple[str, str], int], widest: float) -> None:
    """Ratios of one fraction: a dot and its interval, an open triangle for a bound, words where nothing can be said."""
    ax.axvline(1, color=style.MUTED, linewidth=0.8, zorder=1)
    known = {(change.setting, change.value): change for change in changes.itertuples()}
    for key, row in rows.items():
        change = known.get(key)
        box = {"facecolor": GROUPED if grouped(key[0], rows) else "white", "edgecolor": "none", "pad": 0.6}
        if change is None or np.isnan(change.ratio):
            text = "not trained" if change is None else "neither median reached"
            ax.text(1, row, text, ha="center", bbox=box, **WORDS)
        else:
            dot(ax, change, row, widest, box)
    ratio_axis(ax, widest)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="y", visible=False)


def dot(ax: Axes, change, row: int, widest: float, box: dict) -> None:
    """A ratio and its interval; for a bound an open triangle and, at the far end of the row, the members behind it."""
    if np.isfinite(change.ratio_low):
        ends = np.clip([change.ratio_low, change.ratio_high], 1 / widest, widest)
        ax.plot(ends, [row, row], color=style.INK, linewidth=1)
    if not change.ratio_bound:
        ax.plot(change.ratio, row, "o", color=style.INK)
        return
    style.censored(ax, [change.ratio], [row], style.INK, marker=change.ratio_bound)
    left = change.ratio > 1
    place = {"transform": ax.get_yaxis_transform(), "ha": "left" if left else "right", "zorder": 2.5}
    ax.text(0.02 if left else 0.98, row, f"{change.events} of {change.n} generalise", bbox=box, **place, **WORDS)


def limit(changes: pd.DataFrame) -> float:
    """Largest factor that the axis shows: of every ratio, and of intervals up to four times that."""
    factors = np.exp(np.abs(np.log(changes["ratio"].dropna())))
    most = max(WIDEST, factors.max() if len(factors) else 1)
    ends = changes[["ratio_low", "ratio_high"]].to_numpy(float)
    ends = np.exp(np.abs(np.log(ends[(ends > 0) & np.isfinite(ends)])))
    return min(max(most, ends.max(initial=1)), 4 * most) * 1.15


def ratio_axis(ax: Axes, widest: float) -> None:
    ax.set_xscale("log")
    ax.set_xlim(1 / widest, widest)
    ax.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if widest < 30 else (1,)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def bands(ax: Axes, rows: dict[tuple[str, str], int]) -> None:
    """A shade behind every other setting, so that its values read as one group."""
    for (setting, _), row in rows.items():
        if grouped(setting, rows):
            ax.axhspan(row - 0.5, row + 0.5, color=GROUPED, linewidth=0, zorder=0)


def grouped(setting: str, rows: dict[tuple[str, str], int]) -> bool:
    """Whether a setting is every other one from above."""
    return list(dict.fromkeys(name for name, _ in rows)).index(setting) % 2 == 1


def label(change) -> str:
    """Such as "embedding width: 80 → 24", thousands set apart as in the text."""
    values = [VALUES.get(text, text) for text in (change.base_value, change.value)]
    words = re.sub(r"(?<![\d.])\d{4,}", lambda digits: format.steps(int(digits[0])), " → ".join(values))
    return f"{NAMES.get(change.setting, change.setting)}: {words}"
