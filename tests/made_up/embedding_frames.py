"""Points that move from a cloud onto a circle."""

import numpy as np
import pandas as pd

from made_up.embedding import chosen
from regrok.probes.embedding_frames import COLUMNS


def table(base):
    parts = []
    for row in chosen(base, seeds=2).itertuples():
        rng, p = np.random.default_rng(0), int(row.modulus)
        angle, cloud = 2 * np.pi * 7 * np.arange(p) / p, rng.normal(size=(2, p))
        for step in np.unique(np.linspace(0, row.last_step, 12).round()):
            share = step / max(row.last_step, 1)
            places = (1 - share) * cloud + share * 2 * np.array([np.cos(angle), np.sin(angle)])
            frame = {"cell": row.cell, "seed": row.seed, "step": int(step), "residue": np.arange(p)}
            parts.append(pd.DataFrame(frame | {"first": places[0], "second": places[1], "frequency": 7}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "seed", *COLUMNS])
