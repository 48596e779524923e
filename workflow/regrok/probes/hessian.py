"""Curvature of a loss by Hessian-vector products: extreme eigenvalues by Lanczos, traces by Hutchinson. No probe
itself."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

Product = Callable[[np.ndarray], np.ndarray]


def of_loss(loss: Tensor, parameters: Sequence[Tensor]) -> tuple[Product, int]:
    """(v -> H v, d): the Hessian of a scalar `loss` by `parameters`, flat in their order; v and H v are float64
    (d,)."""
    gradients = torch.autograd.grad(loss, parameters, create_graph=True)
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])

    def product(vector: np.ndarray) -> np.ndarray:
        along = torch.as_tensor(np.asarray(vector).reshape(-1), dtype=flat.dtype)
        parts = torch.autograd.grad(flat, parameters, along, retain_graph=True, materialize_grads=True)
        return torch.cat([part.reshape(-1) for part in parts]).double().numpy()

    return product, flat.numel()


def of_module(module: nn.Module, operands: Tensor, answers: Tensor) -> tuple[Product, int]:
    """The same of a module's mean cross-entropy, by those of its parameters that train, each once."""
    with sdpa_kernel(SDPBackend.MATH):  # of the kernels of attention the only one that can be differentiated twice
        loss = nn.functional.cross_entropy(module(operands), answers)
    return of_loss(loss, [parameter for parameter in module.parameters() if parameter.requires_grad])


def largest_eigenvalue(product: Product, d: int, tolerance: float, rng: np.random.Generator) -> float:
    """The largest eigenvalue, algebraically, to a relative `tolerance`, by scipy.sparse.linalg.eigsh."""
    operator = scipy.sparse.linalg.LinearOperator((d, d), matvec=product, dtype=np.float64)
    if d < 4:
        return float(np.linalg.eigvalsh(operator @ np.eye(d)).max())
    options = {"k": 1, "which": "LA", "tol": tolerance, "ncv": min(d, 20), "return_eigenvectors": False}
    return float(scipy.sparse.linalg.eigsh(operator, v0=rng.normal(size=d), **options)[0])


def extreme_eigenvalues(product: Product, d: int, tolerance: float, rng: np.random.Generator) -> tuple[float, float]:
    """(smallest, largest) eigenvalue, algebraically; the smallest to a `tolerance` relative to their difference: it
    lies close to the bulk, where Lanczos iteration is slow."""
    largest = largest_eigenvalue(product, d, tolerance, rng)
    shifted = largest_eigenvalue(lambda v: largest * np.reshape(v, -1) - product(v), d, tolerance, rng)
    return largest - shifted, largest


def traces(product: Product, d: int, probes: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """(trace of H, its standard error, trace of H²) from `probes` Rademacher vectors (Hutchinson 1990)."""
    firsts, seconds = [], []
    for _ in range(probes):
        vector = rng.choice([-1.0, 1.0], size=d)
        image = product(vector)
        firsts.append(vector @ image)
        seconds.append(image @ image)
    error = np.std(firsts, ddof=1) / np.sqrt(probes) if probes > 1 else np.nan
    return float(np.mean(firsts)), float(error), float(np.mean(seconds))


def subset(operands: Tensor, answers: Tensor, rows: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """At most `rows` examples, drawn without replacement."""
    if len(answers) <= rows:
        return operands, answers
    chosen = torch.as_tensor(np.sort(rng.choice(len(answers), rows, replace=False)))
    return operands[chosen], answers[chosen]
