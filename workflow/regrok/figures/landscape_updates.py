"""Figure of report 003: loss and accuracy along the direction in which training went on from a step."""

import pandas as pd
from matplotlib.figure import Figure

from ..analysis import summary
from . import landscape_lines, style

INPUTS = ("landscape_line", "members", "designs")
TITLE = "Loss and accuracy along the next stretch of training"
REPORTS = "003-F5"
ALT = (
    "A row a training fraction, a column a step of training: losses above and accuracies below, on the training set "
    "dashed and on the validation set solid, along the straight line from the weights of that step, at 0, to those of "
    "the next snapshot, at 1. Thin lines are members, the thick one is that with the median steps to grokking."
)


@style.styled
def draw(landscape_line: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """The smallest and the largest fraction, and at most four steps that both have."""
    return landscape_lines.grid(landscape_line, summary.studied(members, designs, "landscape"), "next")
