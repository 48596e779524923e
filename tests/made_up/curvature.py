"""A largest eigenvalue that grows with the step, more so where members generalise."""

import pandas as pd

from regrok.probes.curvature import COLUMNS

STEPS = (10, 100, 500, 1000, 2000, 5000)


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "landscape", "cell"])]
    rows = []
    for row in chosen.itertuples():
        for step in [step for step in STEPS if step <= row.last_step]:
            largest = (4.0 if row.generalised else 2.0) * (1 + step / 1000) * (1 + 0.01 * row.seed)
            rows.append(
                {
                    "cell": row.cell,
                    "seed": row.seed,
                    "step": step,
                    "train_loss": 4 / (1 + step / 100),
                    "largest": largest,
                    "smallest": -0.1,
                    "condition": largest / 0.1,
                    "decay": 0.03,
                    "condition_decay": (largest + 0.03) / 0.07,
                    "trace": 30.0,
                    "trace_error": 1.0,
                    "bulk": 0.02,
                    "bulk_condition": largest / 0.02,
                }
            )
    return pd.DataFrame(rows, columns=["cell", "seed", *COLUMNS])
