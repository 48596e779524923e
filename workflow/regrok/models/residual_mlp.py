"""The residual MLP of report 001, appendix B, on the embedded sequence x1 op x2 ... =.

A block of the report acts on each position by itself, so that the position that answers would never see an operand. The
positions become one vector before the first block: laid side by side, or summed.
"""

import torch
from torch import Tensor, nn

from ..cell import ResidualMLP as ResidualMLPSettings
from . import kernels
from .layers import Dropout, Linear, Workspace
from .norm import Norm
from .parameters import Part
from .sequence import Drop, Embedding, Prefixes, Table, nothing


class Block(nn.Module):
    """Dropout, two linear layers with a ReLU between them, a residual connection around all three, normalisation."""

    def __init__(self, width: int, hidden: int, name: str = "block"):
        super().__init__()
        self.name = name
        self.expand, self.contract = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, stream: Tensor, drop: Drop = nothing) -> Tensor:
        return self.norm(stream + self.contract(torch.relu(self.expand(drop(self.name, stream)))))


class ResidualMLP(nn.Module):
    """The definition: operands int64 (B, K) -> logits (B, places * (classes + 2)), at each place one for
    each token of the vocabulary.
    Initialised as PyTorch does (embeddings N(0, 1)), from `generator`."""

    def __init__(
        self,
        settings: ResidualMLPSettings,
        tokens: int,
        classes: int,
        generator: torch.Generator | None = None,
        terms: int = 2,
        places: int = 1,
    ):
        super().__init__()
        self.positions, width = settings.positions, settings.stream(terms)
        self.embedding = Embedding(tokens, terms, settings.width)
        self.blocks = nn.ModuleList(Block(width, settings.hidden, f"blocks.{i}") for i in range(settings.layers))
        self.readout = nn.Linear(width, places * (classes + 2))
        with torch.no_grad():
            self.embedding.initialise(generator)
            for linear in (module for module in self.modules() if isinstance(module, nn.Linear)):
                bound = linear.in_features**-0.5
                linear.weight.uniform_(-bound, bound, generator=generator)
                linear.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, operands: Tensor, drop: Drop = nothing) -> Tensor:
        embedded = self.embedding(operands)
        stream = embedded.flatten(1) if self.positions == "flatten" else embedded.sum(1)
        for block in self.blocks:
            stream = block(stream, drop)
        return self.readout(stream)


Plain = ResidualMLP


def unfold(plain: ResidualMLP) -> dict[str, Tensor]:
    """The plain module's parameters by name."""
    return dict(plain.named_parameters())


def last_layer(settings: ResidualMLPSettings) -> str:
    """The weight of the last layer, under its name in the stacked form."""
    return "readout.weight"


class StackedBlock:
    """A block: (B, D) -> (B, D)."""

    def __init__(self, settings: ResidualMLPSettings, part: Part, prefix: str, workspace: Workspace):
        self.dropout = Dropout(prefix, settings.dropout, workspace)
        self.expand = Linear(part, f"{prefix}.expand", True, workspace)
        self.contract = Linear(part, f"{prefix}.contract", False, workspace)
        self.norm = Norm(part, f"{prefix}.norm", workspace)

    def forward(self, stream: Tensor, noise=None) -> Tensor:
        hidden = self.contract.forward(self.expand.forward(self.dropout.forward(stream, noise)))
        return self.norm.forward(hidden.add_(stream))

    def backward(self, gradient: Tensor) -> Tensor:
        gradient = self.norm.backward(gradient)
        back = self.dropout.backward(self.expand.backward(self.contract.backward(gradient)))
        return back.add_(gradient)


class Stacked:
    """The same function on a part of a stack, with its backward pass."""

    def __init__(self, settings: ResidualMLPSettings, part: Part, workspace: Workspace):
        self.flat, self.workspace = settings.positions == "flatten", workspace
        self.table = Table(part, workspace)
        self.blocks = [StackedBlock(settings, part, f"blocks.{i}", workspace) for i in range(settings.layers)]
        self.readout = Linear(part, "readout", False, workspace)

    def prepare(self) -> None:
        """Must be called after the parameters have changed, or another part was computed, and before `forward`."""
        self.table.prepare()

    def forward(self, operands: Tensor, noise=None) -> Tensor:
        """operands: int64 (B, K) -> logits (B, classes + 2); noise: see `Dropout`."""
        prefixes = Prefixes(operands, self.table.tokens, shared=False)
        rows = [prefixes.table(at, at).contiguous() for at in range(prefixes.positions)]
        self.rows = [torch.stack(rows, -1).flatten(-2)] if self.flat else rows
        stream = self.workspace.get("stream", operands.shape[-2], self.readout.weight.shape[-1]).zero_()
        for rows in self.rows:
            kernels.add_rows(self.by_position(stream), self.table.rows, rows)
        for block in self.blocks:
            stream = block.forward(stream, noise)
        return self.readout.forward(stream)

    def by_position(self, stream: Tensor) -> Tensor:
        """(B, D) -> (N, width), a row for each of the table's rows that it is made of."""
        return stream.view(*stream.shape[:-2], -1, self.table.rows.shape[-1])

    def backward(self, gradient: Tensor) -> None:
        """gradient: of the logits, (B, classes + 2). Writes the gradients of all parameters."""
        gradient = self.readout.backward(gradient)
        for block in reversed(self.blocks):
            gradient = block.backward(gradient)
        table = self.workspace.get("table_gradient", *self.table.rows.shape[-2:]).zero_()
        for rows in self.rows:
            kernels.scatter_rows(self.by_position(gradient), rows, table)
        self.table.backward(table)
