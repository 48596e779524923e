"""t1..t4, how far a member is followed, and where it is evaluated."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrok.events import (
    NEVER,
    Event,
    Follow,
    chance_bound,
    evaluation_steps,
    events,
    first_sustained,
    generalisation,
    last_step,
    snapshot_steps,
    spacing,
)

STEPS = np.array([0, 50, 100, 150, 200, 250, 300])
ROUND = [mantissa * 10**decade for decade in range(2, 6) for mantissa in (1, 2, 5)]


def interval(event):
    return event.after, event.at


@pytest.mark.parametrize(
    ("holds", "found"),
    [
        ([0, 0, 1, 1, 1, 1, 1], (50, 100)),
        ([0, 1, 1, 0, 1, 1, 1], (150, 200)),
        ([0, 0, 0, 0, 1, 1, 1], (150, 200)),
        ([1, 1, 1, 0, 0, 0, 0], (0, 0)),
        ([0, 1, 1, 1, 0, 0, 0], (0, 50)),
    ],
)
def test_an_event_is_the_first_of_three_in_a_row(holds, found):
    assert interval(first_sustained(STEPS, np.array(holds, dtype=bool))) == found


@pytest.mark.parametrize("holds", [[0, 1, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1, 1], [0] * 7, [1, 1], [1], []])
def test_less_than_three_in_a_row_is_no_event(holds):
    event = first_sustained(STEPS[: len(holds)], np.array(holds, dtype=bool))
    assert not event.reached
    assert math.isnan(event.after)


@given(st.lists(st.booleans(), max_size=30))
def test_an_event_is_what_a_loop_finds(holds):
    steps = 10 * np.arange(len(holds))
    found = next((i for i in range(len(holds) - 2) if all(holds[i : i + 3])), None)
    event = first_sustained(steps, np.array(holds, dtype=bool))
    if found is None:
        assert not event.reached
    else:
        assert interval(event) == (10 * max(found - 1, 0), 10 * found)


def test_the_four_events_of_a_history():
    history = {
        "step": STEPS,
        "train_acc": [0.01, 0.5, 0.99, 1.0, 1.0, 1.0, 1.0],
        "val_acc": [0.01, 0.01, 0.01, 0.2, 0.985, 0.99, 0.99],
    }
    found = events(history, n_train=4656, n_val=4656, classes=97)
    assert {name: interval(event) for name, event in found.items() if event.reached} == {
        "t1": (0, 50),
        "t2": (50, 100),
        "t3": (100, 150),
    }
    history = {name: [*values, 1.0 if name != "step" else 350] for name, values in history.items()}
    assert interval(events(history, 4656, 4656, 97)["t4"]) == (200, 250)


def test_training_and_validation_have_bounds_of_their_own():
    """Of 20 coin flips more than 18, of 4 more than 4 (never) would have left chance."""
    history = {"step": STEPS, "train_acc": np.full(7, 0.9), "val_acc": np.full(7, 0.95)}
    found = events(history, n_train=20, n_val=4, classes=2)
    assert not any(event.reached for event in found.values())
    found = events(history | {"train_acc": np.full(7, 0.95)}, n_train=20, n_val=4, classes=2)
    assert [name for name, event in found.items() if event.reached] == ["t1"]


def test_a_diverged_member_reaches_nothing_more():
    accuracy = np.array([0.0, 1.0, 1.0, np.nan, np.nan, np.nan, np.nan])
    assert not generalisation(STEPS, accuracy).reached


def test_chance_bound_by_hand():
    """4 examples, 2 classes: P(4 right) = 1/16 exceeds 1e-4, so only more than 4 right would: the bound is 4 of 4."""
    assert chance_bound(4, 2) == 1.0
    # 20 coin flips: P(more than 18) = 21 / 2**20 = 2.0e-5 <= 1e-4 < P(more than 17) = 211 / 2**20 = 2.0e-4
    assert chance_bound(20, 2) == 18 / 20


def test_guessing_rarely_passes_the_chance_bound():
    rng = np.random.default_rng(0)
    accuracies = rng.binomial(4656, 1 / 97, size=200_000) / 4656
    assert 0 < np.mean(accuracies > chance_bound(4656, 97)) < 2e-4


@pytest.mark.parametrize(
    ("step", "gap"),
    [(50, 50), (1999, 50), (2000, 50), (5000, 100), (10_000, 200), (20_000, 500), (50_000, 1000), (100_000, 2000)],
)
def test_spacing_by_hand(step, gap):
    assert spacing(step) == gap


def test_evaluation_steps_by_hand():
    assert evaluation_steps(150).tolist() == [0, 1, 2, 5, 10, 20, 50, 100, 150]
    assert evaluation_steps(10_600).tolist()[-6:] == [9800, 9900, 10_000, 10_200, 10_400, 10_600]
    assert evaluation_steps(130).tolist() == [0, 1, 2, 5, 10, 20, 50, 100, 130]
    assert evaluation_steps(100, dense=((30, 70), (25, 50))).tolist() == [0, 1, 2, 5, 10, 20, 25, 30, 50, 60, 100]
    assert evaluation_steps(7).tolist() == [0, 1, 2, 5, 7]


def test_every_round_step_is_an_evaluation():
    steps = set(evaluation_steps(10**6).tolist())
    assert set(ROUND) <= steps
    assert {1500, 3000, 15_000, 30_000, 150_000, 300_000, 700_000} <= steps


def test_gaps_are_at_most_two_and_a_half_percent():
    steps = evaluation_steps(10**6)
    gaps, from_ = np.diff(steps), steps[:-1]
    assert (gaps <= np.maximum(50, 0.025 * from_)).all()
    assert (gaps[from_ >= 5000] >= 0.01 * from_[from_ >= 5000]).all()


@given(st.sampled_from(ROUND), st.sampled_from(ROUND))
def test_a_bigger_budget_continues_the_same_evaluations(one, other):
    small, big = sorted((one, other))
    steps = evaluation_steps(big)
    assert evaluation_steps(small).tolist() == steps[steps <= small].tolist()


@given(st.integers(1, 3000), st.lists(st.tuples(st.integers(1, 500), st.integers(1, 4000)), max_size=2))
def test_evaluations_increase_from_zero_to_the_budget(budget, dense):
    steps = evaluation_steps(budget, tuple(dense))
    assert steps[0] == 0
    assert steps[-1] == budget
    assert (np.diff(steps) > 0).all()
    for every, until in dense:
        assert set(range(0, min(until, budget) + 1, every)) <= set(steps.tolist())


@pytest.mark.parametrize(
    ("t4", "follow", "last"),
    [
        (3000, Follow(20_000, 0), 3300),  # 10 % beyond
        (1000, Follow(20_000, 0), 1200),  # at least 200 beyond
        (12_200, Follow(20_000, 0), 13_600),  # the first evaluation at or beyond 13 420
        (12_210, Follow(20_000, 0, dense=((10, 20_000),)), 13_440),  # 13 431 among more evaluations
        (19_600, Follow(20_000, 0), 20_000),  # never beyond the budget
        (3000, Follow(20_000, 5000), 5000),  # another study follows every member so far
        (3000, Follow(20_000, 2000), 3300),
        (3000, Follow(0, 5000), 5000),
        (12_200, Follow(10_000, 20_000), 20_000),
        (50, Follow(100, 0), 100),
    ],
)
def test_how_far_a_member_is_followed(t4, follow, last):
    assert last_step(Event(t4 - 50, t4), follow) == last


def test_a_member_without_event_is_followed_to_the_budget():
    assert last_step(NEVER, Follow(500, 300)) == 500
    assert last_step(NEVER, Follow(0, 300)) == 300


@given(st.integers(1, 10**6), st.sampled_from(ROUND), st.sampled_from(ROUND), st.sampled_from([0, *ROUND]))
def test_a_bigger_budget_never_stops_a_member_earlier(t4, one, other, until_budget):
    small, big = sorted((one, other))
    event = Event(t4 - 1, t4)
    assert last_step(event, Follow(small, until_budget)) <= last_step(event, Follow(big, until_budget))
    assert last_step(event, Follow(small, until_budget)) in evaluation_steps(max(small, until_budget))


def test_snapshots_are_log_spaced_with_uniform_stretches():
    assert snapshot_steps(300, ((40, 90),)).tolist() == [0, 1, 2, 5, 10, 20, 40, 50, 80, 100, 150, 200, 300]
    assert snapshot_steps(300, ()).tolist() == []


@given(st.integers(50, 10**6), st.integers(50, 10**6))
def test_a_bigger_budget_only_adds_snapshots_and_log_spaced_ones_are_evaluated(budget, larger):
    budget, larger = sorted((budget, larger))
    here, there = snapshot_steps(budget, ((1000, 1),)), snapshot_steps(larger, ((1000, 1),))
    assert here.tolist() == [step for step in there if step <= budget]
    assert set(here) <= set(evaluation_steps(budget))
