"""The parameters of a stack of members, as few flat buffers, with gradients in their twins."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

ALIGNMENT = 16  # floats in a cache line


def aligned(size: int) -> int:
    """The least multiple of a cache line's floats that holds `size` floats."""
    return -(-size // ALIGNMENT) * ALIGNMENT


class Part(NamedTuple):
    """What is computed in one go: on the CPU one member, on another device the whole stack (a leading axis)."""

    values: dict[str, Tensor]
    gradients: dict[str, Tensor]


class Parameters:
    """Values and gradients of S members, float32.

    shapes: name -> shape of one member's parameter. decayed: names under weight decay.
    `values[name]`, `gradients[name]`: views of shape (S, *shape). `buffers`, `gradient_buffers`: the contiguous
    (S, width) tensors behind them, first the decayed parameters, then the others (either may have width 0).
    Row i belongs to member i alone and is laid out alike whatever S is, so arithmetic on it never depends on S.
    """

    def __init__(self, shapes: dict[str, tuple[int, ...]], decayed: set[str], members: int, device: str = "cpu"):
        self.shapes, self.decayed, self.members = shapes, decayed, members
        self.one_by_one = torch.device(device).type == "cpu"  # a part is one member, not the whole stack
        self.values: dict[str, Tensor] = {}
        self.gradients: dict[str, Tensor] = {}
        self.buffers: list[Tensor] = []
        self.gradient_buffers: list[Tensor] = []
        for names in ([n for n in shapes if n in decayed], [n for n in shapes if n not in decayed]):
            sizes = [math.prod(shapes[name]) for name in names]
            starts = [0]
            for size in sizes:
                starts.append(starts[-1] + aligned(size))
            buffer = torch.zeros(members, starts[-1], device=device)
            gradient = torch.zeros_like(buffer)
            self.buffers.append(buffer)
            self.gradient_buffers.append(gradient)
            for name, start, size in zip(names, starts, sizes, strict=False):
                self.values[name] = buffer[:, start : start + size].view(members, *shapes[name])
                self.gradients[name] = gradient[:, start : start + size].view(members, *shapes[name])

    def parts(self) -> list[Part]:
        """The views on which the parts of the stack are computed."""
        if not self.one_by_one:
            return [Part(self.values, self.gradients)]
        return [
            Part(*({name: value[member] for name, value in kind.items()} for kind in (self.values, self.gradients)))
            for member in range(self.members)
        ]

    def load(self, member: int, values: dict[str, Tensor]) -> None:
        """Set one member's parameters from tensors of the plain shapes."""
        for name, value in values.items():
            self.values[name][member].copy_(value)

    def member(self, index: int) -> dict[str, Tensor]:
        """Copies of one member's parameters."""
        return {name: value[index].clone() for name, value in self.values.items()}

    def norms(self) -> Tensor:
        """Euclidean norm of all of a member's parameters: float64, shape (S,)."""
        return sum(buffer.double().square().sum(1) for buffer in self.buffers).sqrt()
