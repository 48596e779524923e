"""Figure of report 003: extreme eigenvalues of the Hessian and condition numbers through training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ..analysis import summary
from . import style

INPUTS = ("curvature", "members", "designs")
TITLE = "Eigenvalues of the Hessian through training"
REPORTS = "003-F8, 003-C8"
ALT = (
    "Against the optimisation step, both axes logarithmic, a colour a training fraction, thin lines members and thick "
    "ones medians: the largest eigenvalue of the Hessian of the training loss, the size of the smallest, the ratio of "
    "the two, and the ratio of the largest to the bulk."
)
PANELS = {
    "largest": "largest eigenvalue",
    "smallest": "size of the smallest",
    "condition": "condition number",
    "bulk_condition": "largest over bulk",
}


@style.styled
def draw(curvature: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """Of the architecture with most members."""
    members = summary.studied(members, designs, "landscape")
    found = curvature.merge(members[["cell", "seed", "fraction", "architecture"]], on=["cell", "seed"])
    if found.empty:
        return style.notice("No curvature has been measured on the way to grokking yet.", style.DOUBLE)
    found = found[found["architecture"] == found["architecture"].mode().iloc[0]]
    found = found.assign(smallest=found["smallest"].abs())
    figure = style.canvas(style.DOUBLE, 2.3)
    axes = figure.subplots(1, len(PANELS), sharex=True)
    colors = shades(sorted(found["fraction"].unique()))
    for ax, which, (name, title) in zip(axes, "abcd", PANELS.items(), strict=True):
        style.letter(ax, which, title)
        panel(ax, found, name, colors)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def shades(fractions: list[float]) -> dict[float, str]:
    """A colour a fraction, the darker the more data."""
    import seaborn as sns

    return dict(zip(fractions, sns.color_palette("crest", len(fractions)).as_hex(), strict=True))


def panel(ax: Axes, found: pd.DataFrame, name: str, colors: dict[float, str]) -> None:
    shown = found[found[name] > 0]
    for fraction, group in shown.groupby("fraction"):
        for _, own in group.groupby(["cell", "seed"]):
            ax.plot(own["step"], own[name], color=colors[fraction], linewidth=0.4, alpha=0.4)
        medians = group.groupby("step")[name].median()
        label = f"fraction {fraction:g}"
        ax.plot(medians.index, medians, "o-", color=colors[fraction], markersize=3, linewidth=1.4, label=label)
    style.log_steps(ax.xaxis)
    ax.set(yscale="log", xlabel="optimisation step")
    if len(shown):
        ax.set_ylim(*style.around(shown[name].min(), shown[name].max()))
    ax.yaxis.set_major_locator(LogLocator(10, numticks=5))
    ax.yaxis.set_minor_formatter(NullFormatter())
