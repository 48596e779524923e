"""A falling loss with a spike 200 steps before t4, or before the end, and a last layer that grows there."""

import numpy as np
import pandas as pd

from regrok.probes.step_signals import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "slingshots", "cell"])]
    parts = [_of(row) for row in chosen[chosen["seed"] < 3].itertuples()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])


def _of(row):
    steps = np.arange(20, min(row.last_step, 10_000) + 1, 20)
    onset = (row.t4 if row.generalised else row.last_step) - 200
    spike = (row.epsilon < 1e-6) * np.exp(-(((steps - onset - 20) / 30) ** 2))
    return pd.DataFrame(
        {
            "cell": row.cell,
            "seed": row.seed,
            "step": steps,
            "loss": 4 * np.exp(-steps / 100) + 1e-3 + spike,
            "grad_norm": 0.1 + spike,
            "update_norm": 0.05,
            "cosine_distance": 1e-6 * (1 + 5 * spike),
            "cosine_distance_max": 2e-6 * (1 + 9 * spike),
            "last_layer_norm": 10 + (steps > onset),
        }
    )
