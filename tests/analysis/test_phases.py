"""Phases and the dates of events under several rules, from hand-made histories."""

import numpy as np
import pandas as pd
import pytest
from handmade import group, tables

from regrok.analysis import event_rules, phases

STEPS = np.arange(0, 4001, 50)


def rising(at: float, to: float = 1.0) -> np.ndarray:
    return np.where(at <= STEPS, to, 0.0).astype("float32")


def history(train, val, seed=0):
    return pd.DataFrame({"cell": "cell", "seed": seed, "step": STEPS, "train_acc": train, "val_acc": val})


@pytest.mark.parametrize(
    ("train", "val", "expected"),
    [
        (rising(9999), rising(9999), "confusion"),
        (rising(200), rising(9999), "memorisation"),
        (rising(200), rising(200, 0.89), "memorisation"),
        (rising(200), rising(1200), "grokking"),
        (rising(200), rising(1150), "comprehension"),
        (rising(200), rising(1150, 0.9), "comprehension"),
    ],
)
def test_phase(train, val, expected):
    assert phases.phase(history(train, val), 4000) == expected


def test_what_comes_after_the_study_does_not_count():
    assert phases.phase(history(rising(200), rising(3000)), 2500) == "memorisation"


def test_a_cell_has_the_phase_of_most_of_its_members():
    curves = [history(rising(200), rising(val), seed) for seed, val in enumerate((1200, 2000, 9999))]
    made = tables(group("prediction", [np.nan] * 3, budget=4000, t2=200.0))
    (row,) = phases.build(made["members"], made["designs"], pd.concat(curves)).to_dict("records")
    assert [row[name] for name in phases.PHASES] == [0, 1, 2, 0]
    assert row["phase"] == "grokking"


def test_rules_date_events_differently():
    """Validation is above guessing from 300, above 90 % from 1000, above 99 % from 2000, at 100 % from 3000."""
    val = np.select(
        [STEPS >= 3000, STEPS >= 2000, STEPS >= 1000, STEPS >= 300, STEPS >= 100], [1, 0.99, 0.9, 0.2, 0.005]
    )
    made = tables(group("fractions_003", [2000.0] * 6, budget=4000, t2=200.0, last_step=4000))
    curves = pd.concat([history(rising(200), val.astype("float32"), seed) for seed in range(6)])
    table = event_rules.build(made["members"], made["designs"], curves).set_index(["event", "rule"])
    assert table.loc[("t4", slice(None)), "median"].to_dict() == {
        ("t4", "0.99"): 2000,
        ("t4", "0.9"): 1000,
        ("t4", "1"): 3000,
    }
    assert table.loc[("t3", "chance"), "median"] == 300
    assert table.loc[("t3", "any"), "median"] == 100
    assert table.loc[("t4", "0.9"), "ratio"] == pytest.approx(0.5)
    assert table.loc[("t4", "0.9"), ["low", "high"]].tolist() == [0.5, 0.5]
    assert (table["n"] == 6).all()


def test_the_interval_of_a_median():
    """Order statistics 2 and 7 of 8 cover with 1 - 2 * 9 / 256 = 93 %, 1 and 8 with 99 %."""
    assert event_rules.median_interval(np.arange(8.0)) == (0, 7)
    assert event_rules.median_interval(np.arange(9.0)) == (1, 7)  # 1 - 2 * 10 / 512 = 96 %
    assert np.isnan(event_rules.median_interval(np.arange(5.0))).all()
