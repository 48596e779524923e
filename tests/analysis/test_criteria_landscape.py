"""The criteria on landscape and trajectory: each of their verdicts; barriers of lines that are known."""

import numpy as np
import pandas as pd
import pytest
from handmade import NEVER, check, group, tables

from regrok.analysis import barriers, criteria_landscape
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

MODEL = {"architecture": "shared_mlp"}
ALL, NONE = [3000.0] * 8, [NEVER] * 8


def cells(**by_fraction):
    return [
        group("landscape", times, name, 5000, fraction=float(name[1:]) / 100, **MODEL)
        for name, times in by_fraction.items()
    ]


def two_modes(share, walk=0.8, decaying=0.9, n=8, budget=5000):
    found = pd.DataFrame(
        {"cell": "r60", "seed": range(n), "component": 2, "cumulative": share, "walk": walk, "decaying": decaying}
    )
    runs = tables(group("landscape", ALL, "r60", budget, **MODEL), trajectory=found)
    return criteria_landscape.two_modes(
        runs, study="landscape", architecture="shared_mlp", modes=2, share=0.98, least_budget=5000, least_members=6
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"share": 0.99}, REPRODUCED),
        ({"share": 0.99, "decaying": 0.995}, PARTLY),
        ({"share": 0.97}, NOT_REPRODUCED),
        ({"share": [0.97, 0.99] * 4}, UNDECIDED),
        ({"share": 0.99, "n": 5}, UNDECIDED),
        ({"share": 0.99, "budget": 4000}, UNDECIDED),
    ],
)
def test_two_modes(case, expected):
    check(two_modes(**case), expected)


def larger_condition(factor, bulk_factor, times=None, n=8):
    """Members of r40 that generalise have condition numbers larger by these factors than those that do not."""
    rng, times = np.random.default_rng(0), times or {"r40": [*ALL[:n], *NONE[:n]]}
    rows = [
        {
            "cell": cell,
            "seed": seed,
            "step": step,
            "condition": (factor if t4 == t4 else 1) * step * np.exp(0.1 * rng.normal()),
            "bulk_condition": (bulk_factor if t4 == t4 else 1) * step * np.exp(0.1 * rng.normal()),
        }
        for cell, own in times.items()
        for seed, t4 in enumerate(own)
        for step in (10, 100, 1000, 4000)
    ]
    runs = tables(*cells(**times), curvature=pd.DataFrame(rows))
    return criteria_landscape.larger_condition(
        runs, study="landscape", architecture="shared_mlp", least_budget=5000, least_members=6
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ((2.0, 2.0), REPRODUCED),
        ((2.0, 1.0), PARTLY),
        ((0.5, 0.5), NOT_REPRODUCED),
        ((1.0, 1.0), UNDECIDED),
        ((2.0, 2.0, None, 5), UNDECIDED),
        ((2.0, 2.0, {"r30": NONE, "r60": ALL}), UNDECIDED),  # more data, not grokking
        ((2.0, 2.0, {"r30": NONE, "r40": [*ALL, *NONE], "r60": ALL}), REPRODUCED),
    ],
)
def test_larger_condition(case, expected):
    check(larger_condition(*case), expected)


def perturbed_valley(low, high, times=ALL, early=()):
    """early: starts that lie before t4 with little data only, where barriers are high."""
    rows = [
        {
            "cell": cell,
            "seed": seed,
            "architecture": "shared_mlp",
            "fraction": fraction,
            "start": 1000,
            "t4": t4,
            "generalised": np.isfinite(t4),
            "before": True,
            "train_barrier": heights[seed] + 0.001 * seed,
        }
        for cell, fraction, heights in (("r30", 0.3, low), ("r85", 0.85, high))
        for seed, t4 in enumerate(times)
    ]
    rows += [row | {"start": start, "train_barrier": 9.0} for row in rows if row["cell"] == "r30" for start in early]
    runs = tables(*cells(r30=times, r85=times), barriers=pd.DataFrame(rows, columns=list(barriers.COLUMNS)))
    return criteria_landscape.perturbed_valley(
        runs,
        study="landscape",
        architecture="shared_mlp",
        perturbed=0.3,
        smooth=0.85,
        barrier=0.1,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("low", "high", "times", "expected"),
    [
        ([0.5] * 8, [0.01] * 8, ALL, REPRODUCED),
        ([0.5] * 8, [0.2] * 8, ALL, PARTLY),
        ([0.05] * 8, [0.01] * 8, ALL, PARTLY),
        ([0.01] * 8, [0.5] * 8, ALL, NOT_REPRODUCED),
        ([0.5, 0.01] * 4, [0.01, 0.5] * 4, ALL, UNDECIDED),
        ([0.5] * 8, [0.01] * 8, NONE, UNDECIDED),
        ([0.5] * 8, [0.01] * 8, ALL[:5], UNDECIDED),
    ],
)
def test_perturbed_valley(low, high, times, expected):
    check(perturbed_valley(low, high, times), expected)


def test_a_barrier_counts_where_both_have_one():
    check(perturbed_valley([0.01] * 8, [0.5] * 8, early=[2000]), NOT_REPRODUCED)


def test_a_double_well_has_a_barrier():
    """Of (x² - 1)² between its two wells: 1; between unequal ends it is measured from the line between them."""
    alpha = np.linspace(0, 1, 41)
    x = 2 * alpha - 1
    assert barriers.barrier(alpha, (x**2 - 1) ** 2) == pytest.approx(1)
    assert barriers.barrier(alpha, (x**2 - 1) ** 2 + 3 * alpha) == pytest.approx(1)
    assert barriers.barrier(alpha, x**2) == pytest.approx(0)
    assert barriers.bumps((x**2 - 1) ** 2, 0.01) == 1
    assert barriers.bumps(np.sin(6 * np.pi * alpha), 0.01) == 3
    assert barriers.bumps(alpha, 0.01) == 0


def test_barriers_are_read_off_the_lines():
    line = pd.DataFrame({"alpha": np.linspace(-0.5, 1.5, 9)})
    line = line.assign(cell="r60", seed=0, target="end", target_step=5000, start=1000)
    line = line.assign(train_loss=[9, 9, 0, 1, 2, 1, 0, 9, 9], val_loss=0.0)
    made = tables(*cells(r60=ALL))
    (row,) = barriers.build(made["members"], made["designs"], line).to_dict("records")
    assert (row["train_barrier"], row["val_barrier"], row["bumps"]) == (2, 0, 1)
    assert row["before"]
