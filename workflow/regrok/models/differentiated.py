"""A plain module as part of a stack, by PyTorch's own differentiation: for models that have no `Stacked` themselves."""

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from .parameters import Part


class Differentiated:
    """The function of `plain`, whose parameters are those of the part, with its backward pass. No dropout."""

    def __init__(self, plain: nn.Module, part: Part):
        self.values, self.gradients = part
        self.leaves = {name: value.detach().requires_grad_() for name, value in self.values.items()}
        shapes = {name: value.shape for name, value in plain.named_parameters()}
        stacked = any(self.values[name].shape != shape for name, shape in shapes.items())
        plain = plain.to("meta")

        def function(leaves: dict[str, Tensor], tokens: Tensor) -> Tensor:
            return functional_call(plain, leaves, (tokens,))

        self.function = vmap(function) if stacked else function

    def prepare(self) -> None:
        """Nothing: the leaves are views of the parameters."""

    def forward(self, tokens: Tensor, noise: None = None) -> Tensor:
        """tokens: int64 (B, K) -> logits (B, C)."""
        with torch.enable_grad():
            self.logits = self.function(self.leaves, tokens)
        return self.logits.detach()

    def backward(self, gradient: Tensor) -> None:
        """gradient: of the logits, (B, C). Writes the gradients of all parameters."""
        found = torch.autograd.grad(self.logits, list(self.leaves.values()), gradient)
        for name, value in zip(self.leaves, found, strict=True):
            self.gradients[name].copy_(value)
