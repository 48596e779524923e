"""The Transformer of report 003, whose embeddings are its readout: Notsawo et al. 2023 (arXiv:2306.13253), section 2.2.

Their softmax is over the residues alone, so there is no logit for the operator and "=", unlike in report 001.
"""

import torch
from torch import Tensor, nn

from ..cell import TiedTransformer as TiedTransformerSettings
from . import transformer
from .layers import Workspace
from .parameters import Part
from .sequence import Embedding


class Readout(nn.Module):
    """The products with the embeddings of the residues: (B, width) -> (B, tokens)."""

    def __init__(self, embedding: Embedding):
        super().__init__()
        self.embedding = embedding

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden @ self.embedding.token.weight[: self.embedding.tokens].mT


class TiedTransformer(transformer.Transformer):
    """The definition: operands int64 (B, K) -> logits (B, tokens). Initialised as Transformer, but for embeddings of
    tokens and positions from N(0, embedding_std²)."""

    def __init__(
        self,
        settings: TiedTransformerSettings,
        tokens: int,
        classes: int,
        generator: torch.Generator | None = None,
        terms: int = 2,
        places: int = 1,
    ):
        super().__init__(settings, tokens, classes, generator, terms)
        self.readout = Readout(self.embedding)
        with torch.no_grad():
            for embedding in (self.embedding.token, self.embedding.position):
                embedding.weight.mul_(settings.embedding_std)


Plain = TiedTransformer
unfold = transformer.unfold


def last_layer(settings: TiedTransformerSettings) -> str:
    """The weight of the last layer, under its name in the stacked form: the table of token embeddings."""
    return "embedding.token.weight"


class Stacked(transformer.Stacked):
    """The same function on a part of a stack, with its backward pass: the gradient of a residue's embedding is the sum
    of what it is as an input and as a weight of the readout, whose bias is 0."""

    def __init__(self, settings: TiedTransformerSettings, part: Part, workspace: Workspace):
        values, gradients = (kind["embedding.token.weight"][..., :-2, :] for kind in part)
        tokens, width = values.shape[-2:]
        self.as_input = gradients
        self.as_weight = workspace.get("readout.gradient_as_weight", tokens, width)
        bias, unused = (workspace.get(f"readout.{name}", tokens).zero_() for name in ("no_bias", "no_bias_gradient"))
        readout = {"readout.weight": values, "readout.bias": bias}
        as_readout = {"readout.weight": self.as_weight, "readout.bias": unused}
        super().__init__(settings, Part(part.values | readout, part.gradients | as_readout), workspace)

    def backward(self, gradient: Tensor) -> None:
        """gradient: of the logits, (B, tokens). Writes the gradients of all parameters."""
        super().backward(gradient)
        self.as_input.add_(self.as_weight)
