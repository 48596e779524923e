"""Key frames of report 002's animation: the embeddings on the first two principal components of the end of training."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import format, summary
from . import style

INPUTS = ("embedding_frames", "members", "designs")
TITLE = "Embeddings become a circle"
REPORTS = "002-A1, 002-C1, 002-C2"
ALT = (
    "Six moments of training: each residue is a point in the plane of the first two principal components of the final "
    "embeddings, coloured by its value and joined to the one that follows it on the final circle. The first moment is "
    "before training, the last its end, and each has its own scale."
)
FRAMES = 6


@style.styled
def draw(embedding_frames: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """Moments that lie evenly in the logarithm of the step, of the member that the film shows."""
    shown = film(embedding_frames, members, designs)
    if shown.empty:
        return style.notice("No embeddings have been followed through training yet.", style.DOUBLE)
    figure = style.canvas(style.DOUBLE, 1.55)
    steps = moments(np.sort(shown["step"].unique()))
    axes = figure.subplots(1, len(steps), squeeze=False)[0]
    for ax, which, step in zip(axes, "abcdef", steps, strict=False):
        style.letter(ax, which, "start" if step == 0 else f"step {format.steps(step)}")
        frame(ax, shown[shown["step"] == step])
    return figure


def film(embedding_frames: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """The frames of one member: of Transformers, or of perceptrons where none was followed, of those that generalise,
    if any does, that with the most ordered end."""
    chosen = summary.studied(members, designs, "representation")
    if chosen.empty:
        chosen = summary.studied(members, designs, "simple_grokking")
    frames = embedding_frames.merge(chosen[["cell", "seed", "generalised"]], on=["cell", "seed"])
    if frames.empty:
        return embedding_frames.head(0)
    last = frames[frames["step"] == frames.groupby(["cell", "seed"])["step"].transform("max")]
    keys = ["generalised", "cell", "seed"]
    best = max((key[0], order(own), key) for key, own in last.groupby(keys))[-1]
    return embedding_frames[(embedding_frames["cell"] == best[1]) & (embedding_frames["seed"] == best[2])]


def order(places: pd.DataFrame) -> float:
    """Share of the variance of one moment that the circle of its frequency holds."""
    places = places.sort_values("residue")
    power = np.abs(np.fft.fft(places["first"].to_numpy() + 1j * places["second"].to_numpy())) ** 2
    k, power[0] = int(places["frequency"].iloc[0]), 0.0
    return float((power[k] + power[-k]) / max(power.sum(), 1e-300))


def moments(steps: np.ndarray) -> list[int]:
    """At most `FRAMES` of the increasing steps: the first, and evenly in the logarithm up to the last."""
    wanted = np.geomspace(max(steps[-1] / 300, 1), max(steps[-1], 1), FRAMES - 1)
    return sorted({int(steps[0]), *(int(steps[np.abs(steps - step).argmin()]) for step in wanted)})


def frame(ax: Axes, places: pd.DataFrame) -> None:
    """One moment, at its own scale: weight decay shrinks the embeddings."""
    places = places.sort_values("residue")
    first, second = places["first"].to_numpy(), places["second"].to_numpy()
    route = ring(len(places), int(places["frequency"].iloc[0]))
    ax.plot(first[route], second[route], color=style.MUTED, linewidth=0.35, alpha=0.7)
    ax.scatter(first, second, c=colors(len(places)), s=9, linewidths=0, zorder=3)
    reach = 1.1 * max(np.abs(first).max(), np.abs(second).max(), 1e-12)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")


def ring(p: int, frequency: int) -> np.ndarray:
    """The p residues in the order of frequency * x mod p, and the first again; p prime."""
    order = np.argsort(np.arange(p) * frequency % p, kind="stable")
    return np.append(order, order[0])


def colors(p: int) -> np.ndarray:
    """A colour a residue, cyclic, (p, 4)."""
    import seaborn as sns

    return sns.color_palette("husl", as_cmap=True)(np.arange(p) / p)
