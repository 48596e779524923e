"""Independent random streams of a member, each a function of its seed and purpose alone.

Batch order also depends on the epoch, so a step counter is all that must be restored to resume.
"""

import numpy as np
import torch

PURPOSES = ("split", "initialisation", "batches")


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The numpy stream of a member for one purpose (and epoch)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, PURPOSES.index(purpose), index])))


def torch_generator(seed: int, purpose: str) -> torch.Generator:
    """The torch stream of a member for one purpose."""
    return torch.Generator().manual_seed(int(generator(seed, purpose).integers(2**63)))
