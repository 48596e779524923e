import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import DTYPES, base_tables, design, frame, member

from regrok.analysis import transition


def build(steps, accuracy, **changes):
    history = pd.DataFrame({"cell": "cell", "seed": 0, "step": steps, "val_acc": accuracy})
    history = history.reindex(columns=list(DTYPES["histories"])).astype(DTYPES["histories"])
    designs = frame("designs", [design(study="transition")])
    return transition.build(frame("members", [member(**changes)]), designs, history).iloc[0]


def test_width_is_bracketed_by_evaluations():
    row = build(
        [0, 50, 100, 150, 200, 250, 300, 350],
        [0.01, 0.20, 0.05, 0.40, 0.60, 0.99, 1.00, 1.00],
    )
    assert row["below"] == 100  # leaves 5 % for good in (100, 150] and reaches 99 % in (200, 250]
    assert row["width"] == 150
    assert row["width_after"] == 50
    assert row["spacing"] == 50
    assert row["steepest"] == pytest.approx(0.59)  # from 150 to 250


def test_a_jump_between_two_evaluations_may_have_no_width():
    row = build([0, 10, 20, 30, 40], [0.0, 0.0, 1.0, 1.0, 1.0])
    assert (row["width"], row["width_after"], row["steepest"]) == (10, 0, 1)


def test_a_member_that_never_generalises_has_only_its_steepest_gain():
    row = build([0, 50, 100], [0.0, 0.02, 0.01])
    assert not row["generalised"]
    assert row[["t4", "below", "width", "width_after", "spacing"]].isna().all()
    assert row["steepest"] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("steps", "accuracy", "gain"),
    [
        ([0, 100, 200], [0.0, 0.4, 1.0], 0.6),
        ([0, 101, 202], [0.0, 0.4, 1.0], 0.0),  # evaluations too far apart to see any window
        ([0, 50, 100, 150], [0.0, 0.5, 0.2, 0.9], 0.7),
        ([0, 50, 100], [0.9, 0.5, 0.1], 0.0),
        ([0], [0.3], 0.0),
    ],
)
def test_steepest(steps, accuracy, gain):
    assert transition.steepest(np.array(steps), np.array(accuracy), 100) == pytest.approx(gain)


@given(st.lists(st.tuples(st.integers(1, 80), st.floats(0, 1)), min_size=1, max_size=30))
def test_steepest_is_the_largest_gain_of_all_pairs_in_the_window(points):
    steps, accuracy = np.cumsum([gap for gap, _ in points]), np.array([acc for _, acc in points])
    pairs = [
        accuracy[j] - accuracy[i] for i in range(len(steps)) for j in range(i, len(steps)) if steps[j] - steps[i] <= 100
    ]
    assert transition.steepest(steps, accuracy, 100) == max(pairs)


def test_dense_evaluations_of_the_study():
    table = transition.build(**{name: base_tables()[name] for name in transition.INPUTS})
    assert len(table) == 8
    assert (table["spacing"] == 10).all()
    assert (table["width_after"] == table["width"] - 20).all()
