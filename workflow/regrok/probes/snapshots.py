"""The weights of a member at some of its steps, as plain modules, and the examples it was trained and validated on."""

from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from ..cell import Cell
from ..training.stack import Stack


class Snapshots:
    """steps: int64 (n,); rows: float32 (n, d), all parameters of the member, flat, with zeros between some of them."""

    def __init__(self, cell: Cell, seed: int, steps: np.ndarray, rows: np.ndarray):
        self.cell, self.seed, self.steps, self.rows = cell, seed, steps, rows

    @cached_property
    def stack(self) -> Stack:
        return Stack(self.cell, [self.seed])

    def module(self, index: int, dtype: torch.dtype = torch.float32) -> nn.Module:
        """The plain form with the weights of `steps[index]`, for evaluation: operands int64 (B, K) -> logits (B, C)."""
        return self.holding(self.rows[index], dtype)

    def holding(self, row: np.ndarray, dtype: torch.dtype = torch.float32) -> nn.Module:
        """The plain form with the weights of a row, float (d,), laid out as `rows`."""
        stack, plain, start = self.stack, self.stack.plain(), 0
        for buffer in stack.parameters.buffers:
            end = start + buffer.shape[1]
            buffer.copy_(torch.as_tensor(row[start:end]))
            start = end
        with torch.no_grad():
            for name, view in stack.unfold(plain).items():  # views of the plain form's own parameters
                view.copy_(stack.parameters.values[name][0])
        return plain.to(dtype).eval()

    def flat(self, plain: nn.Module) -> np.ndarray:
        """The weights of a plain form, float32 (d,), laid out as `rows`: the inverse of `holding`."""
        stack = self.stack
        with torch.no_grad():
            for name, view in stack.unfold(plain).items():
                stack.parameters.values[name][0].copy_(view)
        return np.concatenate([buffer[0].numpy() for buffer in stack.parameters.buffers])

    def examples(self, side: str) -> tuple[Tensor, Tensor]:
        """Operands int64 (n, K) and answers int64 (n,) of the "train" or "validation" examples that are evaluated."""
        data = self.stack.data[0]
        return self.stack.look_up(data.seen[getattr(data, side)[data.seen]])
