"""The criteria on slingshots: each of their verdicts, and what turns one into another."""

import numpy as np
import pandas as pd
import pytest
from handmade import NEVER, check, group, tables

from regrok.analysis import criteria_slingshots, slingshot_members
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

T4 = [2000.0, 3000.0, 4000.0, 5000.0, 6000.0, 7000.0, 8000.0, 9000.0]


def ran(t4, onsets, calm_high=2e-6, slingshot=1e-5, decay=0.0, cell="cell"):
    """Members of one cell with these t4 and, a list a member, onsets."""
    members, designs = group("slingshots", t4, cell, budget=10_000, weight_decay=decay, architecture="shared_mlp")
    rows = [{"cell": cell, "seed": seed, "onset": at} for seed, own in enumerate(onsets) for at in own]
    slingshots = pd.DataFrame(rows, columns=["cell", "seed", "onset"])
    laziness = pd.DataFrame(
        {
            "cell": cell,
            "seed": range(len(t4)),
            "calm_low": 1e-6,
            "calm": 1.5e-6,
            "calm_high": calm_high,
            "slingshot": [slingshot if own else np.nan for own in onsets],
            "turned": 0.3,
        }
    )
    made = tables((members, designs), slingshots=slingshots)
    found = slingshot_members.build(made["members"], made["designs"], slingshots, laziness)
    return made | {"slingshot_members": found}


def at_slingshots(t4, onsets, **more):
    return criteria_slingshots.at_slingshots(
        ran(t4, onsets, **more), study="slingshots", architecture="shared_mlp", weight_decay=0, least_members=6
    )


@pytest.mark.parametrize(
    ("t4", "onsets", "expected"),
    [
        (T4, [[t4 - 200] for t4 in T4], REPRODUCED),
        (T4, [[500.0]] * 8, PARTLY),
        (T4, [list(range(300, 10_000, 300))] * 8, PARTLY),  # so frequent that one is always near
        (T4, [[]] * 8, NOT_REPRODUCED),
        (T4, [[t4 + 200] for t4 in T4], NOT_REPRODUCED),
        (T4, [[500.0], []] * 4, UNDECIDED),
        ([NEVER] * 8, [[500.0]] * 8, UNDECIDED),
        (T4[:5], [[t4 - 200] for t4 in T4[:5]], UNDECIDED),
    ],
)
def test_at_slingshots(t4, onsets, expected):
    check(at_slingshots(t4, onsets), expected)


def test_members_of_a_seed_count_once():
    """Two settings of four seeds are four seeds."""
    one, other = (ran(T4[:4], [[t4 - 200] for t4 in T4[:4]], cell=cell) for cell in ("one", "other"))
    both = {name: pd.concat([one[name], other[name]]) for name in criteria_slingshots.TABLES}
    parameters = {"study": "slingshots", "architecture": "shared_mlp", "weight_decay": 0, "least_members": 6}
    verdict = criteria_slingshots.at_slingshots(both, **parameters)
    assert verdict.verdict == UNDECIDED
    assert "4 seeds that generalise" in verdict.reason


def test_other_weight_decays_are_told_but_do_not_count():
    assert at_slingshots(T4, [[]] * 8, decay=0.03).verdict == UNDECIDED


def lazy_regime(onsets, **more):
    return criteria_slingshots.lazy_regime(
        ran(T4[: len(onsets)], onsets, **more),
        study="slingshots",
        architecture="shared_mlp",
        constant=3,
        factor=2,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("onsets", "more", "expected"),
    [
        ([[500.0]] * 8, {}, REPRODUCED),
        ([[500.0]] * 8, {"calm_high": 4e-6}, PARTLY),
        ([[500.0]] * 8, {"slingshot": 2e-6}, PARTLY),
        ([[500.0]] * 8, {"slingshot": 2e-6, "calm_high": 4e-6}, NOT_REPRODUCED),
        ([[500.0]] * 5 + [[]] * 3, {}, UNDECIDED),
    ],
)
def test_lazy_regime(onsets, more, expected):
    check(lazy_regime(onsets, **more), expected)


def test_exchanging_onsets_by_hand():
    """Two members, each at an onset of its own and of no other's: of the two orders one gives as many."""
    made = ran([2000.0, 5000.0], [[1900.0], [4900.0]])
    p = criteria_slingshots.exchanged(made["slingshot_members"], made["slingshots"])
    assert p == pytest.approx(0.5, abs=0.02)


def test_lead():
    assert slingshot_members.lead(np.array([100.0, 900.0, 2000.0]), 1000.0) == 100
    assert np.isnan(slingshot_members.lead(np.array([1001.0]), 1000.0))
