import numpy as np
import pandas as pd
import pytest
from synthetic import design, frame, member

from regrok.analysis import data_needed

MEDIANS = {  # (operation, pairs) -> fraction -> t4 of both members; nan: not by 10 000 steps
    ("add", "ordered"): {0.3: np.nan, 0.4: 6000.0, 0.5: 3000.0},
    ("add", "unordered"): {0.3: np.nan, 0.4: np.nan, 0.5: 4500.0},
    ("divide", "ordered"): {0.3: 9000.0, 0.4: 4000.0, 0.5: 2000.0},
    ("divide", "unordered"): {0.3: np.nan, 0.4: 4000.0, 0.5: 2500.0},
}


def build(medians, seeds=2):
    members, designs = [], []
    for (operation, pairs), fractions in medians.items():
        for fraction, t4 in fractions.items():
            cell = f"{operation} {pairs} {fraction}"
            settings = {"cell": cell, "operation": operation, "pairs": pairs, "fraction": fraction}
            members += [member(**settings, seed=seed, t4=t4) for seed in range(seeds)]
            designs.append(design(study="operations", cell=cell))
    table = data_needed.build(frame("members", members), frame("designs", designs))
    return table.set_index(["operation", "pairs"])


@pytest.mark.parametrize(
    ("operation", "pairs", "needed", "below"),
    [
        ("add", "ordered", 0.4, 0.3),
        ("add", "unordered", 0.5, 0.4),
        ("divide", "ordered", 0.3, np.nan),
        ("divide", "unordered", 0.4, 0.3),
    ],
)
def test_smallest_fraction_that_reaches_its_median(operation, pairs, needed, below):
    row = build(MEDIANS).loc[(operation, pairs)]
    assert row["needed"] == needed
    assert row["below"] == pytest.approx(below, nan_ok=True)


def test_ratios_at_the_smallest_common_fraction():
    table = build(MEDIANS)
    assert (table["compared_at"] == 0.5).all()
    assert table["steps_ratio"].to_dict() == {
        ("add", "ordered"): 1.5,
        ("add", "unordered"): 1.8,
        ("divide", "ordered"): 1.0,
        ("divide", "unordered"): 1.0,
    }
    assert table["mirror_ratio"].to_dict() == {
        ("add", "ordered"): 1.0,
        ("add", "unordered"): 1.5,
        ("divide", "ordered"): 1.0,
        ("divide", "unordered"): 1.25,
    }
    assert table["steps_ratio_low"].isna().all()  # two members a cell


def test_interval_from_six_members():
    table = build(MEDIANS, seeds=6)
    assert (table["steps_ratio_low"] == table["steps_ratio"]).all()  # all members alike


def test_nothing_to_compare_where_no_fraction_serves_all():
    table = build(MEDIANS | {("subtract", "ordered"): {0.3: np.nan, 0.5: np.nan}})
    assert table["compared_at"].isna().all()
    assert table["steps_ratio"].isna().all()
    assert pd.isna(table.loc[("subtract", "ordered"), "needed"])
    assert pd.isna(table.loc[("subtract", "ordered"), "below"])
