"""Splits: sizes, nesting, mirrors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from regrok.tasks.modular import OPERATIONS, table
from regrok.tasks.split import EVALUATED, FULLY_EVALUATED, evaluated, evaluated_sizes, split, train_size
from regrok.tasks.table import Table

FRACTIONS = st.floats(0.001, 0.999)
SEEDS = st.integers(0, 2**32)
TASKS = st.builds(table, st.sampled_from(list(OPERATIONS)), st.sampled_from([2, 3, 5, 11]))
PAIRS = ("ordered", "unordered")


def halves(task: Table, fraction: float, pairs: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    return split(task, fraction, pairs, np.random.default_rng(seed))


def pairs_of(task: Table, mask: np.ndarray) -> set[tuple[int, int]]:
    return set(zip(task.x[mask].tolist(), task.y[mask].tolist(), strict=True))


@pytest.mark.parametrize(
    ("total", "fraction", "size"),
    [(9409, 0.5, 4704), (9312, 0.5, 4656), (9409, 0.3, 2823), (25, 0.01, 1), (10, 0.25, 2), (10, 0.35, 4)],
)
def test_train_size_by_hand(total, fraction, size):
    assert train_size(total, fraction) == size


@given(TASKS, FRACTIONS, st.sampled_from(PAIRS), SEEDS)
def test_training_has_exactly_its_share(task, fraction, pairs, seed):
    train, validation = halves(task, fraction, pairs, seed)
    assert train.sum() == train_size(len(task), fraction)
    assert train.dtype == validation.dtype == bool
    assert not (train & validation).any()


@given(TASKS, FRACTIONS, SEEDS)
def test_validation_is_the_rest(task, fraction, seed):
    train, validation = halves(task, fraction, "ordered", seed)
    assert np.array_equal(validation, ~train)


@given(TASKS, FRACTIONS, SEEDS)
def test_unordered_pairs_leave_no_mirror_in_training(task, fraction, seed):
    train, validation = halves(task, fraction, "unordered", seed)
    mirrored = {(y, x) for x, y in pairs_of(task, train)}
    assert not pairs_of(task, validation) & mirrored
    left_out = pairs_of(task, ~train & ~validation)
    assert len(left_out) <= 1
    assert left_out <= mirrored


@given(TASKS, FRACTIONS, FRACTIONS, st.sampled_from(PAIRS), SEEDS)
def test_splits_are_nested(task, one, other, pairs, seed):
    small, big = sorted((one, other))
    train_small, validation_small = halves(task, small, pairs, seed)
    train_big, validation_big = halves(task, big, pairs, seed)
    assert (train_small <= train_big).all()
    assert (validation_big <= validation_small).all()


@given(TASKS, FRACTIONS, st.sampled_from(PAIRS), SEEDS)
def test_a_split_depends_on_its_stream_alone(task, fraction, pairs, seed):
    for one, other in zip(halves(task, fraction, pairs, seed), halves(task, fraction, pairs, seed), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("pairs", PAIRS)
def test_seeds_and_kinds_of_pairs_give_other_splits(pairs):
    task = table("add", 11)
    masks = {halves(task, 0.5, kind, seed)[0].tobytes() for kind in PAIRS for seed in range(3)}
    assert len(masks) == 6


@pytest.mark.parametrize("pairs", PAIRS)
def test_every_example_is_drawn_equally_often(pairs):
    """1 000 splits of 25 examples at 0.4: each is trained on 400 times, give or take 4.5 standard deviations."""
    task = table("multiply", 5)
    counts = sum(halves(task, 0.4, pairs, seed)[0].astype(int) for seed in range(1000))
    assert counts.sum() == 10_000
    assert abs(counts - 400).max() < 70


@pytest.mark.parametrize(
    ("total", "fraction", "sizes"),
    [
        (1681, 0.7, (1177, 504)),
        (FULLY_EVALUATED, 0.5, (8192, 8192)),
        (68_921, 0.7, (EVALUATED, EVALUATED)),
        (68_921, 0.01708, (1177, EVALUATED)),
        (68_921, 0.99, (EVALUATED, 689)),
    ],
)
def test_accuracies_are_measured_on_all_or_on_so_many(total, fraction, sizes):
    train = np.zeros(total, dtype=bool)
    train[np.random.default_rng(0).permutation(total)[: train_size(total, fraction)]] = True
    seen = evaluated(train, ~train, np.random.default_rng(1))
    assert evaluated_sizes(total, int(train.sum())) == sizes
    assert (train[seen].sum(), (~train)[seen].sum()) == sizes
    assert (np.diff(seen) > 0).all()


def test_the_sample_bounds_the_error_of_an_accuracy():
    """The 95 % half widths that the docstring of EVALUATED states, from the binomial distribution itself."""
    for accuracy, points in ((0.5, 2.2), (0.99, 0.44)):
        low, high = binom.interval(0.95, EVALUATED, accuracy)
        assert (high - low) / 2 / EVALUATED <= points / 100
