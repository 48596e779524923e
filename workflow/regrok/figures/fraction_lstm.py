"""Figure 4 of report 001: the LSTM on addition modulo 41 at several training fractions."""

import pandas as pd
from matplotlib.figure import Figure

from . import curves, style

INPUTS = ("histories", "members", "designs")
TITLE = "Training fractions: LSTM"
REPORTS = "001-F4"
ALT = (
    "Training and validation accuracy, and below them the losses, of the LSTM against the optimisation step on a "
    "logarithmic axis, one panel a training fraction. Thin lines are members, the thick one is the member with the "
    "median steps to grokking; marks show the median steps to memorisation and to grokking."
)


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    return curves.by_fraction(histories, members, designs, "fractions", "lstm")
