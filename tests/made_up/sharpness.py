"""A sharpness that rises to step 1 000 and falls from there on where a member generalises."""

import numpy as np
import pandas as pd

from regrok.probes.sharpness import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "precursors", "cell"])]
    parts = [_of(row) for row in chosen.itertuples()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])


def _of(row):
    steps = np.arange(250, min(row.last_step, 4000) + 1, 250)
    fall = np.exp(-np.maximum(steps - 1000, 0) / 1500) if row.generalised else 1.0
    sharpness = (10 + row.seed) * (1 - np.exp(-steps / 400)) * fall
    frame = {"cell": row.cell, "seed": row.seed, "step": steps, "train_loss": 0.01, "sharpness": sharpness}
    return pd.DataFrame(frame | {"trace": 20 * sharpness, "trace_error": 1.0})
