"""Circles that are planted, and clouds."""

import numpy as np
import pytest
from tiny import tiny

from regrok.probes import circle, embedding, embedding_frames

P = 59
RNG = np.random.default_rng(0)


def planted(*frequencies, width=20, noise=0.0, radii=None):
    """Embeddings (P, width) of circles at these frequencies in planes that are orthogonal to one another."""
    basis = np.linalg.qr(RNG.normal(size=(width, 2 * len(frequencies))))[0]
    angle = 2 * np.pi * np.outer(np.arange(P), frequencies) / P
    scaled = np.stack([np.cos(angle), np.sin(angle)], -1) * np.array(radii or [1.0] * len(frequencies))[:, None]
    return scaled.reshape(P, -1) @ basis.T + noise * RNG.normal(size=(P, width)) + RNG.normal(size=width)


@pytest.mark.parametrize("k", [1, 7, 29])
def test_a_planted_circle_is_found(k):
    points = planted(k)
    places = points @ circle.plane(points)
    share, frequency = circle.order(places)
    assert share == pytest.approx(1)
    assert frequency == k
    assert circle.roundness(places) == pytest.approx(1)
    assert circle.participation(circle.spectrum(points)) == pytest.approx(1)


def test_two_frequencies_share_the_variance():
    shares = circle.spectrum(planted(3, 12))
    assert shares[[2, 11]] == pytest.approx([0.5, 0.5])
    assert circle.participation(shares) == pytest.approx(2)
    assert circle.order(planted(3, 12, radii=[2.0, 1.0]))[0] == pytest.approx(0.8)


def test_a_cloud_has_little_order():
    clouds = [circle.order((cloud := RNG.normal(size=(P, 20))) @ circle.plane(cloud))[0] for _ in range(50)]
    assert np.median(clouds) < 0.3
    assert circle.participation(circle.spectrum(RNG.normal(size=(P, 400)))) > 25


def test_a_spectrum_is_a_partition_of_the_variance():
    points = RNG.normal(size=(P, 5))
    assert circle.spectrum(points).sum() == pytest.approx(1)
    by_hand = [abs(np.exp(-2j * np.pi * k * np.arange(P) / P) @ points) ** 2 for k in range(1, 30)]
    assert circle.spectrum(points) == pytest.approx(
        np.array(by_hand).sum(1) * 2 / P / (circle.centred(points) ** 2).sum()
    )


def test_disparity_ignores_place_turn_and_size():
    target = RNG.normal(size=(P, 2))
    turn = np.array([[0, -1], [1, 0.0]])
    assert circle.disparity(3 * target @ turn + 5, target) == pytest.approx(0)
    assert 0.5 < circle.disparity(RNG.normal(size=(P, 2)), target) <= 1


def test_the_course_of_a_cloud_that_becomes_a_circle():
    """Half of the final circle is planted in the beginning: more of it than in independent clouds."""
    final, cloud = planted(7), RNG.normal(size=(P, 20))
    tables = [share * final + (1 - share) * cloud for share in (0.4, 0.7, 1.0)]
    others = RNG.normal(size=(50, P, 20)) * 0.6
    rows = embedding.course(np.array([0, 100, 200]), tables, others, above=3.0)
    assert [row["step"] for row in rows] == [0, 100, 200]
    assert rows[-1]["final_order"] == pytest.approx(1)
    assert rows[-1]["disparity"] == pytest.approx(0)
    assert rows[-1]["frequencies"] == 1
    assert rows[0]["final_order"] < rows[1]["final_order"]
    assert rows[0]["null_order_p"] == pytest.approx(1 / 51)
    assert rows[0]["null_order_less_p"] == 1
    assert rows[0]["null_structure"] == pytest.approx(1 / 29, abs=0.02)
    assert "null_order" not in rows[1]


def test_an_initialisation_like_any_other_has_a_rank_like_any_other():
    ranks = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        tables, others = [rng.normal(size=(P, 10)), planted(5, width=10)], rng.normal(size=(19, P, 10))
        ranks.append(embedding.course(np.array([0, 9]), tables, others, 3.0)[0]["null_order_p"])
    assert 0.35 < np.mean(ranks) < 0.65


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 0.95 * 0.9 * 0.9),  # a rate of 0.1 after two steps of warm-up
        ({"optimizer.name": "adam"}, 1.0),
        ({"optimizer.decays": "no_embeddings"}, 1.0),
        ({"optimizer.weight_decay": 0.0}, 1.0),
    ],
)
def test_what_decay_leaves_of_the_start(settings, expected):
    own = {"optimizer.learning_rate": 0.1, "schedule": {"shape": "constant", "warmup": 2}} | settings
    assert embedding.left_by_decay(tiny(own), 3)[-1] == pytest.approx(expected)


def test_frames():
    assert embedding_frames.chosen(100, 5).tolist() == [0, 25, 50, 74, 99]
    assert embedding_frames.chosen(3, 60).tolist() == [0, 1, 2]
