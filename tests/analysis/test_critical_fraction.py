"""Where half of the members generalise."""

import numpy as np
import pytest
from handmade import NEVER, group, tables

from regrok.analysis import critical_fraction

FRACTIONS = np.array([0.2, 0.3, 0.4, 0.5])


@pytest.mark.parametrize(
    ("yes", "expected"),
    [
        ([0, 0, 8, 8], (0.3, 0.35, 0.4)),
        ([0, 2, 6, 8], (0.3, 0.35, 0.4)),  # shares 0, 1/4, 3/4, 1
        ([0, 4, 2, 8], (0.4, 0.4 + 0.1 * (0.5 - 0.375) / 0.625, 0.5)),  # the middle two are pooled to 3/8
        ([4, 5, 8, 8], (-np.inf, -np.inf, 0.2)),
        ([0, 0, 1, 3], (0.5, np.inf, np.inf)),
    ],
)
def test_crossing(yes, expected):
    assert critical_fraction.crossing(FRACTIONS, np.array(yes), np.full(4, 8)) == pytest.approx(expected)


def row(by_fraction, budget=10_000):
    groups = [
        group("fractions_003", times, f"at {fraction}", budget, fraction=fraction, architecture="shared_mlp")
        for fraction, times in by_fraction.items()
    ]
    made = tables(*groups)
    (found,) = critical_fraction.build(made["members"], made["designs"]).to_dict("records")
    return found


def test_a_sharp_threshold_lies_between_two_fractions():
    found = row({0.2: [NEVER] * 8, 0.3: [NEVER] * 8, 0.4: [2000.0] * 8, 0.5: [900.0] * 8})
    assert (found["none_at"], found["all_from"]) == (0.3, 0.4)
    assert found["critical"] == pytest.approx(0.35)
    assert (found["low"], found["high"]) == (0.3, 0.4)
    assert found["text"] == "0.35 [0.30,\u00a00.40]"


def test_a_wide_one_has_a_wider():
    found = row({0.2: [NEVER] * 8, 0.3: [2000.0] + [NEVER] * 7, 0.4: [2000.0] * 5 + [NEVER] * 3, 0.5: [900.0] * 8})
    assert found["low"] < found["critical"] < found["high"]
    assert found["critical"] == pytest.approx(0.3 + 0.1 * (0.5 - 0.125) / 0.5)


def test_ends_and_few_members():
    assert row({0.2: [900.0] * 8, 0.5: [900.0] * 8})["text"] == "below 0.2"
    found = row({0.2: [NEVER] * 8, 0.5: [NEVER] * 8})
    assert found["text"] == "above 0.5"
    assert np.isnan(found["all_from"])
    assert np.isnan(row({0.2: [NEVER] * 3, 0.5: [900.0] * 3})["low"])


def test_all_are_cut_at_the_least_budget():
    late = group("fractions_003", [9000.0] * 8, "late", 10_000, fraction=0.2, architecture="shared_mlp")
    short = group("fractions_003", [900.0] * 8, "short", 5_000, fraction=0.5, architecture="shared_mlp")
    made = tables(late, short)
    (found,) = critical_fraction.build(made["members"], made["designs"]).to_dict("records")
    assert (found["budget"], found["none_at"], found["critical"]) == (5000, 0.2, pytest.approx(0.35))


@pytest.mark.parametrize("width", [0.001, 0.03, 0.08])
def test_the_interval_covers(width):
    """A critical fraction anywhere between the outer ones, seeds of which each has a threshold of its own about it."""
    rng, fractions, covered = np.random.default_rng(0), np.linspace(0.2, 0.7, 6), 0
    for _ in range(200):
        truth = rng.uniform(0.3, 0.6)
        outcome = (fractions > truth + width * rng.standard_normal((10, 1))).astype(float)
        low, high = critical_fraction._interval(fractions, outcome, np.ones_like(outcome, bool), draws=300)
        covered += low <= truth <= high
    assert covered / 200 >= 0.93
