import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import frame, member

from regrok.analysis.resampling import Ratio, ratio_of_medians

nan, inf = np.nan, np.inf


def cell(times, first_seed=0, **changes):
    """Members by seed; nan: not generalised within the budget of 10 000 steps."""
    rows = [member(seed=seed, t4=float(time), **changes) for seed, time in enumerate(times, first_seed)]
    return frame("members", rows)


def ratio(ref, other, draws=500):
    return ratio_of_medians(ref, other, np.random.default_rng(0), draws)


def test_shared_seeds_are_drawn_jointly():
    times = np.array([1100, 1300, 1700, 2300, 3100, 4100])
    assert ratio(cell(4 * times), cell(times)) == Ratio(4, 4, 4, "")


def test_other_seeds_are_drawn_apart():
    times = np.array([1100, 1300, 1700, 2300, 3100, 4100])
    apart = ratio(cell(2 * times), cell(times, first_seed=100))
    assert apart.value == 2
    assert apart.low < 1.5
    assert apart.high > 3


def test_interval_of_an_exactly_known_distribution():
    """Against a constant, the ratio's bootstrap is that of the sample median; all 6^6 draws are enumerated."""
    times = np.array([1000, 2000, 3000, 4000, 5000, 6000])
    draws = np.array(np.meshgrid(*6 * [times])).reshape(6, -1)
    expected = np.quantile(np.median(draws, axis=0), [0.025, 0.975], method="inverted_cdf") / 500
    measured = ratio(cell(times), cell(6 * [500]), draws=20_000)
    assert (measured.low, measured.high) == tuple(expected)


def test_no_interval_below_six_members():
    few = ratio(cell([4000, 4000, 4000, 4000, 4000]), cell([2000] * 8))
    assert few.value == 2
    assert np.isnan([few.low, few.high]).all()


def test_reference_not_reached_gives_a_lower_bound():
    result = ratio(cell([9000] + 7 * [nan]), cell(8 * [2000]))
    assert (result.value, result.bound, result.high) == (5, ">", inf)
    assert 4.5 <= result.low <= 5


def test_other_not_reached_gives_an_upper_bound():
    result = ratio(cell(8 * [2000]), cell([9000] + 7 * [nan]))
    assert (result.value, result.bound, result.low) == (0.2, "<", 0)
    assert 0.2 <= result.high <= 2000 / 9000


def test_neither_reached_says_nothing():
    result = ratio(cell(8 * [nan]), cell(8 * [nan]))
    assert np.isnan(result[:3]).all()
    assert result.bound == ""


def test_a_reference_that_diverged_is_infinitely_slower():
    result = ratio(cell(8 * [nan], diverged=True, last_step=50), cell(8 * [2000]))
    assert result == Ratio(inf, inf, inf, "")
    assert ratio(cell(8 * [2000]), cell(8 * [nan], diverged=True)) == Ratio(0, 0, 0, "")


def test_a_median_just_reached_leaves_the_upper_end_open():
    result = ratio(cell([2000, 2000, 2000, 2000, 2000, nan, nan, nan]), cell(8 * [1000]))
    assert (result.value, result.low, result.high, result.bound) == (2, 2, inf, "")


def test_missing_cells():
    for ref, other in (([], [1000]), ([1000], []), ([], [])):
        assert np.isnan(ratio(cell(ref), cell(other))[:3]).all()


@given(st.lists(st.integers(1, 50), min_size=6, max_size=9), st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_order_of_the_members_does_not_matter(hundreds, random):
    times = [100 * x if x <= 40 else nan for x in hundreds]
    ref, other = cell(times), cell(times[::-1])
    rows = random.sample(range(len(times)), len(times))
    np.testing.assert_equal(tuple(ratio(ref, other)), tuple(ratio(ref.iloc[rows], other.iloc[::-1])))


@given(st.lists(st.integers(1, 60), min_size=6, max_size=8), st.lists(st.integers(1, 60), min_size=6, max_size=8))
@settings(max_examples=15, deadline=None)
def test_swapping_the_cells_inverts_the_ratio(a, b):
    ref, other = (cell([100 * x if x <= 50 else nan for x in times]) for times in (a, b))
    there, back = ratio(ref, other, draws=100), ratio(other, ref, draws=100)
    assert {">": "<", "<": ">", "": ""}[there.bound] == back.bound
    if not np.isnan(there.value):
        assert there.value * back.value == pytest.approx(1)
        assert there.low <= there.value * (1 + 1e-12)
        assert there.high >= there.value * (1 - 1e-12)
