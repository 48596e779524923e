"""Figure 1 of report 001: the Transformer on addition modulo 97, its learning rate falling in steps or constant."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..analysis import summary
from . import curves, style

INPUTS = ("histories", "members", "designs")
TITLE = "The Transformer on addition modulo 97"
REPORTS = "001-F1, 001-C9"
ALT = (
    "Training and validation accuracy, and below them the losses, of the Transformer on addition modulo 97 against "
    "the optimisation step on a logarithmic axis, with the report's falling learning rate, whose falls are marked, "
    "and with a constant one where it was run. Thin lines are members, the thick one is the member with the median "
    "steps to grokking."
)
SCHEDULES = {"staircase": "The report's falling learning rate", "constant": "Constant learning rate"}


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """A panel a schedule that has been run."""
    members = summary.studied(members, designs, "large_modulus")
    if members.empty:
        return style.notice("The Transformer has not been trained on addition modulo 97 yet.", style.DOUBLE)
    own = {schedule: members[members["schedule"] == schedule] for schedule in SCHEDULES}
    panels = [curves.Panel(SCHEDULES[name], group, falls(group)) for name, group in own.items() if len(group)]
    return curves.draw([panels], histories)


def falls(members: pd.DataFrame) -> tuple[float, ...]:
    """Steps at which the learning rate falls while members are followed; none where it is constant."""
    every = members["every"].iloc[0]
    return () if np.isnan(every) else tuple(np.arange(every, members["last_step"].max(), every))
