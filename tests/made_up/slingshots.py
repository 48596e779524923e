"""Slingshots with small epsilon: one 200 steps before t4, or before the end, and one at step 300."""

import pandas as pd

from regrok.probes.slingshots import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "slingshots", "cell"])]
    rows = []
    for row in chosen[chosen["epsilon"] < 1e-6].itertuples():
        end = row.t4 if row.generalised else row.last_step
        for onset in (300, int(end - 200)):
            if 100 < onset < row.last_step:
                rows.append(
                    {
                        "cell": row.cell,
                        "seed": row.seed,
                        "onset": onset,
                        "end": onset + 40,
                        "loss_before": 1e-3,
                        "peak_loss": 0.5,
                        "norm_before": 10.0,
                        "norm_after": 11.0,
                    }
                )
    return pd.DataFrame(rows, columns=["cell", "seed", *COLUMNS])
