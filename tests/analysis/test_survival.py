import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from synthetic import frame, member

from regrok.analysis import survival

# Remission times in weeks of Freireich et al. (1963), the data of every textbook; negative: censored.
TREATED = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

members = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=14)


def sample(signed):
    signed = np.array(signed, dtype=float)
    return np.abs(signed), signed > 0


def arrays(rows):
    return np.array([time for time, _ in rows], dtype=float), np.array([event for _, event in rows], dtype=bool)


@pytest.mark.parametrize(
    ("n", "k", "coverage"),
    [(0, 0, 0), (1, 0, 0), (5, 0, 0), (6, 1, 62 / 64), (8, 1, 254 / 256), (9, 2, 492 / 512), (10, 2, 1002 / 1024)],
)
def test_order_interval_by_hand(n, k, coverage):
    assert survival.order_interval(n) == (k, pytest.approx(coverage))


def test_order_interval_may_cover_exactly_the_level():
    assert survival.order_interval(2, 0.5) == (1, 0.5)


@given(st.integers(1, 300), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_order_interval_is_the_narrowest_that_covers(n, level):
    k, coverage = survival.order_interval(n, level)
    assert 0 <= k <= (n + 1) / 2
    assert k == 0 or coverage >= level - 1e-9
    assert 1 - 2 * stats.binom.cdf(k, n, 0.5) < level


def test_order_interval_covers_as_often_as_it_says():
    draws = np.sort(np.random.default_rng(0).random((20_000, 10)), axis=1)
    covered = np.mean((draws[:, 1] <= 0.5) & (draws[:, -2] >= 0.5))
    assert covered == pytest.approx(survival.order_interval(10)[1], abs=0.004)


def test_median_of_six_is_bracketed_by_the_range():
    median = survival.median(*sample([30, 10, 20, 60, 40, 50]))
    assert median == survival.Median(35, 10, 60, 6, 6, "order statistics", 10, 60)


def test_no_interval_below_six_members():
    median = survival.median(*sample([30, 10, 20, 50, 40]))
    assert (median.value, median.n, median.events, median.method) == (30, 5, 5, "")
    assert np.isnan([median.low, median.high]).all()
    assert (median.least, median.most) == (10, 50)


def test_median_not_reached_is_at_least_the_budget():
    median = survival.median(*sample([70, 80] + 8 * [-100]))
    assert (median.value, median.low, median.high) == (np.inf, 80, np.inf)
    assert (median.n, median.events, median.most) == (10, 2, np.inf)
    assert survival.median(*sample(10 * [-100])).low == 100


def test_median_reached_with_an_open_upper_end():
    median = survival.median(*sample([10, 20, 30, 40, 50, 60, -100, -100]))
    assert (median.value, median.low, median.high) == (45, 10, np.inf)


def test_half_of_the_members_is_not_enough():
    assert survival.median(*sample([10, 20, 30, -100, -100, -100])).value == np.inf


def test_without_members():
    median = survival.median(np.array([]), np.array([], dtype=bool))
    assert (median.n, median.events, median.method) == (0, 0, "")
    assert np.isnan([median.value, median.low, median.high]).all()


def test_median_of_the_textbook_data():
    treated, placebo = survival.median(*sample(TREATED)), survival.median(*sample(PLACEBO))
    assert (treated.value, treated.low, treated.high, treated.method) == (23, 13, np.inf, "log-log Kaplan-Meier")
    assert (placebo.value, placebo.low, placebo.high, placebo.method) == (8, 4, 12, "order statistics")


def test_interval_of_a_curve_that_falls_at_once():
    median = survival.median(*sample([-1, -1, -1, -1, -1, 10]))
    assert (median.value, median.low, median.high, median.method) == (10, 10, np.inf, "log-log Kaplan-Meier")


def test_a_diverged_member_never_generalises():
    time = np.array([10.0, 20, 30, np.inf, np.inf, np.inf, np.inf])
    diverged = survival.median(time, np.isfinite(time))
    assert (diverged.value, diverged.low, diverged.high) == (np.inf, 10, np.inf)
    early = survival.median(np.array([10.0, 20, 30, 5, 5, 5, 5]), np.isfinite(time))
    assert early.value == 20  # as random censoring, it would flatter


@given(members, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_median_does_not_depend_on_the_order(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert str(survival.median(*arrays(rows))) == str(survival.median(*arrays(shuffled)))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=14), st.integers(1, 40))
@settings(deadline=None)
def test_with_one_budget_it_is_the_sample_median(times, budget):
    times = np.array(times, dtype=float)
    event = times <= budget
    median = survival.median(np.minimum(times, budget), event)
    assert median.value == np.median(np.where(event, times, np.inf))
    assert median.method == ("order statistics" if len(times) >= 6 else "")


@given(members)
@settings(deadline=None)
def test_median_lies_in_its_interval_and_moves_with_the_clock(rows):
    time, event = arrays(rows)
    median, slower = survival.median(time, event), survival.median(7 * time, event)
    assert np.isnan(median.low) or median.low <= median.value <= median.high
    assert slower.value == 7 * median.value


@given(members)
@settings(deadline=None)
def test_the_curve_is_that_of_scipy(rows):
    time, event = arrays(rows)
    curve = stats.ecdf(stats.CensoredData(uncensored=time[event], right=time[~event])).sf
    below = curve.quantiles[curve.probabilities < 0.5 - 1e-9]
    at = curve.quantiles[curve.probabilities < 0.5 + 1e-9]
    expected = (at[0] + below[0]) / 2 if len(below) else np.inf
    assert survival.median(time, event).value == expected


@given(members, st.data())
@settings(deadline=None)
def test_weights_are_repetitions(rows, data):
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))))
    time, event = arrays(rows)
    if weights.sum():
        repeated = survival.medians(np.repeat(time, weights), np.repeat(event, weights), np.ones(weights.sum(), int))
        assert survival.medians(time, event, weights[None])[0] == repeated


def test_logrank_by_counting():
    assert survival.logrank(*sample([1, 2]), *sample([3, 4])) == pytest.approx(2 / 6)
    assert survival.logrank(*sample([1, 2, 3]), *sample([4, 5, -6])) == pytest.approx(2 / 20)
    assert survival.logrank(*sample([1, 2, 3, 4]), *sample([1, 2, 3, 4])) == 1
    # all but one alike: the one that stands out is in either group, always
    assert survival.logrank(*sample([5, -9, -9]), *sample([-9, -9, -9])) == 1


def test_logrank_scores_of_the_textbook_data():
    time, event = sample(TREATED + PLACEBO)
    assert survival.logrank_scores(time, event)[:21].sum() == pytest.approx(9 - 19.25, abs=0.01)
    assert survival.logrank(*sample(TREATED), *sample(PLACEBO)) == pytest.approx(4.17e-5, rel=0.01)


def test_logrank_without_evidence():
    assert survival.logrank(*sample([-9, -9]), *sample([-9])) == 1
    assert np.isnan(survival.logrank(*sample([]), *sample([1, 2])))


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=6, max_size=6))
@settings(max_examples=30, deadline=None)
def test_permutation_test_is_exact(rows):
    """Over all relabellings of one sample, p <= alpha happens with probability at most alpha."""
    time, event = arrays(rows)
    p_values = []
    for group in np.array(np.meshgrid(*6 * [[False, True]])).reshape(6, -1).T:
        if group.sum() == 3:
            p_values.append(survival.logrank(time[group], event[group], time[~group], event[~group]))
    p_values = np.array(p_values)
    assert len(p_values) == 20
    assert all(np.mean(p_values <= p) <= p + 1e-12 for p in p_values)


@given(members, members)
@settings(max_examples=30, deadline=None)
def test_logrank_is_symmetric_and_sees_only_ranks(a, b):
    a, b = arrays(a[:7]), arrays(b[:7])
    p = survival.logrank(*a, *b)
    assert 0 < p <= 1
    assert survival.logrank(*b, *a) == pytest.approx(p)
    assert survival.logrank(a[0] ** 3, a[1], b[0] ** 3, b[1]) == pytest.approx(p)


def table(*times, **changes):
    """Members of one cell: t4 by seed; nan for not generalised within the budget of 10 000 steps."""
    return frame("members", [member(seed=seed, t4=float(time), **changes) for seed, time in enumerate(times)])


def test_durations_and_intervals_of_members():
    rows = [
        member(seed=0, t4=3000.0, t4_after=2950.0),
        member(seed=1),
        member(seed=2, diverged=True, last_step=70),
        member(seed=3, t4=5000.0, diverged=True, last_step=6000),
    ]
    time, event = survival.durations(frame("members", rows))
    np.testing.assert_array_equal(time, [3000, 10_000, np.inf, 5000])
    np.testing.assert_array_equal(event, [True, False, False, True])
    after, at, event = survival.intervals(frame("members", rows))
    np.testing.assert_array_equal(after, [2950, 10_000, 10_000, 4950])
    np.testing.assert_array_equal(at, [3000, np.inf, np.inf, 5000])
    np.testing.assert_array_equal(event, [True, False, False, True])


def test_all_are_followed_to_the_first_censoring():
    time, event = survival.followed_alike(np.array([100.0, 300.0, 200.0, np.inf]), np.array([True, True, False, False]))
    np.testing.assert_array_equal(time, [100, 200, 200, 200])
    np.testing.assert_array_equal(event, [True, False, False, False])
    never = survival.followed_alike(np.array([100.0, np.inf]), np.array([True, False]))
    np.testing.assert_array_equal(never, [[100, np.inf], [True, False]])


RNG = np.random.default_rng(0)


def test_a_trend_of_two_levels_by_counting():
    # sums of the upper two of 4: 7, 6, 5, 5, 4, 3
    assert survival.trend(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0]), RNG) == (1 / 6, 1.0)
    assert survival.trend(np.array([1.0, 3.0, 2.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0]), RNG) == (2 / 6, 5 / 6)


def test_a_trend_of_three_levels_by_counting():
    # 0 a + 1 b + 2 c over the orders of 1, 2, 4: 10, 9, 8, 6, 5, 4
    assert survival.trend(np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 2.0]), RNG) == (1 / 6, 1.0)
    assert survival.trend(np.array([2.0, 1.0, 4.0]), np.array([0.0, 1.0, 2.0]), RNG) == (2 / 6, 5 / 6)


def test_a_trend_of_many_is_drawn_and_repeatable():
    scores, levels = np.arange(24.0), np.repeat([0.0, 1.0, 2.0], 8)
    rises, falls = survival.trend(scores, levels, np.random.default_rng(0))
    assert rises == pytest.approx(1 / (survival.MOST_SPLITS + 1))  # the order seen is one of those counted
    assert falls == 1
    assert survival.trend(scores, levels, np.random.default_rng(0)) == (rises, falls)


def test_a_trend_without_trend_is_uniform():
    rng = np.random.default_rng(1)
    found = [survival.trend(rng.standard_normal(10), np.repeat([0.0, 1.0], 5), rng)[0] for _ in range(400)]
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.025)


def test_curve_by_hand():
    """Of four at risk one goes at 1, of two one at 3, and the last at 4; the one lost at 2 moves nothing."""
    time, event = sample([1, -2, 3, 4])
    steps, shares = survival.curve(time, event)
    assert steps.tolist() == [1, 3, 4]
    assert shares == pytest.approx([3 / 4, 3 / 8, 0])


def test_a_curve_keeps_those_that_never_will_and_is_empty_without_events():
    steps, shares = survival.curve(np.array([1, np.inf]), np.array([True, False]))
    assert (steps.tolist(), shares.tolist()) == ([1], [0.5])
    assert [len(part) for part in survival.curve(np.array([5.0]), np.array([False]))] == [0, 0]
