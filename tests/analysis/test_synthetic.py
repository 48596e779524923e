"""The made-up tables hold together, or tests that stand on them prove little."""

import numpy as np
import pandas as pd
import pytest
from synthetic import DTYPES, FRACTIONS, TYPICAL, base_tables

from regrok import events
from regrok.analysis import records

BASE = base_tables()


@pytest.mark.parametrize("name", DTYPES)
def test_has_the_columns_of_the_real_ones(name):
    assert list(BASE[name]) == list(records.COLUMNS[name])
    assert BASE[name].dtypes.astype(str).to_dict() == DTYPES[name]
    if name != "histories":
        assert BASE[name].dtypes.equals(records.frame(name, []).dtypes)


def test_members_agree_with_their_histories():
    members = BASE["members"].set_index(["cell", "seed"])
    for key, history in BASE["histories"].groupby(["cell", "seed"]):
        member = members.loc[key]
        sizes = int(member["evaluated_train"]), int(member["evaluated_val"])
        found = events.events(history, *sizes, 1 / member["chance"])
        for name, event in found.items():
            np.testing.assert_equal([event.after, event.at], [member[f"{name}_after"], member[name]])
        assert history["step"].max() == member["last_step"]
        assert history["step"].is_monotonic_increasing


def test_is_deterministic_and_gives_copies():
    again = base_tables()
    again["members"].loc[0, "t4"] = -1
    pd.testing.assert_frame_equal(base_tables()["members"], BASE["members"])
    assert not base_tables(seeds=2, scale="laptop", rng=1)["members"].equals(base_tables(2, "laptop")["members"])


@pytest.mark.parametrize(
    ("fraction", "t4"), [(fraction, TYPICAL[fraction]) for fraction in FRACTIONS if fraction in TYPICAL]
)
def test_medians_are_where_first_trials_put_them(fraction, t4):
    cells = BASE["designs"].query("study == 'data_fraction'")["cell"]
    members = BASE["members"][BASE["members"]["cell"].isin(cells)]
    assert members.loc[members["fraction"] == fraction, "t4"].median() == pytest.approx(t4, rel=0.15)


def test_the_smoke_case_has_no_event():
    smoke = base_tables(empty=True)
    assert smoke["members"][["t1", "t2", "t3", "t4"]].isna().all(axis=None)
    assert smoke["histories"]["step"].max() == 300
    assert set(smoke["members"]["seed"]) == {0, 1}
