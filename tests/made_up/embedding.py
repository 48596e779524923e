"""Order that rises with t4 to 0.9, near the end from the start, more so in wider models."""

import numpy as np
import pandas as pd

from regrok.probes.embedding import COLUMNS

STUDIES = ("representation", "simple_grokking", "perceptron_width")


def chosen(base, seeds=99):
    designs, members = base["designs"], base["members"]
    own = members[members["cell"].isin(designs.loc[designs["study"].isin(STUDIES), "cell"])]
    return own[own["seed"] < seeds]


def table(base):
    parts = [_of(row) for row in chosen(base).itertuples()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])


def _of(row):
    steps = np.unique(np.concatenate([[0, 10, 100], np.arange(0, row.last_step + 1, 100)]))
    rise = 1 / (1 + (row.t4 / np.maximum(steps, 1)) ** 4) if row.generalised else 0.0 * steps
    width = row.embedding if pd.isna(row.width) else row.width
    nearness = 1 - 0.1 / np.sqrt(width) - 0.01 * (row.seed % 3)
    first = steps == 0
    return pd.DataFrame(
        {
            "cell": row.cell,
            "seed": row.seed,
            "step": steps,
            "order": 0.1 + 0.8 * rise,
            "frequency": 7,
            "final_order": 0.15 + 0.75 * rise,
            "roundness": 0.9,
            "disparity": (1 - rise) * (1.5 - nearness),
            "structure": 0.12 + 0.8 * rise,
            "frequencies": 3,
            "participation": 20 - 16 * rise,
            "null_order": np.where(first, 0.1, np.nan),
            "null_order_p": np.where(first, 0.05 + 0.02 * (row.seed % 5), np.nan),
            "null_order_less_p": np.where(first, 0.96 - 0.02 * (row.seed % 5), np.nan),
            "null_disparity": np.where(first, 0.9, np.nan),
            "null_structure": np.where(first, 0.1, np.nan),
            "null_structure_p": np.where(first, 0.05 + 0.02 * (row.seed % 5), np.nan),
            "retained": np.exp(-steps / 500),
        }
    )
