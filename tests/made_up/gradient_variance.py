"""A variance that falls with the step, and rises to a peak 300 steps before t4."""

import numpy as np
import pandas as pd

from regrok.probes.gradient_variance import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "precursors", "cell"])]
    parts = [_of(row) for row in chosen.itertuples()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])


def _of(row):
    steps = np.arange(0, min(row.last_step, 4000) + 1, 50)
    bump = 4 * np.exp(-(((steps - (row.t4 - 300)) / 120) ** 2)) if row.generalised else 0.0
    variance = (1 / (1 + steps / 300) + 0.01 * row.seed) * (1 + bump)
    frame = {"cell": row.cell, "seed": row.seed, "step": steps, "variance": variance, "squared_norm": 0.1}
    return pd.DataFrame(frame | {"relative": 10 * variance})
