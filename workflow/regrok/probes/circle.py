"""How much a set of p embeddings is a circle through the residues in order of k x mod p. No probe itself.

Along the residues an embedding is a signal: its discrete Fourier transform has (p - 1) / 2 frequencies, each of which
is a circle in which residues follow each other in steps of k (Liu et al. 2022, section 3; Nanda et al. 2023, section
4).
"""

import numpy as np
from torch import nn


def embeddings(module: nn.Module, residues: int) -> np.ndarray:
    """The embeddings of the residues, float64 (p, width), of a module of any architecture that has one table."""
    table = module.embed_x.weight if hasattr(module, "embed_x") else module.embedding.token.weight
    return table.detach().double().numpy()[:residues]


def centred(points: np.ndarray) -> np.ndarray:
    return points - points.mean(axis=0)


def plane(points: np.ndarray) -> np.ndarray:
    """The first two principal components of points (p, width), as columns, (width, 2)."""
    return np.linalg.svd(centred(points), full_matrices=False)[2][:2].T


def spectrum(points: np.ndarray) -> np.ndarray:
    """Shares of the variance of points (p, width), p odd, in the frequencies 1 .. (p - 1) / 2."""
    power = (np.abs(np.fft.rfft(points, axis=0)[1:]) ** 2).sum(axis=1)
    return power / max(power.sum(), 1e-300)


def order(points: np.ndarray) -> tuple[float, int]:
    """(share, k): the largest share of the variance in one frequency, and that frequency."""
    shares = spectrum(points)
    return float(shares.max()), int(shares.argmax()) + 1


def roundness(points: np.ndarray) -> float:
    """Ratio of the smaller to the larger standard deviation of points (p, 2) along their axes: 1 for a circle."""
    values = np.linalg.svd(centred(points), compute_uv=False)
    return float(values[1] / values[0]) if values[0] else np.nan


def participation(shares: np.ndarray) -> float:
    """Number of frequencies that a spectrum is spread over: the inverse of the sum of its squares."""
    return float(1 / (shares**2).sum())


def disparity(points: np.ndarray, target: np.ndarray) -> float:
    """Share of the variance of `target`, (p, 2), that points (p, 2) do not explain after translation, rotation and
    scaling: Procrustes, between 0 and 1."""
    a, b = centred(points), centred(target)
    singular = np.linalg.svd(a.T @ b, compute_uv=False).sum()
    scale = (a**2).sum() * (b**2).sum()
    return float(1 - singular**2 / scale) if scale else np.nan
