"""Curvature of losses whose Hessian is known."""

import numpy as np
import pytest
import torch
from torch import nn

from regrok.probes import curvature, hessian

RNG = np.random.default_rng(0)


def quadratic(values):
    """v -> H v for a loss of two parameters whose Hessian has these eigenvalues in a random basis, and H."""
    d = len(values)
    basis, _ = np.linalg.qr(RNG.normal(size=(d, d)))
    matrix = (basis * values) @ basis.T
    first, second = (torch.zeros(size, dtype=torch.float64, requires_grad=True) for size in (d // 3, d - d // 3))
    flat = torch.cat([first, second])
    product, size = hessian.of_loss(0.5 * flat @ torch.as_tensor(matrix) @ flat + flat.sum(), [first, second])
    assert size == d
    return product, matrix


def test_a_product_is_that_of_the_matrix():
    product, matrix = quadratic(np.linspace(-1, 3, 30))
    vector = RNG.normal(size=30)
    assert product(vector) == pytest.approx(matrix @ vector)


@pytest.mark.parametrize("values", [np.linspace(-2, 5, 40), np.append(np.full(60, 0.01), [-0.5, 8.0]), [1.0, -3.0]])
def test_extreme_eigenvalues(values):
    product, _ = quadratic(np.asarray(values))
    found = hessian.extreme_eigenvalues(product, len(values), 1e-6, np.random.default_rng(0))
    assert found == pytest.approx((min(values), max(values)), abs=1e-4)
    assert hessian.largest_eigenvalue(product, len(values), 1e-6, np.random.default_rng(1)) == pytest.approx(
        max(values)
    )


def test_traces():
    values = np.linspace(-1, 3, 50)
    trace, error, squared = hessian.traces(quadratic(values)[0], 50, 400, np.random.default_rng(0))
    assert abs(trace - values.sum()) < 4 * error
    assert error < 2
    assert squared == pytest.approx((values**2).sum(), rel=0.05)


def test_a_module_has_the_hessian_of_torch():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    x, y = torch.randn(20, 3, dtype=torch.float64), torch.randint(3, (20,))
    product, d = hessian.of_module(module, x, y)

    def loss(weight, bias, last_weight, last_bias):
        hidden = torch.tanh(nn.functional.linear(x, weight, bias))
        return nn.functional.cross_entropy(nn.functional.linear(hidden, last_weight, last_bias), y)

    values = tuple(parameter.detach() for parameter in module.parameters())
    blocks = torch.autograd.functional.hessian(loss, values)
    sizes = [value.numel() for value in values]
    rows = [
        torch.cat([b.reshape(a, c) for b, c in zip(row, sizes, strict=True)], 1)
        for row, a in zip(blocks, sizes, strict=True)
    ]
    matrix = torch.cat(rows).numpy()
    vector = RNG.normal(size=d)
    assert product(vector) == pytest.approx(matrix @ vector)


def test_a_tied_weight_counts_once():
    module = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    module[1].weight = module[0].weight
    assert hessian.of_module(module, torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1]))[1] == 9


def test_condition_numbers_of_a_diagonal():
    values = np.append(np.full(98, 0.1), [-0.5, 4.0])
    row = curvature.spectrum(quadratic(values)[0], 100, 1e-6, 300, 0.25, np.random.default_rng(0))
    assert row["condition"] == pytest.approx(8, rel=1e-3)
    assert row["condition_decay"] == pytest.approx(4.25 / 0.25, rel=1e-3)
    bulk = np.sqrt((values**2).mean())
    assert row["bulk_condition"] == pytest.approx(4 / bulk, rel=0.1)
    assert np.isnan(curvature.ratio(-1.0, 2.0))
    assert np.isnan(curvature.ratio(1.0, 0.0))
