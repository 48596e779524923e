"""Variance of gradients that is known."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from regrok.probes import gradient_variance as probe


def test_moments_by_hand():
    """Gradients (1, 0), (3, 0), (2, 3), (2, -3): variances 2 / 3 and 6, mean (2, 0)."""
    found = probe.moments(np.array([[1.0, 0], [3, 0], [2, 3], [2, -3]]))
    assert found["variance"] == pytest.approx(2 / 3 + 6)
    assert found["squared_norm"] == pytest.approx(4 - (2 / 3 + 6) / 4)
    assert found["relative"] == pytest.approx((2 / 3 + 6) / (4 - (2 / 3 + 6) / 4))
    assert np.isnan(probe.moments(np.array([[1.0], [-1.0]]))["relative"])


def test_the_estimates_are_unbiased():
    rng = np.random.default_rng(0)
    drawn = [probe.moments(rng.normal(0.5, 2.0, size=(8, 5))) for _ in range(4000)]
    assert np.mean([one["variance"] for one in drawn]) == pytest.approx(20, rel=0.02)
    assert np.mean([one["squared_norm"] for one in drawn]) == pytest.approx(1.25, abs=0.1)


class Fixed:
    """One snapshot of a linear model, and 6 examples."""

    def __init__(self):
        torch.manual_seed(0)
        self.linear, self.steps, self.rows = nn.Linear(2, 3), np.arange(0, 3000), np.zeros((3000, 1))
        self.x, self.y = torch.randn(6, 2), torch.randint(3, (6,))

    def module(self, index):
        return self.linear

    def examples(self, side):
        return self.x, self.y


def test_the_mean_is_that_of_all_minibatches():
    """By enumeration of the 15 pairs of 6 examples; disjoint pairs would give 5 / 4 of the variance."""
    fixed = Fixed()
    each = [
        probe.gradient(fixed.linear, fixed.x[list(pair)], fixed.y[list(pair)]) for pair in combinations(range(6), 2)
    ]
    full = probe.gradient(fixed.linear, fixed.x, fixed.y)
    member = SimpleNamespace(seed=0, cell=SimpleNamespace(batch_size=2), snapshots=lambda: fixed)
    found = probe.measure(member, every=1, batches=3)
    assert found["variance"].mean() == pytest.approx(np.var(each, axis=0).sum(), rel=0.04)
    four_errors = 4 * found["squared_norm"].std() / len(found) ** 0.5
    assert found["squared_norm"].mean() == pytest.approx(full @ full, abs=four_errors)
    assert four_errors < 0.1


def test_the_mean_over_all_examples_is_the_full_gradient():
    torch.manual_seed(0)
    module, x, y = nn.Linear(4, 3).double(), torch.randn(60, 4, dtype=torch.float64), torch.randint(3, (60,))
    parts = np.arange(60).reshape(6, 10)
    gradients = np.array([probe.gradient(module, x[part], y[part]) for part in parts])
    assert gradients.mean(axis=0) == pytest.approx(probe.gradient(module, x, y))
