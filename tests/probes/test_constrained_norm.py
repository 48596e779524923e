"""Losses on spheres of weights."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from regrok.probes import constrained_norm

RNG = np.random.default_rng(0)


class Linear:
    """Snapshots of logits that are W x without bias, of 2 classes: the best W of a norm is known."""

    def __init__(self, *rows):
        self.rows, self.steps = np.array(rows, dtype=np.float32), np.arange(len(rows))

    def holding(self, row):
        module = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            module.weight.copy_(torch.as_tensor(row).reshape(2, 2))
        return module

    def flat(self, module):
        return module.weight.detach().numpy().reshape(-1).copy()

    def examples(self, side):
        x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        return x, torch.tensor([0, 1] if side == "train" else [1, 0])


def measure(descent, shares):
    snapshots = Linear(RNG.normal(size=4), [3.0, 0.0, 0.0, 4.0])
    member = SimpleNamespace(snapshots=lambda: snapshots)
    return snapshots, constrained_norm.measure(member, shares=shares, descent=descent, rate=0.05)


def test_the_descent_finds_the_best_weights_of_a_norm():
    """Of norm c they are c / 2 (1, -1; -1, 1), and the loss is log(1 + exp(-c)); with answers exchanged
    log(1 + exp(c))."""
    _, found = measure(2000, [0.2, 0.4, 1.0])
    assert found["norm"].tolist() == pytest.approx([1, 2, 5])
    assert found["train_loss"].tolist() == pytest.approx(np.log1p(np.exp(-found["norm"])).tolist(), rel=1e-2)
    assert found["val_loss"].tolist() == pytest.approx(np.log1p(np.exp(found["norm"])).tolist(), rel=1e-2)


def test_it_starts_from_the_initial_weights():
    snapshots, found = measure(0, [0.4])
    start = torch.as_tensor(2 * snapshots.rows[0] / np.linalg.norm(snapshots.rows[0])).reshape(2, 2)
    x, y = snapshots.examples("train")
    assert found["train_loss"][0] == pytest.approx(nn.functional.cross_entropy(x @ start.T, y).item(), rel=1e-5)


@pytest.mark.parametrize("norm", [0.5, 3.0])
def test_weights_stay_on_the_sphere(norm):
    snapshots = Linear(RNG.normal(size=4))
    row = constrained_norm.on_sphere(snapshots, snapshots.rows[0], norm, snapshots.examples("train"), 20, 0.1)
    assert np.linalg.norm(row) == pytest.approx(norm, rel=1e-5)
