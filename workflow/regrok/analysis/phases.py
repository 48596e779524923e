"""The phase of every cell of report 003's studies after Liu et al. 2022, Table 1.

A member's training and validation accuracy reach 90 % within the budget or do not. Comprehension: both do, less than 1
000 steps apart. Grokking: both do, further apart. Memorisation: only training accuracy does. Confusion: neither does,
which includes members that diverge. (Liu et al. follow members to 100 000 steps; ours are followed to the budget of
their study, and with more steps a cell can only move from confusion towards comprehension or grokking.)
"""

import numpy as np
import pandas as pd

from ..events import first_sustained
from .summary import studied, table

INPUTS = ("members", "designs", "histories")
REPORTS = "003-C2"
PHASES = ("confusion", "memorisation", "grokking", "comprehension")
COLUMNS = {
    "study": ("", "name of the study"),
    "cell": ("", "id of the cell"),
    "architecture": ("", "model"),
    "fraction": ("1", "share of the examples that is trained on"),
    "learning_rate": ("1", "learning rate"),
    "weight_decay": ("1", "weight decay"),
    "budget": ("steps", "how far members were followed at most"),
    "n": ("1", "members"),
    **{phase: ("1", f"members in {phase}") for phase in PHASES},
    "phase": (
        "",
        "that of most members; of equally many the first of confusion, memorisation, grokking, comprehension",
    ),
}
STUDIES = ("fractions_003", "prediction")
ACCURACY, DELAY = 0.9, 1000


def build(members: pd.DataFrame, designs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row a (study, cell)."""
    curves = dict(iter(histories.groupby(["cell", "seed"])))
    rows = []
    for study in STUDIES:
        for cell, own in studied(members, designs, study).groupby("cell", sort=False):
            found = [phase(curves[cell, row.seed], row.last_step) for row in own.itertuples()]
            counts = {name: found.count(name) for name in PHASES}
            settings = own.iloc[0][["architecture", "fraction", "learning_rate", "weight_decay", "budget"]]
            rows.append(
                {
                    "study": study,
                    "cell": cell,
                    **settings,
                    "n": len(own),
                    **counts,
                    "phase": max(counts, key=counts.get),
                }
            )
    return table(rows, COLUMNS)


def phase(history: pd.DataFrame, last_step: int) -> str:
    """The phase of a member from its history (step, train_acc, val_acc) up to `last_step`."""
    history = history[history["step"] <= last_step]
    steps = history["step"].to_numpy()
    train, val = (first_sustained(steps, history[side].to_numpy() >= ACCURACY).at for side in ("train_acc", "val_acc"))
    if np.isnan(train):
        return "confusion"
    if np.isnan(val):
        return "memorisation"
    return "comprehension" if val - train < DELAY else "grokking"
