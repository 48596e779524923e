import numpy as np
import pandas as pd
import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import summands


def test_sizes_of_every_cell():
    base = base_tables(seeds=1)
    table = summands.build(base["members"], base["designs"])
    assert table[["terms", "fixed_size"]].values.tolist() == [
        *([terms, False] for terms in (2, 3, 4)),
        *([terms, True] for terms in (3, 4)),
    ]
    assert list(table["n_examples"]) == [41**2, 41**3, 41**4, 41**3, 41**4]
    assert list(table["n_train"]) == [1177, 48_245, 1_978_033, 1177, 1177]
    assert list(table["steps_per_epoch"]) == [5, 189, 7727, 5, 5]
    assert list(table["evaluated_train"]) == [1177, 2048, 2048, 1177, 1177]
    assert list(table["evaluated_val"]) == [504, 2048, 2048, 2048, 2048]


def test_half_width():
    # 1.96 sqrt(0.99 x 0.01 / 2048) = 0.431 points, and 2.166 at one half; of a few left out, sqrt(1 / 3) as much
    assert summands.half_width(0.99, 2048, 10**9) == pytest.approx(0.431, abs=5e-4)
    assert summands.half_width(0.5, 2048, 10**9) == pytest.approx(2.166, abs=5e-4)
    assert summands.half_width(0.5, 3, 4) == pytest.approx(98 * np.sqrt(1 / 3) * np.sqrt(1 / 3))
    assert summands.half_width(0.99, 504, 504) == 0


def test_half_width_covers_what_is_drawn():
    """Of 4 096 validation examples 3 % are wrong: 95 % of the samples of half of them come within the half width."""
    rng = np.random.default_rng(0)
    measured = rng.hypergeometric(3973, 123, 2048, size=20_000) / 2048
    within = np.abs(measured - 3973 / 4096) <= summands.half_width(3973 / 4096, 2048, 4096) / 100
    assert within.mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(
    ("terms", "fraction", "fixed"),
    [(2, 0.7, False), (3, 0.7, False), (3, 0.01708, True), (4, 4.165e-4, True), (3, 0.0171, False)],
)
def test_controls_have_the_training_examples_of_two_terms(terms, fraction, fixed):
    assert summands.fixed_size(pd.Series({"modulus": 41, "terms": terms, "fraction": fraction})) == fixed


def build(times, **changes):
    """times: (t2, t4) of seeds 0, 1, ... of three terms modulo 41."""
    settings = {"modulus": 41, "terms": 3, "fraction": 0.7, "steps_per_epoch": 200} | changes
    rows = [member(seed=seed, t2=t2, t4=t4, **settings) for seed, (t2, t4) in enumerate(times)]
    designs = frame("designs", [design(study="summands", report="001", cell="cell")])
    return summands.build(frame("members", rows), designs).iloc[0]


def test_times_in_steps_and_in_epochs():
    row = build([(400.0, 600.0 + 100 * seed) for seed in range(6)])
    assert row[["t2", "t4", "delay"]].tolist() == [400, 850, 450]
    assert row[["t4_low", "t4_high", "delay_low", "delay_high"]].tolist() == [600, 1100, 200, 700]
    assert row[["t2_epochs", "t4_epochs", "delay_epochs"]].tolist() == [2, 4.25, 2.25]
    assert row[["t4_epochs_low", "t4_epochs_high"]].tolist() == [3, 5.5]
    assert row["t4_epochs_text"].replace("\u00a0", " ") == "4.25 [3.00, 5.50]"
    assert row[["n", "events", "memorised"]].tolist() == [6, 6, 6]


def test_what_is_not_reached_by_the_budget():
    row = build([(400.0, np.nan), (np.nan, np.nan)])
    assert row[["n", "events", "memorised"]].tolist() == [2, 0, 1]
    assert row[["t4", "t4_epochs", "delay"]].tolist() == [np.inf] * 3
    assert row["t4_epochs_text"] == "not reached (0 of 2 by 50.0)"
