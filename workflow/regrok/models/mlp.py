"""The multilayer perceptron of report 000, section 2.1: embeddings of x and y, concatenated, hidden ReLU layers."""

import torch
from torch import Tensor, nn

from ..cell import MLP as MLPSettings
from .layers import Linear, PairEmbedding, Workspace
from .parameters import Part


class MLP(nn.Module):
    """The definition: tokens int64 (B, 2) -> logits (B, classes). PyTorch's default initialisation of linear layers,
    embeddings from N(0, embedding_std²), all drawn from `generator`. There are always two terms and one
    place."""

    def __init__(
        self,
        settings: MLPSettings,
        tokens: int,
        classes: int,
        generator: torch.Generator | None = None,
        terms: int = 2,
        places: int = 1,
    ):
        super().__init__()
        self.embed_x = nn.Embedding(tokens, settings.embedding)
        self.embed_y = nn.Embedding(tokens, settings.embedding)
        widths = [2 * settings.embedding, *[settings.hidden] * settings.layers, classes]
        self.linears = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, widths[1:], strict=False))
        with torch.no_grad():
            for embedding in (self.embed_x, self.embed_y):
                embedding.weight.normal_(0, settings.embedding_std, generator=generator)
            for linear in self.linears:
                bound = linear.in_features**-0.5
                linear.weight.uniform_(-bound, bound, generator=generator)
                linear.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = torch.cat([self.embed_x(tokens[:, 0]), self.embed_y(tokens[:, 1])], dim=1)
        for linear in self.linears[:-1]:
            hidden = torch.relu(linear(hidden))
        return self.linears[-1](hidden)


Plain = MLP


def unfold(plain: MLP) -> dict[str, Tensor]:
    """The plain module's parameters under the stacked form's names: the first weight is cut into its two halves."""
    state = {
        f"linears.{i}.{part}": getattr(linear, part)
        for i, linear in enumerate(plain.linears)
        for part in ("weight", "bias")
    }
    first = state.pop("linears.0.weight")
    width = first.shape[1] // 2
    return {
        "embed_x": plain.embed_x.weight,
        "embed_y": plain.embed_y.weight,
        "linears.0.weight_x": first[:, :width],
        "linears.0.weight_y": first[:, width:],
        **state,
    }


def last_layer(settings: MLPSettings) -> str:
    """The weight of the last layer, under its name in the stacked form."""
    return f"linears.{settings.layers}.weight"


class Stacked:
    """The same function on a part of a stack, with its backward pass: tokens int64 (B, 2) -> logits (B, classes)."""

    def __init__(self, settings: MLPSettings, part: Part, workspace: Workspace):
        self.embedding = PairEmbedding(part, "linears.0", workspace)
        self.linears = [
            Linear(part, f"linears.{i}", relu=i < settings.layers, workspace=workspace)
            for i in range(1, settings.layers + 1)
        ]

    def prepare(self) -> None:
        """Must be called after the parameters have changed, or another part was computed, and before `forward`."""
        self.embedding.fold()

    def forward(self, tokens: Tensor, noise: None = None) -> Tensor:
        hidden = self.embedding.forward(tokens)
        for linear in self.linears:
            hidden = linear.forward(hidden)
        return hidden

    def backward(self, gradient: Tensor) -> None:
        """gradient: of the logits, (B, classes). Writes the gradients of all parameters."""
        for linear in reversed(self.linears):
            gradient = linear.backward(gradient)
        self.embedding.backward(gradient)
