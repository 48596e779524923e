"""The criteria of report 003 on phases, law and critical size: each of their verdicts, and what turns one into
another."""

import numpy as np
import pandas as pd
import pytest
from handmade import NEVER, check, group, tables

from regrok.analysis import criteria_003, scaling_003
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

MODEL = {"architecture": "shared_mlp"}
STUDY = "fractions_003"
LAWS = {"exponential": 20.0, "power": 10.0, "power_offset": 0.0, "threshold": 5.0}


# power_law


def fits(aic, low=0.5, threshold=0.2, lack_of_fit=0.5):
    common = {"source": "shared_mlp", "exponent": 2.0, "exponent_low": low, "exponent_high": 4.0}
    common |= {"lack_of_fit": lack_of_fit}
    rows = [
        common | {"law": law, "aic": value, "shift": threshold if law == "threshold" else np.nan}
        for law, value in aic.items()
    ]
    return pd.DataFrame(rows, columns=list(scaling_003.COLUMNS))


def power_law(aic, n=8, fractions=5, **fitted):
    groups = [
        group(STUDY, [1000.0 / fraction] * n, f"at {fraction}", fraction=fraction, **MODEL)
        for fraction in np.linspace(0.4, 0.9, fractions)
    ]
    return criteria_003.power_law(
        tables(*groups, scaling_003=fits(aic, **fitted)),
        study=STUDY,
        architecture="shared_mlp",
        close=2,
        far=10,
        least_fractions=5,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("aic", "more", "expected"),
    [
        (LAWS, {}, REPRODUCED),
        (LAWS | {"threshold": 2.0}, {"threshold": 0.0}, REPRODUCED),  # that is a power law
        (LAWS | {"threshold": 2.0}, {}, PARTLY),  # no worse than one that is none
        (LAWS | {"threshold": -2.0}, {}, PARTLY),
        (LAWS | {"exponential": 1.0}, {}, PARTLY),
        (LAWS, {"lack_of_fit": 0.01}, PARTLY),
        (LAWS | {"threshold": -5.0}, {}, PARTLY),
        (LAWS | {"threshold": -11.0}, {}, NOT_REPRODUCED),
        (LAWS, {"low": -0.5}, PARTLY),
        (LAWS, {"n": 5}, UNDECIDED),
        (LAWS, {"fractions": 4}, UNDECIDED),
        (dict.fromkeys(LAWS, np.nan), {}, UNDECIDED),
    ],
)
def test_power_law(aic, more, expected):
    check(power_law(aic, **more), expected)


def test_the_better_of_the_two_power_laws_speaks():
    assert power_law(LAWS | {"power": -1.0}).reason.startswith("Power law with exponent 2.00 [0.500, 4.00]; best is")


# four_phases

TURNS = {
    "t1_after": 0.0,
    "t1": 50.0,
    "t2_after": 150.0,
    "t2": 200.0,
    "t3_after": 950.0,
    "t3": 1000.0,
    "t4_after": 2950.0,
}


def four_phases(*, t4=3000.0, n=8, **changes):
    runs = tables(group(STUDY, [t4] * n, budget=10_000, fraction=0.5, **MODEL | TURNS | changes))
    return criteria_003.four_phases(
        runs,
        study=STUDY,
        architecture="shared_mlp",
        fraction=0.5,
        ratio=2,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({}, REPRODUCED),
        ({"n": 5}, UNDECIDED),
        ({"t3_after": 150.0}, PARTLY),  # validation leaves chance before training is done
        ({"t2": 1800.0, "t3_after": 1850.0, "t3": 1900.0}, PARTLY),  # in turn, but not much later
        ({"t2": 1800.0, "t3_after": 150.0}, NOT_REPRODUCED),
        ({"t2": [1800.0, 200.0] * 4, "t3_after": [150.0, 950.0] * 4}, UNDECIDED),
        ({"t4": NEVER}, UNDECIDED),
    ],
)
def test_four_phases(case, expected):
    check(four_phases(**case), expected)


# critical_size

ALL, NONE, HALF = [2000.0] * 8, [NEVER] * 8, [2000.0, NEVER] * 4


def critical_size(by_fraction, budget=10_000):
    groups = [
        group(STUDY, times, f"at {fraction}", budget, fraction=fraction, **MODEL)
        for fraction, times in by_fraction.items()
    ]
    return criteria_003.critical_size(
        tables(*groups), study=STUDY, architecture="shared_mlp", least_budget=10_000, least_members=6
    )


@pytest.mark.parametrize(
    ("by_fraction", "budget", "expected"),
    [
        ({0.2: NONE, 0.3: HALF, 0.5: ALL}, 10_000, REPRODUCED),
        ({0.2: NONE, 0.3: ALL, 0.4: NONE, 0.5: ALL}, 10_000, PARTLY),
        ({0.2: HALF, 0.5: ALL}, 10_000, NOT_REPRODUCED),
        ({0.2: NONE, 0.5: ALL}, 5_000, UNDECIDED),
        ({0.2: NONE, 0.3: NONE}, 10_000, UNDECIDED),
        ({0.2: NONE[:5], 0.5: ALL[:5]}, 10_000, UNDECIDED),
    ],
)
def test_critical_size(by_fraction, budget, expected):
    check(critical_size(by_fraction, budget), expected)
