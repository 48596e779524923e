"""A bump of half a nat in the middle of lines at small fractions, none at large ones."""

import numpy as np
import pandas as pd

from regrok.probes.landscape_line import COLUMNS

STARTS = (100, 500, 2000)


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "landscape", "cell"])]
    parts = [
        line(row, s, target)
        for row in chosen.itertuples()
        for s in STARTS
        if s < row.last_step
        for target in ("end", "next")
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])


def line(row, start, target):
    alpha = np.linspace(-0.5, 1.5, 21)
    bump = (0.5 if row.fraction < 0.7 else 0.01) * np.exp(-(((alpha - 0.5) / 0.2) ** 2)) * (1 + 0.01 * row.seed)
    learned = np.clip(alpha, 0, 1) if row.generalised else np.zeros(21)
    return pd.DataFrame(
        {
            "cell": row.cell,
            "seed": row.seed,
            "start": start,
            "target": target,
            "target_step": row.last_step if target == "end" else start + 200,
            "alpha": alpha,
            "train_loss": 0.01 + bump + 0.2 * (alpha - 0.5) ** 4,
            "val_loss": 6 * (1 - learned) + bump + 0.01,
            "train_acc": 1 - bump / 2,
            "val_acc": learned,
        }
    )
