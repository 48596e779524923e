"""Every criterion of report 002 on hand-made tables: each of its verdicts, and what turns one into another."""

import pytest
from handmade import NEVER, check, group, tables

from regrok.analysis import criteria_002
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

SOON, LATE, NEVERS = [300.0] * 8, [2000.0] * 8, [NEVER] * 8


def decay_removes_delay(weak, strong, budget=10_000, t2=200.0):
    runs = tables(
        group("simple_grokking", weak, "weak", budget, weight_decay=0.03, t2=t2),
        group("simple_grokking", strong, "strong", budget, weight_decay=5.0, t2=t2),
    )
    return criteria_002.decay_removes_delay(
        runs,
        study="simple_grokking",
        weak=0.03,
        strong=5.0,
        delay=500,
        ratio=2,
        least_budget=10_000,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("weak", "strong", "more", "expected"),
    [
        (LATE, SOON, {}, REPRODUCED),
        (NEVERS, SOON, {}, REPRODUCED),  # a delay longer than the budget is a delay
        (LATE[:5], SOON, {}, UNDECIDED),
        (SOON, SOON, {}, PARTLY),
        (LATE, LATE, {}, PARTLY),
        (SOON, LATE, {}, NOT_REPRODUCED),
        ([*LATE[:4], *SOON[:4]], [*LATE[:4], *SOON[:4]], {}, UNDECIDED),
        (NEVERS, SOON, {"budget": 5000}, UNDECIDED),  # not followed far enough
        (LATE, SOON, {"t2": NEVER}, UNDECIDED),
        (LATE, SOON, {"t2": 1200.0}, PARTLY),  # 800 steps later, but a factor of less than 2
    ],
)
def test_decay_removes_delay(weak, strong, more, expected):
    check(decay_removes_delay(weak, strong, **more), expected)


def test_the_p_is_that_of_the_weaker_half():
    assert decay_removes_delay([*LATE[:7], 300.0], SOON).p_value == pytest.approx(9 / 256)
