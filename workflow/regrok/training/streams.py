"""Independent random streams of a member, each a function of its seed and purpose alone.

Batch order also depends on the epoch and dropout on the step, so a step counter is all that must be restored to
resume.
"""

import numpy as np
import torch
from torch import Tensor

PURPOSES = ("split", "initialisation", "batches", "dropout", "evaluation")


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The numpy stream of a member for one purpose (and epoch, or step)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, PURPOSES.index(purpose), index])))


def torch_generator(seed: int, purpose: str) -> torch.Generator:
    """The torch stream of a member for one purpose."""
    return torch.Generator().manual_seed(int(generator(seed, purpose).integers(2**63)))


class Noise:
    """What dropout draws in one step, for the members of a part: each from its own stream."""

    def __init__(self, seeds: list[int], step: int):
        self.generators = [generator(seed, "dropout", step) for seed in seeds]

    def fill(self, uniform: Tensor) -> None:
        """Fill a float32 tensor, (N, H) for one member or (S, N, H) for S, with the next numbers of [0, 1)."""
        if uniform.is_cpu and uniform.ndim == 2:
            self.generators[0].random(dtype=np.float32, out=uniform.numpy())
            return
        for generator, own in zip(self.generators, uniform, strict=True):
            own.copy_(torch.from_numpy(generator.random(own.shape, dtype=np.float32)))
