"""The multilayer perceptron of report 002, "Simple Grokking": that of report 000 with one table of embeddings for both
operands (public code: github.com/okitouni/simple-grokking, train.py)."""

import torch
from torch import Tensor

from ..cell import SharedMLP as SharedMLPSettings
from . import mlp
from .layers import Workspace
from .parameters import Part


class SharedMLP(mlp.MLP):
    """The definition: as MLP, where the embedding of y is that of x."""

    def __init__(
        self,
        settings: SharedMLPSettings,
        tokens: int,
        classes: int,
        generator: torch.Generator | None = None,
        terms: int = 2,
        places: int = 1,
    ):
        super().__init__(settings, tokens, classes, generator)
        self.embed_y = self.embed_x


Plain = SharedMLP
last_layer = mlp.last_layer


def unfold(plain: SharedMLP) -> dict[str, Tensor]:
    """As of an MLP, with one table."""
    state = mlp.unfold(plain)
    return {"embed": state.pop("embed_x")} | {name: value for name, value in state.items() if name != "embed_y"}


class Stacked(mlp.Stacked):
    """The same function on a part of a stack, with its backward pass: the gradient of the table is the sum of what
    it is as that of x and as that of y."""

    def __init__(self, settings: SharedMLPSettings, part: Part, workspace: Workspace):
        table, self.gradient = part.values["embed"], part.gradients["embed"]
        self.as_y = workspace.get("embed.gradient_as_y", *table.shape[-2:])
        values = part.values | {"embed_x": table, "embed_y": table}
        gradients = part.gradients | {"embed_x": self.gradient, "embed_y": self.as_y}
        super().__init__(settings, Part(values, gradients), workspace)

    def backward(self, gradient: Tensor) -> None:
        super().backward(gradient)
        self.gradient.add_(self.as_y)
