"""The sweep of report 001 over learning rate and weight decay, one heat map an optimiser."""

import pandas as pd
from matplotlib.figure import Figure

from . import style, sweep

INPUTS = ("optimizer_sweep", "optimizer_best")
TITLE = "The Transformer's optimisers over rate and decay"
REPORTS = "001-C3"
ALT = (
    "Three heat maps of the Transformer, one each for AdamW, SGD with momentum and RMSprop: rows are learning rates, "
    "columns weight decays, shading is the share of members that generalise, and each field names the median steps "
    "to grokking. Outlined fields were chosen by one half of the seeds."
)


@style.styled
def draw(optimizer_sweep: pd.DataFrame, optimizer_best: pd.DataFrame) -> Figure:
    tables = (table[table["study"] == "optimizer_sweep_001"] for table in (optimizer_sweep, optimizer_best))
    return sweep.draw(*tables, optimizers=("adamw", "sgd", "rmsprop"))
