"""Variance of gradients that is known."""

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


def test_batches_are_disjoint_within_a_pass():
    drawn = probe.parts(100, 30, 7, np.random.default_rng(0))
    assert [len(part) for part in drawn] == [30] * 7
    assert len(np.unique(np.concatenate(drawn[:3]))) == 90
    assert len(np.unique(np.concatenate(drawn[3:6]))) == 90


def test_the_mean_over_all_examples_is_the_full_gradient():
    torch.manual_seed(0)
    module, x, y = nn.Linear(4, 3).double(), torch.randn(60, 4, dtype=torch.float64), torch.randint(3, (60,))
    parts = probe.parts(60, 10, 6, np.random.default_rng(0))
    gradients = np.array([probe.gradient(module, x[part], y[part]) for part in parts])
    assert gradients.mean(axis=0) == pytest.approx(probe.gradient(module, x, y))
