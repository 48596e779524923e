"""The sequence x1 op x2 ... op xK =, for models that read tokens one after the other (report 001, section 1).

Vocabulary: the p residues, the operator, "=". Sequences that agree up to a position share what is computed there.
Before any layer a row is a token at a position. After one, x1 and the operator behind it are seen p times, all else
once an example, unless dropout makes every example another.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from .layers import Workspace
from .parameters import Part

Drop = Callable[[str, Tensor], Tensor]  # name of a site, values there (B, 2 K, H) or (B, H) -> the same with dropout


def nothing(site: str, values: Tensor) -> Tensor:
    """No dropout."""
    return values


class Embedding(nn.Module):
    """The definition: operands int64 (B, K) -> the sum of token and position embeddings, (B, 2 K, width)."""

    def __init__(self, tokens: int, terms: int, width: int):
        super().__init__()
        self.tokens = tokens
        self.token, self.position = nn.Embedding(tokens + 2, width), nn.Embedding(2 * terms, width)

    def initialise(self, generator: torch.Generator | None) -> None:
        """N(0, 1), PyTorch's default."""
        for embedding in (self.token, self.position):
            embedding.weight.normal_(generator=generator)

    def forward(self, operands: Tensor) -> Tensor:
        signs = torch.full_like(operands, self.tokens)
        signs[:, -1] = self.tokens + 1
        return self.token(torch.stack([operands, signs], -1).flatten(1)) + self.position.weight


class Table:
    """The rows that there are before any layer, K (p + 1): at a position one for every token that may stand there."""

    def __init__(self, part: Part, workspace: Workspace):
        self.token, self.position = (part.values[f"embedding.{name}.weight"] for name in ("token", "position"))
        self.gradients = [part.gradients[f"embedding.{name}.weight"] for name in ("token", "position")]
        self.tokens, self.positions = self.token.shape[-2] - 2, self.position.shape[-2]
        self.rows = workspace.get("table", self.positions // 2 * (self.tokens + 1), self.token.shape[-1])

    def places(self) -> Iterator[tuple[int, slice, slice]]:
        """(position, its rows, the tokens that may stand there)."""
        p = self.tokens
        for position in range(self.positions):
            first, sign = first_row(p, position), p + (position == self.positions - 1)
            tokens = slice(sign, sign + 1) if position % 2 else slice(0, p)
            yield position, slice(first, first + tokens.stop - tokens.start), tokens

    def prepare(self) -> None:
        """Recompute the rows from the parameters."""
        for position, rows, tokens in self.places():
            here = self.position[..., position : position + 1, :]
            torch.add(self.token[..., tokens, :], here, out=self.rows[..., rows, :])

    def backward(self, gradient: Tensor) -> None:
        """gradient: (K (p + 1), width)."""
        token_gradient, position_gradient = self.gradients
        token_gradient.zero_()
        for position, rows, tokens in self.places():
            token_gradient[..., tokens, :].add_(gradient[..., rows, :])
            torch.sum(gradient[..., rows, :], -2, out=position_gradient[..., position, :])


def first_row(p: int, position: int) -> int:
    """The first of a position's rows in a `Table`."""
    return position // 2 * (p + 1) + position % 2 * p


class Prefixes:
    """Which rows of the layers' states, and of the `Table` before them, belong to which prefix.

    operands: int64 (B, K), out of p residues. A state is one position of one prefix: of x1, and of the operator behind
    it, there are p if `shared`, and B otherwise; of every later position B.
    """

    def __init__(self, operands: Tensor, p: int, shared: bool):
        self.operands, self.p = operands, p
        self.positions = 2 * operands.shape[-1]
        lead, examples = operands.shape[:-2], operands.shape[-2]
        self.each = torch.arange(examples, device=operands.device).expand(*lead, examples)
        self.every = torch.arange(p, device=operands.device).expand(*lead, p)
        self.shared = 2 if shared else 0
        self.ends = [0]
        for position in range(self.positions):
            self.ends.append(self.ends[-1] + (p if position < self.shared else examples))

    def rows(self, position: int) -> slice:
        """The states of a position."""
        return slice(self.ends[position], self.ends[position + 1])

    def prefixes(self, position: int) -> Tensor:
        """The prefixes that there are at a position: tokens x1 if they are shared, examples otherwise, int64 (N,)."""
        return self.every if position < self.shared else self.each

    def states(self, at: int, position: int) -> Tensor:
        """For every state of a position, the state at an earlier position (or the same) of its prefix: int64 (N,)."""
        if at < self.shared <= position:
            return self.operands[..., 0] + self.ends[at]
        return self.prefixes(position) + self.ends[at]

    def table(self, at: int, position: int) -> Tensor:
        """For every state of a position, the table's row of the token at an earlier one (or the same): int64 (N,)."""
        first = first_row(self.p, at)
        if at % 2:
            return torch.full_like(self.prefixes(position), first)
        return first + (self.every if position < self.shared else self.operands[..., at // 2])
