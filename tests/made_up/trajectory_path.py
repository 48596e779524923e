"""Half a turn of a spiral."""

import numpy as np
import pandas as pd

from regrok.probes.trajectory_path import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "landscape", "cell"]) & (members["seed"] < 3)]
    parts = [spiral(row) for row in chosen.itertuples()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])


def spiral(row):
    steps = np.arange(0, row.last_step + 1, 200)
    angle, radius = np.pi * (1 - steps / max(row.last_step, 1)), 30 * np.exp(-steps / 2000)
    return pd.DataFrame(
        {
            "cell": row.cell,
            "seed": row.seed,
            "step": steps,
            "first": radius * np.cos(angle),
            "second": radius * np.sin(angle),
        }
    )
