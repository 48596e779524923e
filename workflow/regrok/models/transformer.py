"""The decoder Transformer of report 001, appendix A: x1 op x2 ... =, the answer predicted at the last position."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..cell import Transformer as TransformerSettings
from . import attention, kernels
from .layers import Dropout, Linear, Workspace
from .norm import Norm
from .parameters import Part
from .sequence import Drop, Embedding, Prefixes, Table, nothing


class Block(nn.Module):
    """Causal self-attention, then a GELU network of four times the width, each with dropout on its output and a
    residual connection around it; normalised before each ("pre") or after each sum ("post")."""

    def __init__(self, settings: TransformerSettings, name: str = "block"):
        super().__init__()
        self.name = name
        width = settings.width
        self.norm, self.heads = settings.norm, settings.heads
        self.attend, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.attend_norm, self.expand_norm = nn.LayerNorm(width), nn.LayerNorm(width)

    def attention(self, hidden: Tensor) -> Tensor:
        heads = (part.unflatten(-1, (self.heads, -1)).transpose(-2, -3) for part in self.attend(hidden).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(*heads, is_causal=True)
        return self.project(mixed.transpose(-2, -3).flatten(-2))

    def network(self, hidden: Tensor) -> Tensor:
        return self.contract(functional.gelu(self.expand(hidden)))

    def forward(self, hidden: Tensor, drop: Drop = nothing) -> Tensor:
        attend, expand = f"{self.name}.attend", f"{self.name}.expand"
        if self.norm == "pre":
            hidden = hidden + drop(attend, self.attention(self.attend_norm(hidden)))
            return hidden + drop(expand, self.network(self.expand_norm(hidden)))
        hidden = self.attend_norm(hidden + drop(attend, self.attention(hidden)))
        return self.expand_norm(hidden + drop(expand, self.network(hidden)))


class Transformer(nn.Module):
    """The definition: operands int64 (B, K) -> logits (B, places * (classes + 2)), at each place one for
    each token of the vocabulary.
    Normalised once more before the readout if norm is "pre", where the last sum is not.
    Initialised as PyTorch does (embeddings N(0, 1), attention as nn.MultiheadAttention), from `generator`."""

    def __init__(
        self,
        settings: TransformerSettings,
        tokens: int,
        classes: int,
        generator: torch.Generator | None = None,
        terms: int = 2,
        places: int = 1,
    ):
        super().__init__()
        width = settings.width
        self.embedding = Embedding(tokens, terms, width)
        self.blocks = nn.ModuleList(Block(settings, f"blocks.{i}") for i in range(settings.layers))
        self.last_norm = nn.LayerNorm(width) if settings.norm == "pre" else nn.Identity()
        self.readout = nn.Linear(width, places * (classes + 2))
        with torch.no_grad():
            self.embedding.initialise(generator)
            for linear in (module for module in self.modules() if isinstance(module, nn.Linear)):
                bound = linear.in_features**-0.5
                linear.weight.uniform_(-bound, bound, generator=generator)
                linear.bias.uniform_(-bound, bound, generator=generator)
            for block in self.blocks:
                bound = (6 / (4 * width)) ** 0.5
                block.attend.weight.uniform_(-bound, bound, generator=generator)
                block.attend.bias.zero_()
                block.project.bias.zero_()

    def forward(self, operands: Tensor, drop: Drop = nothing) -> Tensor:
        hidden = self.embedding(operands)
        for block in self.blocks:
            hidden = block(hidden, drop)
        return self.readout(self.last_norm(hidden[:, -1]))


Plain = Transformer


def unfold(plain: Transformer) -> dict[str, Tensor]:
    """The plain module's parameters under the stacked form's names: queries apart from keys and values."""
    state = {name: value for name, value in plain.named_parameters() if ".attend." not in name}
    for i, block in enumerate(plain.blocks):
        width = block.attend.in_features
        for part in ("weight", "bias"):
            whole = getattr(block.attend, part)
            state[f"blocks.{i}.query.{part}"], state[f"blocks.{i}.key.{part}"] = whole[:width], whole[width:]
    return state


def last_layer(settings: TransformerSettings) -> str:
    """The weight of the last layer, under its name in the stacked form."""
    return "readout.weight"


class StackedBlock:
    """A block from `source` rows (M, D) to `target` rows (N, D): see `Rows`."""

    def __init__(self, settings: TransformerSettings, part: Part, prefix: str, workspace: Workspace):
        self.name, self.workspace, self.heads = prefix, workspace, settings.heads
        self.before = settings.norm == "pre"
        self.query, self.key, self.project, self.expand, self.contract = (
            Linear(part, f"{prefix}.{name}", False, workspace)
            for name in ("query", "key", "project", "expand", "contract")
        )
        self.attend_norm, self.expand_norm = (
            Norm(part, f"{prefix}.{name}", workspace) for name in ("attend_norm", "expand_norm")
        )
        self.attend_dropout, self.expand_dropout = (
            Dropout(f"{prefix}.{name}", settings.dropout, workspace) for name in ("attend", "expand")
        )

    def forward(self, source: Tensor, rows: "Rows", noise=None) -> Tensor:
        self.rows = rows
        seen = self.attend_norm.forward(source) if self.before else source
        self.q = self.query.forward(seen[..., rows.first_query :, :])
        self.kv = self.key.forward(seen)
        targets, width = rows.keys.shape[-2], source.shape[-1]
        self.weights = self.workspace.get(f"{self.name}.weights", targets, self.heads, rows.keys.shape[-1])
        mixed = self.workspace.get(f"{self.name}.mixed", targets, width)
        attention.attend(self.q, rows.queries, self.kv, rows.keys, self.weights, mixed)
        hidden = self.attend_dropout.forward(self.project.forward(mixed), noise)
        kernels.add_rows(hidden, source, rows.sources)
        if not self.before:
            hidden = self.attend_norm.forward(hidden)
        output = self.network(self.expand_norm.forward(hidden) if self.before else hidden)
        output = self.expand_dropout.forward(output, noise)
        output.add_(hidden)
        return output if self.before else self.expand_norm.forward(output)

    def network(self, hidden: Tensor) -> Tensor:
        self.slope = self.workspace.get(f"{self.name}.slope", hidden.shape[-2], 4 * hidden.shape[-1])
        wide = self.expand.forward(hidden)
        attention.gelu(wide, self.slope)
        return self.contract.forward(wide)

    def network_backward(self, gradient: Tensor) -> Tensor:
        wide = self.contract.backward(self.expand_dropout.backward(gradient))
        attention.gelu_backward(wide, self.slope)
        return self.expand.backward(wide)

    def backward(self, gradient: Tensor) -> Tensor:
        """Of the target (N, D) -> of the source (M, D)."""
        if self.before:
            hidden = self.expand_norm.backward(self.network_backward(gradient)).add_(gradient)
        else:
            gradient = self.expand_norm.backward(gradient)
            hidden = self.attend_norm.backward(self.network_backward(gradient).add_(gradient))
        mixed = self.project.backward(self.attend_dropout.backward(hidden))
        q = self.workspace.get(f"{self.name}.query_gradient", *self.q.shape[-2:])
        kv = self.workspace.get(f"{self.name}.key_gradient", *self.kv.shape[-2:])
        attention.attend_backward(mixed, self.q, self.rows.queries, self.kv, self.rows.keys, self.weights, q, kv)
        source = self.key.backward(kv)
        source[..., self.rows.first_query :, :].add_(self.query.backward(q))
        if self.before:
            source = self.attend_norm.backward(source)
        kernels.scatter_rows(hidden, self.rows.sources, source)
        return source


class Rows:
    """Which rows of a block's source a target row continues, asks and answers; see `Prefixes`. Before the first block
    they are those of the `Table`. The last block has the rows of the last position alone as its target.

    sources, queries: int64 (N,); keys: int64 (N, 2 K), -1 after a row's own position. Queries count from `first_query`.
    """

    def __init__(self, sources: Tensor, keys: Tensor, first_query: int):
        self.sources, self.keys, self.first_query = sources.contiguous(), keys.contiguous(), first_query
        self.queries = self.sources - first_query


def rows(prefixes: Prefixes, layers: int) -> list[Rows]:
    """Of every block."""
    positions, found = range(prefixes.positions), []
    for layer in range(layers):
        of = prefixes.states if layer else prefixes.table
        targets = positions if layer < layers - 1 else positions[-1:]
        sources = torch.cat([of(position, position) for position in targets], -1)
        keys = torch.cat([_keys(of, position, positions) for position in targets], -2)
        found.append(Rows(sources, keys, prefixes.ends[targets[0]] if layer else 0))
    return found


def _keys(of: Callable[[int, int], Tensor], position: int, positions: range) -> Tensor:
    none = torch.full_like(of(position, position), -1)
    return torch.stack([of(at, position) if at <= position else none for at in positions], -1)


class Stacked:
    """The same function on a part of a stack, each distinct prefix once and the last block at the last position alone,
    with its backward pass: operands int64 (B, K) -> logits (B, classes + 2)."""

    def __init__(self, settings: TransformerSettings, part: Part, workspace: Workspace):
        self.table = Table(part, workspace)
        self.blocks = [StackedBlock(settings, part, f"blocks.{i}", workspace) for i in range(settings.layers)]
        self.last_norm = Norm(part, "last_norm", workspace) if settings.norm == "pre" else None
        self.readout = Linear(part, "readout", False, workspace)

    def prepare(self) -> None:
        """Must be called after the parameters have changed, or another part was computed, and before `forward`."""
        self.table.prepare()

    def forward(self, operands: Tensor, noise=None) -> Tensor:
        """noise: see `Dropout`; with it no two examples have a prefix in common."""
        hidden = self.table.rows
        prefixes = Prefixes(operands, self.table.tokens, shared=noise is None)
        for block, of_block in zip(self.blocks, rows(prefixes, len(self.blocks)), strict=True):
            hidden = block.forward(hidden, of_block, noise)
        return self.readout.forward(self.last_norm.forward(hidden) if self.last_norm else hidden)

    def backward(self, gradient: Tensor) -> None:
        """gradient: of the logits, (B, classes + 2). Writes the gradients of all parameters."""
        gradient = self.readout.backward(gradient)
        if self.last_norm:
            gradient = self.last_norm.backward(gradient)
        for block in reversed(self.blocks):
            gradient = block.backward(gradient)
        self.table.backward(gradient)
