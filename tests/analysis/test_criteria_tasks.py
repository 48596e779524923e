"""Symmetric operations against others, and grokking beyond arithmetic: each verdict, from members made by hand."""

from itertools import product

import numpy as np
import pytest
from handmade import NEVER, check, group, tables

from regrok.analysis import beyond_arithmetic, criteria_tasks
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

SYMMETRIC, OTHERS = [f"s{n}" for n in range(4)], [f"o{n}" for n in range(9)]


def atlas(time, members=2, symmetric=SYMMETRIC, others=OTHERS):
    """time(symmetric, number, pairs): t4 of all members of an operation."""
    groups = [
        group(
            "atlas",
            [float(time(kind, number, pairs))] * members,
            f"{name}-{pairs}-{fraction}",
            operation=name,
            symmetric=kind,
            pairs=pairs,
            fraction=fraction,
        )
        for kind, names in ((True, symmetric), (False, others))
        for (number, name), pairs, fraction in product(enumerate(names), ("ordered", "unordered"), (0.3, 0.5))
    ]
    return criteria_tasks.symmetry_needs_less(
        tables(*groups), study="atlas", architecture="mlp", least_operations=3, least_members=2
    )


@pytest.mark.parametrize(
    ("time", "more", "expected"),
    [
        (lambda kind, n, pairs: 1000 + n + 5000 * (not kind), {}, REPRODUCED),
        (lambda kind, n, pairs: 1000 + n + 5000 * (not kind) * (pairs == "ordered"), {}, PARTLY),
        (lambda kind, n, pairs: 1000 + n + 5000 * kind, {}, NOT_REPRODUCED),
        (lambda kind, n, pairs: 1000 + 100 * n, {}, UNDECIDED),
        (lambda kind, n, pairs: NEVER, {}, UNDECIDED),
        (lambda kind, n, pairs: 1000 + n + 5000 * (not kind), {"members": 1}, UNDECIDED),
        (lambda kind, n, pairs: 1000 + n + 5000 * (not kind), {"symmetric": SYMMETRIC[:2]}, UNDECIDED),
    ],
)
def test_symmetry(time, more, expected):
    check(atlas(time, **more), expected)


def test_the_exact_p_of_the_clearest_order():
    """Four operations before nine others: one of 715 ways, for either kind of split."""
    verdict = atlas(lambda kind, n, pairs: 1000 + n + 5000 * (not kind))
    assert verdict.p_value == pytest.approx(1 / 715)
    assert "+0.75 (4) against −0.33 (9)" in verdict.measured


def test_scores_of_two_operations_are_opposite():
    made = tables(
        group("atlas", [100.0, NEVER], "a", operation="a", fraction=0.5, symmetric=True),
        group("atlas", [200.0, NEVER], "b", operation="b", fraction=0.5, symmetric=False),
    )
    scores, symmetric = criteria_tasks._scores(made["members"], 2)
    np.testing.assert_allclose(scores, [(2 - 1) / 4, (1 - 2) / 4])
    assert symmetric.tolist() == [True, False]


def beyond(times, n=4, budget=30_000, control=NEVER):
    """times: family -> t4 of the members of its two tasks."""
    groups = [
        group(
            "beyond_arithmetic",
            [float(time)] * n,
            f"{family}{number}",
            budget=budget,
            family=family,
            operation=f"{family}{number}",
            symbol=f"{family}{number}",
            architecture="sequence_mlp",
            t2=100.0,
        )
        for family, of_tasks in times.items()
        for number, time in enumerate(of_tasks)
    ]
    groups.append(
        group(
            "beyond_arithmetic",
            [float(control)] * n,
            "control",
            budget=budget,
            family="logic",
            operation="random 0 of 10 bits",
            symbol="random",
            architecture="sequence_mlp",
            t2=100.0,
        )
    )
    return tables(*groups)


def judged(made):
    return criteria_tasks.groks_elsewhere(
        made, study="beyond_arithmetic", architecture="sequence_mlp", least_budget=30_000, least_members=4
    )


LATE, SOON = 5000, 200
ALL = {"logic": (LATE, SOON), "patterns": (NEVER, LATE), "strings": (LATE, LATE)}
NONE = {"logic": (SOON, SOON), "patterns": (NEVER, SOON), "strings": (SOON, NEVER)}


@pytest.mark.parametrize(
    ("times", "more", "expected"),
    [
        (ALL, {}, REPRODUCED),
        (ALL | {"patterns": (NEVER, SOON)}, {}, PARTLY),
        (NONE, {}, NOT_REPRODUCED),
        (NONE, {"budget": 20_000}, UNDECIDED),
        (NONE, {"n": 3}, UNDECIDED),
        (ALL, {"n": 3}, UNDECIDED),
        (ALL, {"control": SOON}, UNDECIDED),
    ],
)
def test_beyond_arithmetic(times, more, expected):
    check(judged(beyond(times, **more)), expected)


def test_nothing_was_run():
    assert judged(tables()).measured == "not run"
    assert atlas(lambda *_: 1000, symmetric=[], others=[]).measured == "not run"


def test_the_table_by_hand():
    made = beyond({"logic": (LATE,), "patterns": (NEVER,), "strings": (SOON,)})
    table = beyond_arithmetic.build(made["members"], made["designs"]).set_index("cell")
    assert table["grok"].to_dict() == {"logic0": 4, "patterns0": 0, "strings0": 0, "control": 0}
    assert table["memorised"].eq(100).all()
    assert np.isinf(table.loc["patterns0", "median"])
    assert table.loc["strings0", ["events", "median"]].tolist() == [4, 200]
