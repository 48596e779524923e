"""Steps to grokking and the share of members that generalise against the training fraction, with laws and threshold."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import scaling_laws, summary
from . import scaling, style

INPUTS = ("scaling_003", "steps_to_grokking", "critical_fraction", "members", "designs")
TITLE = "Steps to grokking and the critical fraction of report 003"
REPORTS = "003-C1, 003-C6"
ALT = (
    "Left, steps to grokking on a logarithmic axis against the training fraction, members and medians, with fitted "
    "exponential, power, offset power and threshold laws; open triangles are times that exceed the budget. Right, the "
    "share of members that generalise within the budget against the training fraction, with the fraction at which half "
    "do and its interval."
)


@style.styled
def draw(
    scaling_003: pd.DataFrame,
    steps_to_grokking: pd.DataFrame,
    critical_fraction: pd.DataFrame,
    members: pd.DataFrame,
    designs: pd.DataFrame,
) -> Figure:
    """Of the architecture that was trained most."""
    members = summary.studied(members, designs, "fractions_003")
    if members.empty:
        return style.notice("No network of report 003 has been trained at several fractions yet.", style.DOUBLE)
    name = members["architecture"].mode().iloc[0]
    members = members[members["architecture"] == name]
    cells = steps_to_grokking[steps_to_grokking["cell"].isin(members["cell"])]
    figure = style.canvas(style.DOUBLE, 2.9)
    times, shares = figure.subplots(1, 2, sharex=True)
    style.letter(times, "a", "Steps to grokking")
    scaling.points(times, cells, members)
    generalised = members.loc[members["generalised"], "fraction"]
    fractions = np.linspace(members["fraction"].min() - 0.02, members["fraction"].max() + 0.02, 641)
    laws(times, scaling_003[scaling_003["source"] == name], generalised, fractions)
    low, high = np.nanmin([members["t4"].min(), members["budget"].min()]), members["budget"].max()
    style.log_steps(times.yaxis)
    times.set(xlabel="training fraction r", ylabel="steps to grokking, t₄", ylim=(low / 1.6, 20 * high))
    style.explain_censored(times)
    style.letter(shares, "b", "Members that generalise")
    threshold(shares, members, critical_fraction[critical_fraction["architecture"] == name])
    shares.set_xlim(fractions[0] - 0.02, fractions[-1] + 0.02)
    return figure


def laws(ax: Axes, fits: pd.DataFrame, events: pd.Series, fractions: np.ndarray) -> None:
    """As in the figure of report 000, over the fractions of this study."""
    fitted = fits[fits["reason"] == ""].sort_values("delta_aic")
    for law in fitted.itertuples():
        look = {"color": style.LAW_COLORS[law.law], "linestyle": style.LAW_DASHES[law.law], "zorder": 1.5}
        at = np.union1d(fractions, law.shift + scaling.ASYMPTOTE) if law.law == "threshold" else fractions
        at = at[(at >= fractions[0]) & (at <= fractions[-1])]
        steps = scaling_laws.predict(scaling.fit_of(law), at)
        inside = (at >= events.min()) & (at <= events.max())
        ax.plot(at, steps, linewidth=0.7, alpha=0.75, **look)
        label = f"{style.LAW_NAMES[law.law]} (ΔAIC {law.delta_aic:.{law.delta_aic < 9.95:d}f})"
        ax.plot(at[inside], steps[inside], linewidth=1.5, label=label, **look)
    if len(fitted):
        ax.legend(loc="upper right", borderaxespad=0.2, labelspacing=0.3, bbox_to_anchor=(1, 0.94))
    else:
        ax.text(0.97, 0.86, "no law can be fitted", transform=ax.transAxes, ha="right", va="top", color=style.MUTED)


def threshold(ax: Axes, members: pd.DataFrame, critical: pd.DataFrame) -> None:
    """Shares, and the critical fraction of the study fractions_003 with its interval."""
    shares = members.groupby("fraction")["generalised"].mean()
    own = critical[critical["study"] == "fractions_003"]
    for row in own[own["critical"].notna()].itertuples():
        if np.isfinite(row.low) and np.isfinite(row.high):
            ax.axvspan(row.low, row.high, color=style.HIGHLIGHT, alpha=0.25, linewidth=0)
        ax.axvline(row.critical, color=style.HIGHLIGHT, linewidth=1)
        ax.annotate(
            f"half at {row.text}",
            (0.97, 0.1),
            xycoords="axes fraction",
            ha="right",
            color=style.INK,
            fontsize=style.SMALL,
        )
    ax.plot(shares.index, shares, "o-", color=style.VALIDATION, markersize=4, linewidth=1)
    style.percent(ax.yaxis)
    ax.set(xlabel="training fraction r", ylabel="share of members", ylim=(-0.05, 1.05))
