"""Slingshots by setting, of a cell worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from handmade import NEVER, group, tables

from regrok.analysis import slingshot_members, slingshot_settings

ONSETS = {0: [300, 1300, 2200], 1: [1000], 2: [], 3: [500, 4000]}


@pytest.fixture(scope="module")
def row():
    own = group("slingshots", [2500.0, 4500.0, 3000.0, NEVER], budget=6_000, beta2=0.98, loss_precision="float64")
    made = tables(own)
    onsets = pd.DataFrame([(seed, at) for seed, all_of in ONSETS.items() for at in all_of], columns=["seed", "onset"])
    slingshots = onsets.assign(cell="cell")
    laziness = pd.DataFrame({"cell": "cell", "seed": range(4), "calm_low": 1.0, "calm": 1.0, "calm_high": 1.0})
    laziness = laziness.assign(slingshot=2.0, turned=0.1)
    members = slingshot_members.build(made["members"], made["designs"], slingshots, laziness)
    (found,) = slingshot_settings.build(made["members"], made["designs"], members).to_dict("records")
    return found


def test_counts(row):
    assert (row["n"], row["with_slingshots"], row["events"]) == (4, 3, 3)
    assert row["at_onset"] == 1  # seed 0, 300 steps after its last; seed 1 is 3 500 steps after
    assert row["without"] == 1  # seed 2
    assert row["slingshots"] == np.median([3, 1, 0, 2])


def test_period(row):
    assert row["period"] == np.median([950, 3500])  # of seeds 0 and 3


def test_settings_are_kept(row):
    assert (row["beta2"], row["loss_precision"], row["median"]) == (0.98, "float64", 3750)
