"""The multilayer perceptron of report 000, section 2.1, for any number of terms, and of places of an answer."""

import torch
from torch import Tensor, nn

from ..cell import SequenceMLP as SequenceMLPSettings


class SequenceMLP(nn.Module):
    """Tokens int64 (B, K) -> logits (B, places * classes). A table of embeddings for each term, drawn from
    N(0, embedding_std²); PyTorch's default initialisation of linear layers; all from `generator`."""

    def __init__(
        self,
        settings: SequenceMLPSettings,
        tokens: int,
        classes: int,
        generator: torch.Generator | None = None,
        terms: int = 2,
        places: int = 1,
    ):
        super().__init__()
        self.embed = nn.ModuleList(nn.Embedding(tokens, settings.embedding) for _ in range(terms))
        widths = [terms * settings.embedding, *[settings.hidden] * settings.layers, places * classes]
        self.linears = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, widths[1:], strict=False))
        with torch.no_grad():
            for embedding in self.embed:
                embedding.weight.normal_(0, settings.embedding_std, generator=generator)
            for linear in self.linears:
                bound = linear.in_features**-0.5
                linear.weight.uniform_(-bound, bound, generator=generator)
                linear.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = torch.cat([embedding(tokens[:, place]) for place, embedding in enumerate(self.embed)], dim=1)
        for linear in self.linears[:-1]:
            hidden = torch.relu(linear(hidden))
        return self.linears[-1](hidden)


Plain = SequenceMLP


def last_layer(settings: SequenceMLPSettings) -> str:
    """The weight of the last layer, by its name."""
    return f"linears.{settings.layers}.weight"
