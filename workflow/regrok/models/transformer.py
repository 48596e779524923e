"""The decoder Transformer of report 001, appendix A: x op y =, the answer predicted at the last position."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..cell import Transformer as TransformerSettings
from . import attention
from .layers import Linear, Workspace
from .parameters import Part
from .sequence import POSITIONS, Embedding, Table


class Block(nn.Module):
    """Causal self-attention, then a GELU network of four times the width, each with a residual connection around it;
    normalised before each ("pre") or after each sum ("post")."""

    def __init__(self, settings: TransformerSettings):
        super().__init__()
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

    def forward(self, hidden: Tensor) -> Tensor:
        if self.norm == "pre":
            hidden = hidden + self.attention(self.attend_norm(hidden))
            return hidden + self.network(self.expand_norm(hidden))
        hidden = self.attend_norm(hidden + self.attention(hidden))
        return self.expand_norm(hidden + self.network(hidden))


class Transformer(nn.Module):
    """The definition: tokens int64 (B, 2) -> logits (B, classes + 2), one for each token of the vocabulary.
    Initialised as PyTorch does (embeddings N(0, 1), attention as nn.MultiheadAttention), from `generator`."""

    def __init__(
        self, settings: TransformerSettings, tokens: int, classes: int, generator: torch.Generator | None = None
    ):
        super().__init__()
        width = settings.width
        self.embedding = Embedding(tokens, width)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.last_norm, self.readout = nn.LayerNorm(width), nn.Linear(width, classes + 2)
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

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.embedding(tokens)
        for block in self.blocks:
            hidden = block(hidden)
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


class Norm:
    """nn.LayerNorm. Parameters weight, bias: (D,)."""

    def __init__(self, part: Part, prefix: str, workspace: Workspace):
        self.name, self.workspace = prefix, workspace
        self.values = [part.values[f"{prefix}.{name}"] for name in ("weight", "bias")]
        self.gradients = [part.gradients[f"{prefix}.{name}"] for name in ("weight", "bias")]

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, D) -> (N, D)."""
        rows, width = inputs.shape[-2:]
        self.normal = self.workspace.get(f"{self.name}.normal", rows, width)
        self.spread = self.workspace.get(f"{self.name}.spread", rows)
        output = self.workspace.get(f"{self.name}.output", rows, width)
        attention.layer_norm(inputs, *self.values, self.normal, self.spread, output)
        return output

    def backward(self, gradient: Tensor) -> Tensor:
        """In place."""
        attention.layer_norm_backward(gradient, self.values[0], self.normal, self.spread, *self.gradients)
        return gradient


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

    def forward(self, source: Tensor, rows: "Rows") -> Tensor:
        self.rows = rows
        seen = self.attend_norm.forward(source) if self.before else source
        self.q = self.query.forward(seen[..., rows.first_query :, :])
        self.kv = self.key.forward(seen)
        targets, width = rows.keys.shape[-2], source.shape[-1]
        self.weights = self.workspace.get(f"{self.name}.weights", targets, self.heads, POSITIONS)
        mixed = self.workspace.get(f"{self.name}.mixed", targets, width)
        attention.attend(self.q, rows.queries, self.kv, rows.keys, self.weights, mixed)
        hidden = self.project.forward(mixed)
        attention.add_rows(hidden, source, rows.sources)
        if not self.before:
            hidden = self.attend_norm.forward(hidden)
        output = self.network(self.expand_norm.forward(hidden) if self.before else hidden)
        output.add_(hidden)
        return output if self.before else self.expand_norm.forward(output)

    def network(self, hidden: Tensor) -> Tensor:
        self.slope = self.workspace.get(f"{self.name}.slope", hidden.shape[-2], 4 * hidden.shape[-1])
        wide = self.expand.forward(hidden)
        attention.gelu(wide, self.slope)
        return self.contract.forward(wide)

    def network_backward(self, gradient: Tensor) -> Tensor:
        wide = self.contract.backward(gradient)
        attention.gelu_backward(wide, self.slope)
        return self.expand.backward(wide)

    def backward(self, gradient: Tensor) -> Tensor:
        """Of the target (N, D) -> of the source (M, D)."""
        if self.before:
            hidden = self.expand_norm.backward(self.network_backward(gradient)).add_(gradient)
        else:
            gradient = self.expand_norm.backward(gradient)
            hidden = self.attend_norm.backward(self.network_backward(gradient).add_(gradient))
        mixed = self.project.backward(hidden)
        q = self.workspace.get(f"{self.name}.query_gradient", *self.q.shape[-2:])
        kv = self.workspace.get(f"{self.name}.key_gradient", *self.kv.shape[-2:])
        attention.attend_backward(mixed, self.q, self.rows.queries, self.kv, self.rows.keys, self.weights, q, kv)
        source = self.key.backward(kv)
        source[..., self.rows.first_query :, :].add_(self.query.backward(q))
        if self.before:
            source = self.attend_norm.backward(source)
        attention.scatter_rows(hidden, self.rows.sources, source)
        return source


class Rows:
    """Which rows of a block's source a target row continues, asks and answers.

    Sequences that agree up to a position share its row. Before the first block a row is a token at a position: x, the
    operator, y, "=" (2 p + 2 rows). After it come x and the operator seen from x (p rows each), then y and "=" seen
    from x and y (B rows each). The last block has the "=" rows alone as its target.

    sources, queries: int64 (N,); keys: int64 (N, 4), -1 after a row's own position. Queries count from `first_query`.
    """

    def __init__(self, sources: Tensor, keys: Tensor, first_query: int):
        self.sources, self.keys, self.first_query = sources, keys, first_query
        self.queries = sources - first_query


def rows(tokens: Tensor, p: int, layers: int) -> list[Rows]:
    """Of every block, for tokens int64 (B, 2) out of p residues."""
    x, y = tokens.unbind(-1)
    lead, examples = x.shape[:-1], x.shape[-1]
    every, each = (torch.arange(n, device=x.device).expand(*lead, n) for n in (p, examples))
    none_p, none_b = torch.full_like(every, -1), torch.full_like(each, -1)
    fixed = torch.full_like

    def keys(of_prefix: Tensor, positions: list[Tensor]) -> Tensor:
        x, operator, y, equals = positions
        prefix = [every, none_p, none_p, none_p], [every, of_prefix, none_p, none_p]
        suffix = [x, operator, y, none_b], [x, operator, y, equals]
        return torch.cat([torch.stack(columns, -1) for columns in (*prefix, *suffix)], -2)

    first_keys = keys(fixed(every, p), [x, fixed(x, p), p + 1 + y, fixed(x, 2 * p + 1)])
    first_sources = torch.cat([every, fixed(every, p), p + 1 + y, fixed(x, 2 * p + 1)], -1)
    later_keys = keys(p + every, [x, p + x, 2 * p + each, 2 * p + examples + each])
    later_sources = torch.arange(2 * (p + examples), device=x.device).expand(*lead, -1)
    found = []
    for layer in range(layers):
        sources, of_layer = (first_sources, first_keys) if layer == 0 else (later_sources, later_keys)
        if layer == layers - 1:
            sources, of_layer = sources[..., -examples:], of_layer[..., -examples:, :]
        first_query = 0 if layer == 0 or layer < layers - 1 else 2 * p + examples
        found.append(Rows(sources.contiguous(), of_layer.contiguous(), first_query))
    return found


class Stacked:
    """The same function on a part of a stack, each distinct prefix once and the last block at the last position alone,
    with its backward pass: tokens int64 (B, 2) -> logits (B, classes + 2)."""

    def __init__(self, settings: TransformerSettings, part: Part, workspace: Workspace):
        self.table = Table(part, workspace)
        self.blocks = [StackedBlock(settings, part, f"blocks.{i}", workspace) for i in range(settings.layers)]
        self.last_norm = Norm(part, "last_norm", workspace)
        self.readout = Linear(part, "readout", False, workspace)

    def prepare(self) -> None:
        """Must be called after the parameters have changed, or another part was computed, and before `forward`."""
        self.table.prepare()

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.table.rows
        for block, of_block in zip(self.blocks, rows(tokens, self.table.tokens, len(self.blocks)), strict=True):
            hidden = block.forward(hidden, of_block)
        return self.readout.forward(self.last_norm.forward(hidden))

    def backward(self, gradient: Tensor) -> None:
        """gradient: of the logits, (B, classes + 2). Writes the gradients of all parameters."""
        gradient = self.last_norm.backward(self.readout.backward(gradient))
        for block in reversed(self.blocks):
            gradient = block.backward(gradient)
        self.table.backward(gradient)
