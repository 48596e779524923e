"""An even spectrum at the start, three frequencies at the end."""

import numpy as np
import pandas as pd

from made_up.embedding import chosen
from regrok.probes.embedding_spectrum import COLUMNS


def table(base):
    parts = []
    for row in chosen(base).itertuples():
        k = np.arange(1, row.modulus // 2 + 1)
        flat = np.full(len(k), 1 / len(k))
        peaks = flat * 0.1 + np.isin(k, (3, 7, 12)) * 0.3
        parts += [
            pd.DataFrame({"cell": row.cell, "seed": row.seed, "step": step, "frequency": k, "share": share})
            for step, share in ((0, flat), (row.last_step, peaks))
        ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])
