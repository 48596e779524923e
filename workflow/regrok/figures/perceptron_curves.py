"""The two figures of "Simple Grokking" in report 002: the perceptron with a small and with a large weight decay."""

import pandas as pd
from matplotlib.figure import Figure

from ..analysis import summary
from . import curves, style

INPUTS = ("histories", "members", "designs")
TITLE = "A simple perceptron with little and with much weight decay"
REPORTS = "002-F1, 002-F2, 002-C5"
ALT = (
    "Training and validation accuracy, and below them the losses, of the perceptron on addition modulo 53 against the "
    "optimisation step on a logarithmic axis, in one panel with a weight decay of 0.03, in the other with 5. Thin "
    "lines are members, the thick one is the member with the median steps to grokking."
)


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """A panel a weight decay, the smaller first."""
    members = summary.studied(members, designs, "simple_grokking")
    if members.empty:
        return style.notice("The simple perceptron has not been trained yet.", style.DOUBLE)
    panels = [curves.Panel(f"Weight decay {decay:g}", group) for decay, group in members.groupby("weight_decay")]
    return curves.draw([panels], histories)
