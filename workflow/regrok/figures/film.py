"""The animation of report 002 (002-A1) as a GIF: the embeddings through training on the components of its end."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ..analysis import format
from . import circle, style

FILM_INPUTS = ("embedding_frames", "members", "designs")
MILLISECONDS, PAUSE = 100, 1500  # of a frame, and of the last
INCHES, DPI = 3.2, 100


@style.styled
def write(path: str | Path, embedding_frames: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> list[Path]:
    """Write the GIF at `path`, one frame saying why if there is nothing to show; the same tables give the same bytes.

    Returns its path.
    """
    shown = circle.film(embedding_frames, members, designs)
    steps = np.sort(shown["step"].unique())
    figures = [_frame(shown, step) for step in steps] or [style.notice("No embeddings have been followed yet.")]
    images = [_image(figure) for figure in figures]
    durations = [MILLISECONDS] * (len(images) - 1) + [PAUSE]
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=False)
    return [Path(path)]


def _frame(shown: pd.DataFrame, step: int) -> Figure:
    figure = Figure(figsize=(INCHES, INCHES + 0.3), layout="constrained")
    ax = figure.subplots()
    ax.set_title(f"step {format.steps(step)}")
    circle.frame(ax, shown[shown["step"] == step])
    return figure


def _image(figure: Figure) -> Image.Image:
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()).quantize(64, dither=Image.Dither.NONE)
