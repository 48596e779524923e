"""Shares that fall off geometrically, above those of a walk and below those of one that decays."""

import numpy as np
import pandas as pd

from regrok.probes.trajectory import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "landscape", "cell"])]
    component = np.arange(1, 6)
    parts = [
        pd.DataFrame(
            {
                "cell": row.cell,
                "seed": row.seed,
                "component": component,
                "share": 0.8 * 0.2 ** (component - 1),
                "cumulative": 1 - 0.2**component,
                "walk": 1 - 0.4**component,
                "decaying": 1 - 0.1**component,
                "decay": 0.05,
                "snapshots": 26,
            }
        )
        for row in chosen.itertuples()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])
