"""An L of the training loss and a U of the validation loss with its bottom at the final norm."""

import numpy as np
import pandas as pd

from regrok.probes.constrained_norm import COLUMNS


def table(base):
    designs, members = base["designs"], base["members"]
    chosen = members[members["cell"].isin(designs.loc[designs["study"] == "landscape", "cell"]) & (members["seed"] < 3)]
    shares = np.array([0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0])
    parts = [
        pd.DataFrame(
            {
                "cell": row.cell,
                "seed": row.seed,
                "share": shares,
                "norm": 30 * shares,
                "train_loss": 1e-3 + 4 * np.exp(-4 * shares),
                "val_loss": 0.01 + 3 * np.log(shares) ** 2,
                "train_acc": 1 - np.exp(-5 * shares),
                "val_acc": 1 / (1 + np.log(shares) ** 2),
            }
        )
        for row in chosen.itertuples()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])
