"""The sequence x op y =, for models that read tokens one after the other (report 001, section 1).

Vocabulary: the p residues, the operator, "=". Sequences that agree up to a position share what is computed there: x and
the operator are seen p times, y and "=" once an example. Before any layer a row is a token at a position.
"""

import torch
from torch import Tensor, nn

from .layers import Workspace
from .parameters import Part

POSITIONS = 4


class Embedding(nn.Module):
    """The definition: tokens int64 (B, 2) -> the sum of token and position embeddings, (B, 4, width)."""

    def __init__(self, tokens: int, width: int):
        super().__init__()
        self.tokens = tokens
        self.token, self.position = nn.Embedding(tokens + 2, width), nn.Embedding(POSITIONS, width)

    def initialise(self, generator: torch.Generator | None) -> None:
        """N(0, 1), PyTorch's default."""
        for embedding in (self.token, self.position):
            embedding.weight.normal_(generator=generator)

    def forward(self, tokens: Tensor) -> Tensor:
        operator, equals = (torch.full_like(tokens[:, :1], self.tokens + i) for i in range(2))
        return self.token(torch.cat([tokens[:, :1], operator, tokens[:, 1:], equals], 1)) + self.position.weight


class Table:
    """The rows that there are before any layer, 2 p + 2: x at 0, the operator at 1, y at 2, "=" at 3."""

    def __init__(self, part: Part, workspace: Workspace):
        self.token, self.position = (part.values[f"embedding.{name}.weight"] for name in ("token", "position"))
        self.gradients = [part.gradients[f"embedding.{name}.weight"] for name in ("token", "position")]
        self.tokens = p = self.token.shape[-2] - 2
        self.rows = workspace.get("table", 2 * p + 2, self.token.shape[-1])
        residues, operator, equals = slice(0, p), slice(p, p + 1), slice(p + 1, p + 2)
        firsts, standing = (0, p, p + 1, 2 * p + 1), (residues, operator, residues, equals)
        self.places = [(slice(first, first + t.stop - t.start), t) for first, t in zip(firsts, standing, strict=True)]

    def prepare(self) -> None:
        """Recompute the rows from the parameters."""
        for position, (rows, tokens) in enumerate(self.places):
            here = self.position[..., position : position + 1, :]
            torch.add(self.token[..., tokens, :], here, out=self.rows[..., rows, :])

    def backward(self, gradient: Tensor) -> None:
        """gradient: (2 p + 2, width)."""
        token_gradient, position_gradient = self.gradients
        token_gradient.zero_()
        for position, (rows, tokens) in enumerate(self.places):
            token_gradient[..., tokens, :].add_(gradient[..., rows, :])
            torch.sum(gradient[..., rows, :], -2, out=position_gradient[..., position, :])
