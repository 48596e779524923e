"""What the criteria share."""

import numpy as np
import pandas as pd
import pytest
from handmade import NEVER, group, tables
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from regrok.analysis.judging import (
    NOT_REPRODUCED,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Evidence,
    holm,
    jointly,
    majority_p,
    most,
    of_with_interval,
    sign_flip_p,
    sooner_p,
    timed,
    too_thin,
)


def test_holm_by_hand():
    # Holm 1979: sorted 0.01, 0.03, 0.04 times 3, 2, 1; never falling
    assert holm({"b": 0.04, "a": 0.01, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8))
def test_holm_lies_between_p_and_bonferroni(p_values):
    for name, adjusted in holm(p_values).items():
        assert p_values[name] <= adjusted <= min(1, len(p_values) * p_values[name])


@pytest.mark.parametrize(
    ("yes", "n", "holds"), [(5, 5, True), (4, 4, False), (7, 8, True), (6, 8, False), (9, 10, True)]
)
def test_most(yes, n, holds):
    assert most(yes, n) is holds
    assert majority_p(yes, n) == pytest.approx(stats.binom.sf(yes - 1, n, 0.5))


def test_a_sign_flip_counts_all_flips():
    # of 8 sign patterns of 1, 2, 3 those with a sum of at least 4: +++ 6, -++ 4
    assert sign_flip_p(np.array([-1.0, 2.0, 3.0])) == pytest.approx(2 / 8)
    assert sign_flip_p(np.zeros(8)) == 1


@pytest.mark.parametrize(
    ("tests", "verdict", "p"),
    [
        ({"a": (0.04, 1.0), "b": (0.05, 1.0)}, REPRODUCED, 0.05),  # every one: no correction
        ({"a": (0.02, 1.0), "b": (0.5, 0.5)}, PARTLY, 0.04),  # some one: Bonferroni
        ({"a": (0.03, 1.0), "b": (0.5, 0.5)}, UNDECIDED, 0.5),
        ({"a": (0.02, 1.0), "b": (1.0, 0.01)}, PARTLY, 0.04),
        ({"a": (0.5, 0.5), "b": (1.0, 0.02)}, NOT_REPRODUCED, 1.0),
        ({"a": (0.5, 0.5), "b": (1.0, 0.03)}, UNDECIDED, 1.0),
        ({"a": (0.05, 1.0)}, REPRODUCED, 0.05),
        ({"a": (1.0, 0.05)}, NOT_REPRODUCED, 1.0),
    ],
)
def test_a_claim_of_several_parts(tests, verdict, p):
    found = jointly(Evidence(pd.DataFrame({"cell": ["x"]}), "measured"), tests, "text")
    assert (found.verdict, found.p_value) == (verdict, pytest.approx(p))


def members(*times, cell="cell", **changes):
    return tables(group("study", times, cell, **changes))["members"]


def test_sooner_by_counting():
    # of C(6, 3) = 20 relabellings only the one seen separates the two
    early, late = members(100.0, 200.0, 300.0), members(400.0, 500.0, 600.0)
    assert sooner_p([timed(early, 1), timed(late, 0)]) == (pytest.approx(1 / 20), 1.0)
    assert sooner_p([timed(early, 0), timed(late, 1)]) == (1.0, pytest.approx(1 / 20))
    assert sooner_p([timed(early, 1, factor=10), timed(late, 0)])[1] == pytest.approx(1 / 20)
    assert sooner_p([timed(members(NEVER, NEVER), 0), timed(members(NEVER, NEVER), 1)]) == (1.0, 1.0)


def test_a_seed_is_relabelled_with_its_members_in_all_strata():
    """Two fractions are no twice as many seeds."""

    def both(*times):
        parts = [members(*times, cell=str(r), fraction=r) for r in (0.3, 0.7)]
        return pd.concat(parts, ignore_index=True)

    early, late = both(100.0, 200.0, 300.0), both(400.0, 500.0, 600.0)
    assert sooner_p([timed(early, 1, "fraction"), timed(late, 0, "fraction")])[0] == pytest.approx(1 / 20)


def test_strata_differ_without_harm():
    """What is late at one fraction is early at another: within each the order is the same."""
    early = pd.concat([members(100.0, 200.0, 300.0, fraction=0.7), members(10_000.0, 11_000.0, 12_000.0, fraction=0.3)])
    late = pd.concat([members(400.0, 500.0, 600.0, fraction=0.7), members(NEVER, NEVER, NEVER, fraction=0.3)])
    assert sooner_p([timed(early, 1, "fraction"), timed(late, 0, "fraction")])[0] == pytest.approx(1 / 20)


def test_the_smallest_group_is_named():
    groups = {"of a": members(1000.0), "of b": members(1000.0, 2000.0), "of c": members(*[1000.0] * 6)}
    assert too_thin(groups, 6) == "1 members of a are too few, as they are in 1 other group: at least 6 are needed."
    assert too_thin(groups, 1) is None


def test_an_exact_interval():
    """Clopper and Pearson: of n of n the low end is 0.025 ** (1 / n)."""
    assert of_with_interval(3, 3) == f"3 of 3 [{0.025 ** (1 / 3):.2f}, 1.0]"
    assert of_with_interval(0, 0) == "0 of 0"
