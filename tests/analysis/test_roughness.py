import numpy as np
import pandas as pd
import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import roughness


def test_roughness_by_hand():
    # rises 0.5 and 0.4, falls 0.1
    assert roughness.roughness(np.array([0.0, 0.5, 0.4, 0.8])) == pytest.approx(0.1)
    assert roughness.roughness(np.array([0.0, 0.2, 0.2, 0.9])) == 0
    assert roughness.roughness(np.array([0.5, 0.1])) == 1
    assert roughness.roughness(np.array([0.5, 0.5])) == 0


def test_largest_fall_by_hand():
    # below the maximum so far: 0.3 at 0.6, then 0.2 at 0.8 of 1
    assert roughness.largest_fall(np.array([0.5, 0.9, 0.7, 0.6, 1.0, 0.8])) == pytest.approx(0.3)
    assert roughness.largest_fall(np.array([0.1, 0.2])) == 0
    assert np.isnan(roughness.largest_fall(np.array([0.9])))


STEPS = [0, 50, 100, 150, 200, 250, 300]
TRAIN = [0.0, 0.4, 0.3, 0.99, 0.99, 0.5, 1.0]
VAL = [0.0, 0.1, 0.05, 0.4, 0.99, 0.89, 0.96]


def built(t2=150.0, t4=200.0, last_step=300, steps=STEPS, budget=300):
    members = frame("members", [member(t2=t2, t4=t4, last_step=last_step, budget=budget)])
    designs = frame("designs", [design(study="fractions", budget=budget)])
    histories = pd.DataFrame({"cell": "cell", "seed": 0, "step": steps, "train_acc": TRAIN, "val_acc": VAL})
    (row,) = roughness.build(members, designs, histories).to_dict("records")
    return row


def test_a_member_is_rough_up_to_t2_and_falls_after_it():
    row = built()
    assert row["until"] == 150
    assert row["train_roughness"] == pytest.approx(0.1 / 1.19)  # the fall to 0.5 comes later
    assert row["fall_after_t2"] == pytest.approx(0.1)


def test_a_member_that_never_memorises_is_read_to_its_last_step():
    row = built(t2=np.nan, t4=np.nan)
    assert row["until"] == 300
    assert row["train_roughness"] == pytest.approx((0.1 + 0.49) / (0.1 + 0.49 + 0.4 + 0.69 + 0.5))
    assert np.isnan(row["fall_after_t2"])


def test_a_budget_ends_the_curve():
    assert built(budget=200)["fall_after_t2"] == 0


def test_additional_evaluations_do_not_count():
    assert built(steps=[0, 50, 60, 150, 200, 250, 300])["train_roughness"] == 0


def test_a_row_is_a_member_of_the_two_studies():
    base = base_tables(seeds=2, scale="laptop")
    table = roughness.build(base["members"], base["designs"], base["histories"])
    assert set(table["study"]) == {"fractions", "large_modulus"}
    assert len(table) == 2 * base["designs"]["study"].isin(["fractions", "large_modulus"]).sum()
    assert table.loc[table["architecture"] == "transformer", "hidden"].isna().all()
    assert table["train_roughness"].between(0, 1).all()
