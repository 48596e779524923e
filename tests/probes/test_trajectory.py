"""Components of ways that are known, and of walks."""

from types import SimpleNamespace

import numpy as np
import pytest

from regrok.probes import trajectory, trajectory_path

RNG = np.random.default_rng(0)


def gram(points):
    return points @ points.T


def test_only_evenly_spaced_snapshots_count():
    """Those at 500, 1 000 and 2 000 are log-spaced ones, beyond the stretch that was asked for."""
    steps = np.array([0, 1, 50, 100, 200, 300, 500, 1000, 2000])
    snapshots = SimpleNamespace(steps=steps, rows=np.arange(9.0)[:, None])
    kept, rows = trajectory.uniform(SimpleNamespace(snapshots=lambda: snapshots), 100)
    assert kept.tolist() == [0, 100, 200, 300]
    assert rows[:, 0].tolist() == [0, 3, 4, 5]


def test_a_straight_way_has_one_component():
    points = np.outer(np.arange(20.0), RNG.normal(size=50)) + RNG.normal(size=50)
    assert trajectory.explained(gram(points))[0] == pytest.approx(1)


def test_a_planted_circle_has_two_equal_ones():
    angle = 2 * np.pi * np.arange(40) / 40
    plane = np.linalg.qr(RNG.normal(size=(60, 2)))[0]
    points = 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane.T + RNG.normal(size=60)
    assert trajectory.explained(gram(points))[:3] == pytest.approx([0.5, 0.5, 0], abs=1e-9)
    first, second = trajectory_path.path(gram(points))
    assert np.hypot(first, second) == pytest.approx(np.full(40, 3.0))


def test_a_long_walk_has_the_known_shares():
    """6 / (pi k)²: Antognini and Sohl-Dickstein 2018, equation 9."""
    shares = trajectory.explained(trajectory.walk_gram(0.0, 0.0, np.ones(2000)))
    k = np.arange(1, 6)
    assert shares[:5] == pytest.approx(6 / (np.pi * k) ** 2, rel=0.01)


def test_the_limit_of_a_drawn_walk():
    lengths = RNG.random(30) + 0.5
    steps = RNG.normal(size=(30, 20_000))
    steps *= (lengths / np.linalg.norm(steps, axis=1))[:, None]
    points = np.vstack([np.zeros(20_000), steps.cumsum(axis=0)])
    drawn = trajectory.explained(gram(points))
    assert trajectory.explained(trajectory.walk_gram(0.0, 0.0, lengths)) == pytest.approx(drawn, abs=0.01)
    assert np.sqrt(trajectory.squared_steps(gram(points))) == pytest.approx(lengths)


def test_a_planted_decay_is_found():
    start = np.zeros(20_000)
    start[0] = 50.0
    points = [start]
    for _ in range(40):
        noise = RNG.normal(size=20_000) * 0.5 / np.sqrt(20_000)
        points.append(0.9 * points[-1] + noise)
    points = np.array(points)
    decay, rests = trajectory.decaying(gram(points))
    assert decay == pytest.approx(0.1, abs=0.002)
    assert rests == pytest.approx(np.full(40, 0.5), rel=0.05)
    fitted = trajectory.explained(trajectory.walk_gram(decay, 50.0, rests))
    assert fitted[:3] == pytest.approx(trajectory.explained(gram(points))[:3], abs=0.002)
