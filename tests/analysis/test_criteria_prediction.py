"""The criteria on prediction: each of their verdicts, on made-up grids of cells, and what turns one into another."""

import numpy as np
import pandas as pd
import pytest
from handmade import check, tables
from synthetic import design, frame

from regrok.analysis import criteria_prediction, prediction, prediction_gain, prediction_skill
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

RATES, DECAYS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1), (0.03, 0.1, 0.3, 1.0, 3.0)


def grid(informs, by_rate=0.0, seeds=3, noise=0.3, late=None, rates=RATES):
    """Members whose outcome follows a hidden number of their cell and, by `by_rate`, the learning rate; the activity of
    400 losses tells the number with weight `informs`, that of 2 000 with weight `late`, or as much."""
    rng, rows = np.random.default_rng(0), []
    for fraction in (0.5, 0.7):
        for i, rate in enumerate(rates):
            for decay in DECAYS:
                hidden = rng.normal() + by_rate * (i - 2)
                energies = {400: informs * hidden + rng.normal(), 2000: (late or informs) * hidden + rng.normal()}
                for seed in range(seeds):
                    yes = hidden + noise * rng.normal() > 0
                    for window, energy in energies.items():
                        rows.append(
                            {
                                "cell": f"{fraction} {rate} {decay}",
                                "seed": seed,
                                "architecture": "shared_mlp",
                                "fraction": fraction,
                                "learning_rate": rate,
                                "weight_decay": decay,
                                "window": window,
                                "activity": 10 ** (energy + 0.1 * rng.normal()),
                                "mobility": 1 + 0.1 * rng.normal(),
                                "complexity": 2 + 0.1 * rng.normal(),
                                "log_activity": 1.0,
                                "late_activity": 1.0,
                                "raw_activity": 1.0,
                                "loss": 0.1,
                                "weight_norm": 50.0,
                                "horizon": 10_000,
                                "val_acc": 1.0 if yes else 0.02,
                                "t4": 5000.0 if yes else np.nan,
                                "generalised": yes,
                                "at_risk": True,
                            }
                        )
    return pd.DataFrame(rows, columns=list(prediction.COLUMNS))


def ran(known):
    made = tables(
        prediction=known,
        prediction_skill=prediction_skill.build(known),
        prediction_gain=prediction_gain.build(known),
    )
    cells = [design(study="prediction", cell=cell) for cell in known["cell"].unique()]
    return made | {"designs": frame("designs", cells)}


def predicts(known, near=0.1):
    return criteria_prediction.predicts_generalisation(
        ran(known), study="prediction", architecture="shared_mlp", window=400, near=near, least_cells=8
    )


def suffices(known):
    return criteria_prediction.early_suffices(
        ran(known), study="prediction", architecture="shared_mlp", window=400, longer=2000, margin=0.05, least_cells=8
    )


@pytest.mark.parametrize(
    ("known", "near", "expected"),
    [
        (grid(3.0), 0.1, REPRODUCED),
        (grid(-3.0), 0.1, REPRODUCED),  # the sign is left open
        (grid(0.6, by_rate=3.0), 0.1, PARTLY),  # the rate tells as much
        (grid(0.0), 0.1, UNDECIDED),
        (grid(0.0), 0.49, NOT_REPRODUCED),
        (grid(3.0, rates=RATES[:1]), 0.1, UNDECIDED),  # too few cells
        (grid(3.0).assign(at_risk=False), 0.1, UNDECIDED),
    ],
)
def test_predicts_generalisation(known, near, expected):
    check(predicts(known, near), expected)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (grid(9.0), REPRODUCED),
        (grid(0.7, late=8.0), PARTLY),
        (grid(1e-9, late=8.0), NOT_REPRODUCED),
        (grid(0.0), UNDECIDED),
        (grid(3.0, rates=RATES[:1]), UNDECIDED),
    ],
)
def test_early_suffices(known, expected):
    check(suffices(known), expected)


def test_who_has_generalised_already_does_not_count():
    known = grid(3.0)
    early = known.assign(at_risk=known["generalised"].eq(False))
    assert "too few" in predicts(early).reason


def test_the_permutation_test_is_calibrated_on_noise():
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        cells = pd.DataFrame({"fraction": np.repeat([0.5, 0.7], 15), "cell": np.arange(30).astype(str)})
        p.append(
            criteria_prediction.association(cells.assign(activity=rng.normal(size=30), generalised=rng.random(30)))[1]
        )
    assert 0.25 < np.mean(np.array(p) < 0.5) < 0.75
    assert np.mean(np.array(p) < 0.05) < 0.17


def test_the_interval_of_the_difference_covers():
    """Two windows that tell equally much, cells of three members that share what they tell: 95 % or more of 120 samples
    have no difference within the interval, which is narrow all the same."""
    rng, covered, widths = np.random.default_rng(0), 0, []
    cells = pd.DataFrame({"fraction": np.repeat([0.5, 0.7], 25), "cell": np.arange(50).astype(str)})
    for _ in range(120):
        hidden = rng.normal(size=50)
        cells = cells.assign(**{name: hidden + rng.normal(size=50) for name in ("activity", "shorter")}, hidden=hidden)
        members = pd.concat([cells] * 3, ignore_index=True)
        members["seed"] = np.repeat([0, 1, 2], 50)
        members["generalised"] = members["hidden"] + 0.3 * rng.normal(size=len(members)) > 0
        _, (low, high) = criteria_prediction._compared(members)
        covered += low <= 0 <= high
        widths.append(high - low)
    assert covered / 120 >= 0.93
    assert np.median(widths) < 0.35
