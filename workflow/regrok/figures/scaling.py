"""Steps to grokking against the training fraction, ours and the report's, with the laws fitted to each."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import format, reported, scaling_laws, summary
from . import style

INPUTS = ("scaling", "steps_to_grokking", "members", "designs")
TITLE = "Laws of steps to grokking against training data"
REPORTS = "000-C3"
ALT = (
    "Steps to grokking on a logarithmic axis against the training fraction of modular division, our members and "
    "medians in one panel and the points of the report's Table 2 in the other, each with fitted exponential, power, "
    "offset power and threshold laws that are continued to smaller fractions. Open triangles are times that exceed "
    "the budget."
)
FRACTIONS = np.linspace(0.12, 0.76, 641)  # where laws are drawn
ASYMPTOTE = np.geomspace(1e-12, 1e-2, 60)  # distances to a critical fraction, where the law is steep
HEADROOM = 20  # times the largest budget: predictions at small fractions go beyond what was run


@style.styled
def draw(
    scaling: pd.DataFrame, steps_to_grokking: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame
) -> Figure:
    """Panels: ours, the report's. Laws are strong where there are events and faint beyond."""
    members = summary.studied(members, designs, "data_fraction")
    cells = steps_to_grokking[steps_to_grokking["cell"].isin(members["cell"])]
    figure = style.canvas(style.DOUBLE, 3.2)
    own, theirs = figure.subplots(1, 2, sharex=True, sharey=True)
    style.letter(own, "a", "This work")
    style.letter(theirs, "b", "Report, Table 2")
    points(own, cells, members)
    reported_points(own, faint=True)
    reported_points(theirs)
    generalised = members.loc[members["generalised"], "fraction"]
    laws(own, scaling[scaling["source"] == "ours"], generalised)
    laws(theirs, scaling[scaling["source"] == "reported"], pd.Series(numbered()["fraction"]))
    finish(own, theirs, members)
    return figure


def points(ax: Axes, cells: pd.DataFrame, members: pd.DataFrame) -> None:
    """Members, medians with intervals (95 %, below 6 members the range), open triangles at the budget."""
    if members.empty:
        return
    ax.plot(members["fraction"], members["t4"], "o", color=style.INK, alpha=0.35, markersize=2.4, markeredgewidth=0)
    missed = members[~members["generalised"]]
    style.censored(ax, missed["fraction"], missed["last_step"], style.INK, size=2.4, gid="")
    reached, never = (cells[pick] for pick in (np.isfinite(cells["median"]), np.isinf(cells["median"])))
    ax.vlines(reached["fraction"], *style.bars(reached, members), color=style.INK, linewidth=1)
    ax.plot(
        reached["fraction"],
        reached["median"],
        "o",
        color=style.INK,
        markersize=4.2,
        markeredgecolor="white",
        markeredgewidth=0.5,
    )
    style.censored(ax, never["fraction"], never["budget"], style.INK, size=5)


def numbered() -> dict[str, list[float]]:
    """The fractions and steps of Table 2 that have a number."""
    rows = {fraction: row["steps"] for fraction, row in reported.DATA_FRACTION.items() if np.isfinite(row["steps"])}
    return {"fraction": list(rows), "steps": list(rows.values())}


def reported_points(ax: Axes, faint: bool = False) -> None:
    never = [fraction for fraction, row in reported.DATA_FRACTION.items() if np.isnan(row["steps"])]
    look = {"color": style.REPORTED, "alpha": 0.45 if faint else 1}
    ax.plot(*numbered().values(), "D", markersize=3.2 if faint else 4, markeredgewidth=0, zorder=2.5, **look)
    if faint:
        place = {"textcoords": "offset points", "va": "center", "fontsize": style.SMALL}
        ax.annotate(
            "report", (numbered()["fraction"][0], numbered()["steps"][0]), (5, 2), color=style.REPORTED, **place
        )
    size = 3.5 if faint else 5
    style.censored(ax, never, [reported.UNSUCCESSFUL_STEPS] * len(never), size=size, gid="reported", **look)


def laws(ax: Axes, fits: pd.DataFrame, events: pd.Series) -> None:
    """A line a law, and in words which describes the events best."""
    fitted = fits[fits["reason"] == ""].sort_values("delta_aic")
    if fitted.empty:
        note = "no law can be fitted:\n" + (
            f"{len(events)} members have generalised" if len(events) else "no member has generalised"
        )
        ax.text(0.97, 0.86, note, transform=ax.transAxes, ha="right", va="top", color=style.MUTED)
        return
    for law in fitted.itertuples():
        look = {"color": style.LAW_COLORS[law.law], "linestyle": style.LAW_DASHES[law.law], "zorder": 1.5}
        fractions = np.union1d(FRACTIONS, law.shift + ASYMPTOTE) if law.law == "threshold" else FRACTIONS
        steps = scaling_laws.predict(fit_of(law), fractions)
        inside = (fractions >= events.min()) & (fractions <= events.max())
        shown = np.isfinite(steps) & (fractions >= FRACTIONS[0])
        ax.plot(fractions[shown], steps[shown], linewidth=0.7, alpha=0.75, **look)
        shift = f", $r_c$ = {law.shift:.2f}" if law.law == "threshold" else ""
        label = f"{style.LAW_NAMES[law.law]}{shift} (ΔAIC {law.delta_aic:.{law.delta_aic < 9.95:d}f})"
        ax.plot(fractions[inside], steps[inside], linewidth=1.5, label=label, **look)
    ax.legend(loc="upper right", borderaxespad=0.2, labelspacing=0.3, bbox_to_anchor=(1, 0.94))


def fit_of(law) -> scaling_laws.Fit:
    """The fit behind a row of the table."""
    names = scaling_laws.LAWS[law.law].names
    params = dict(zip(names, (law.scale, law.exponent, law.shift), strict=False))
    missing = dict.fromkeys(names, np.nan)
    numbers = (law.sigma, law.log_likelihood, law.aic, law.aicc, law.lack_of_fit)
    return scaling_laws.Fit(law.law, params, missing, missing, *numbers, law.n, law.events)


def finish(own: Axes, theirs: Axes, members: pd.DataFrame) -> None:
    budget = max(members["budget"].max() if len(members) else 0, reported.UNSUCCESSFUL_STEPS)
    low = np.nanmin([members["t4"].min(), members["budget"].min(), *numbered()["steps"]])
    for ax in (own, theirs):
        style.log_steps(ax.yaxis)
        ax.set(
            xlabel="training fraction r",
            xlim=(FRACTIONS[0] - 0.02, FRACTIONS[-1] + 0.02),
            ylim=(low / 1.6, HEADROOM * budget),
        )
    style.explain_censored(own)
    style.explain_censored(theirs, f"no grokking by {format.steps(reported.UNSUCCESSFUL_STEPS)} steps")
    theirs.tick_params(labelleft=False)
    own.set_ylabel("steps to grokking, t₄")
