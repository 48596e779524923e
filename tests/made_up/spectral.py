"""Oscillations that grow with the learning rate and fall with weight decay, so that they tell something."""

import numpy as np
import pandas as pd

WINDOWS = (100, 200, 400, 1000, 2000)


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "prediction", "cell"])]
    rng = np.random.default_rng(0)
    rows = []
    for row in chosen.itertuples():
        for window in [window for window in WINDOWS if window <= row.last_step]:
            energy = row.learning_rate**1.5 / np.sqrt(row.weight_decay) * np.exp(0.3 * rng.standard_normal())
            rows.append(
                {
                    "cell": row.cell,
                    "seed": row.seed,
                    "window": window,
                    "activity": energy,
                    "mobility": 0.5 + 0.05 * rng.standard_normal(),
                    "complexity": 2 + 0.1 * rng.standard_normal(),
                    "log_activity": 3 * energy,
                    "late_activity": energy / 2,
                    "raw_activity": 1 + energy,
                    "loss": 1e-3 / row.learning_rate,
                    "weight_norm": 60 / (1 + row.weight_decay),
                }
            )
    columns = [
        "cell",
        "seed",
        "window",
        "activity",
        "mobility",
        "complexity",
        "log_activity",
        "late_activity",
        "raw_activity",
    ]
    return pd.DataFrame(rows, columns=[*columns, "loss", "weight_norm"])
