"""Summary of a member's course, and the criteria of report 002 on it: each of their verdicts."""

import numpy as np
import pandas as pd
import pytest
from handmade import check, tables

from regrok.analysis import criteria_002, embedding_members
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED


def test_half_of_the_way():
    steps = np.array([0, 100, 200, 300])
    assert embedding_members.half_step(steps, np.array([0.1, 0.3, 0.6, 0.9])) == 200
    assert np.isnan(embedding_members.half_step(steps, np.array([0.5, 0.3, 0.6, 0.4])))


def rows(n=8, architecture="transformer", **columns):
    base = {
        "cell": "cell",
        "seed": range(n),
        "architecture": architecture,
        "width": 64,
        "weight_decay": 1.0,
        "t4": 2000.0,
        "generalised": True,
        "last_order": 0.9,
        "half_step": 1800.0,
        "frequencies": 3,
        "initial_order": 0.2,
        "null_order": 0.1,
        "null_order_p": np.linspace(0.01, 0.1, n),
        "null_order_less_p": np.linspace(0.99, 0.9, n),
        "initial_disparity": np.linspace(0.8, 0.85, n),
        "null_disparity": 0.95,
        "initial_structure": 0.15,
        "null_structure": 0.1,
        "null_structure_p": np.linspace(0.01, 0.1, n),
        "last_structure": 0.9,
        "retained": 0.01,
    }
    return pd.DataFrame(base | columns, columns=list(embedding_members.COLUMNS))


HALF = [0.9, 0.2] * 4


def judged(criterion, frame, **parameters):
    return getattr(criteria_002, criterion)(tables(embedding_members=frame), least_members=6, **parameters)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, REPRODUCED),
        ({"half_step": 500.0}, PARTLY),
        ({"last_order": 0.3}, PARTLY),
        ({"last_order": 0.3, "half_step": 500.0}, NOT_REPRODUCED),
        ({"last_order": HALF, "half_step": [500.0, 1800.0] * 4}, UNDECIDED),
        ({"n": 5}, UNDECIDED),
        ({"generalised": False}, UNDECIDED),
    ],
)
def test_circle_with_generalisation(columns, expected):
    frame = rows(**columns)
    check(judged("circle_with_generalisation", frame, architecture="transformer", ordered=0.5, factor=2), expected)


FLAT, LARGE = np.linspace(0.1, 0.9, 8), np.linspace(0.9, 0.99, 8)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, REPRODUCED),
        ({"null_order_p": FLAT}, PARTLY),
        ({"null_order_p": LARGE, "null_order_less_p": 1 - LARGE, "initial_disparity": 0.99}, NOT_REPRODUCED),
        ({"null_order_p": FLAT, "initial_disparity": [0.9, 1.0] * 4}, UNDECIDED),
        ({"n": 5}, UNDECIDED),
        ({"retained": 0.1}, UNDECIDED),  # the end is like its own beginning by what decay has left of it
        ({"seed": [0, 1, 2, 3] * 2}, UNDECIDED),  # at two widths: four seeds, not eight
    ],
)
def test_structure_from_the_start(columns, expected):
    check(judged("structure_from_the_start", rows(**columns), architecture="transformer", most_retained=0.05), expected)


def widths(*slopes, n=8):
    """Initial distances that change by a slope with each doubling of the width."""
    parts = []
    for name, slope in zip(("transformer", "shared_mlp"), slopes, strict=True):
        for doubling, width in enumerate((32, 64, 128)):
            distance = 0.8 + slope * doubling + np.roll(np.linspace(0, 0.04, n), doubling)
            parts.append(rows(n, name, width=width, initial_disparity=distance, cell=f"{name} {width}"))
    return pd.concat(parts)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (widths(-0.05, -0.05), REPRODUCED),
        (widths(-0.05, 0.0), PARTLY),
        (widths(0.05, 0.05), NOT_REPRODUCED),
        (widths(0.0, 0.0), UNDECIDED),
        (widths(-0.05, -0.05, n=5), UNDECIDED),
    ],
)
def test_nearer_when_wider(frame, expected):
    decay = {"transformer": 1.0, "shared_mlp": 1.0}
    verdict = judged("nearer_when_wider", frame, architectures=["transformer", "shared_mlp"], weight_decay=decay)
    check(verdict, expected)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, REPRODUCED),
        ({"frequencies": 1}, NOT_REPRODUCED),
        ({"frequencies": [1] * 7 + [2]}, UNDECIDED),
        ({"frequencies": 1, "n": 5}, UNDECIDED),
        ({"frequencies": 1, "last_order": 0.3}, REPRODUCED),
    ],
)
def test_may_be_spread(columns, expected):
    check(judged("may_be_spread", rows(**columns), least_frequencies=2, ordered=0.5), expected)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, REPRODUCED),
        ({"null_structure_p": FLAT}, PARTLY),
        ({"last_structure": 0.1}, NOT_REPRODUCED),
        ({"last_structure": [0.1, 0.9] * 4}, UNDECIDED),
        ({"n": 5}, UNDECIDED),
        ({"retained": 0.1}, UNDECIDED),
    ],
)
def test_prunes_noise(columns, expected):
    check(judged("prunes_noise", rows(**columns), architecture="transformer", most_retained=0.05), expected)
