"""The sweep of report 000 over learning rate and weight decay, one heat map an optimiser."""

import pandas as pd
from matplotlib.figure import Figure

from . import style, sweep

INPUTS = ("optimizer_sweep", "optimizer_best")
TITLE = "Optimisers over learning rate and weight decay"
REPORTS = "000-C2b, 000-C2d"
ALT = (
    "Three heat maps, one each for AdamW, Adam with L2 decay and SGD with momentum: rows are learning rates, "
    "columns weight decays, shading is the share of members that generalise, and each field names the median steps "
    "to grokking. Outlined fields were chosen by one half of the seeds."
)


@style.styled
def draw(optimizer_sweep: pd.DataFrame, optimizer_best: pd.DataFrame) -> Figure:
    tables = (table[table["study"] == "optimizer_sweep"] for table in (optimizer_sweep, optimizer_best))
    return sweep.draw(*tables, optimizers=("adamw", "adam", "sgd"))
