"""A member turns ten times as fast in slingshots, and otherwise at an almost constant speed."""

import numpy as np
import pandas as pd

from regrok.probes.laziness import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "slingshots", "cell"])]
    with_slingshots = chosen["epsilon"] < 1e-6
    n = with_slingshots.sum()
    return pd.DataFrame(
        {
            "cell": chosen["cell"],
            "seed": chosen["seed"],
            "calm_steps": chosen["last_step"] - 80 * with_slingshots,
            "calm_low": 0.8e-6,
            "calm": 1e-6,
            "calm_high": 1.5e-6,
            "slingshot_steps": np.where(with_slingshots, 80, 0),
            "slingshot": np.where(with_slingshots, 1e-5 * (1 + 0.01 * np.arange(len(chosen)) / max(n, 1)), np.nan),
            "turned": np.where(with_slingshots, 0.4, 0.0),
        },
        columns=["cell", "seed", *COLUMNS],
    )
