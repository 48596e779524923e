"""Random streams: each a function of seed, purpose and epoch alone."""

import itertools

import numpy as np
import pytest
import torch
from tiny import differences, tiny

from regrok.training.stack import Stack, data
from regrok.training.streams import PURPOSES, generator, torch_generator


def test_streams_never_change():
    """Every record was made with these numbers."""
    streams = [(0, "split"), (0, "initialisation"), (0, "batches"), (0, "batches", 1), (7, "split")]
    draws = [int(generator(*stream).integers(2**32)) for stream in streams]
    assert draws == [3653403231, 2242647589, 4206763307, 4155920006, 4058335883]


def test_no_two_streams_are_alike():
    keys = list(itertools.product(range(30), PURPOSES, range(10)))
    draws = {int(generator(*key).integers(2**63)) for key in keys}
    assert len(draws) == len(keys)
    seeds = {torch_generator(seed, purpose).initial_seed() for seed in range(30) for purpose in PURPOSES}
    assert len(seeds) == 30 * len(PURPOSES)


def test_drawing_from_one_stream_moves_no_other():
    expected = generator(3, "batches", 1).random(5)
    generator(3, "batches", 0).random(100)
    np.random.default_rng().random(3)
    torch.rand(3)
    assert generator(3, "batches", 1).random(5).tolist() == expected.tolist()


def initial(cell, seed: int) -> dict[str, np.ndarray]:
    torch.manual_seed(np.random.default_rng().integers(2**31))  # the global stream has no part in it
    return Stack(cell, [seed]).state(0)


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer.learning_rate": 0.5},
        {"optimizer.decays": "all", "schedule.warmup": 0},
        {"batches.order": "replacement", "batches.size": 5},
        {"split.fraction": 0.3},
        {"split.pairs": "unordered"},
        {"task.operation": "multiply"},
        {"loss.precision": "float64"},
    ],
)
def test_members_of_one_seed_start_from_the_same_weights(change):
    """Common random numbers: cells are compared seed by seed."""
    assert not differences(initial(tiny(), 5), initial(tiny(change), 5))
    assert differences(initial(tiny(), 5), initial(tiny(change), 6))


@pytest.mark.parametrize(
    "change",
    [
        {"model.hidden": 9, "model.layers": 1},
        {"batches.order": "replacement"},
        {"optimizer.weight_decay": 0.0},
        {"task.operation": "subtract"},
    ],
)
def test_members_of_one_seed_share_their_split(change):
    assert np.array_equal(data(tiny(), 5).train, data(tiny(change), 5).train)
    assert not np.array_equal(data(tiny(), 5).train, data(tiny(change), 6).train)


@pytest.mark.parametrize("pairs", ["ordered", "unordered"])
def test_splits_are_nested_in_the_fraction(pairs):
    parts = [data(tiny({"split": {"fraction": f, "pairs": pairs}}), 2) for f in (0.2, 0.35, 0.5, 0.8)]
    assert [part.train.sum() for part in parts] == [34, 59, 84, 135]
    for smaller, larger in itertools.pairwise(parts):
        assert not (smaller.train & ~larger.train).any()
        assert not (larger.validation & ~smaller.validation).any()
        assert not (smaller.train & smaller.validation).any()
