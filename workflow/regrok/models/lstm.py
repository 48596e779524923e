"""The LSTM of report 001, appendix B: x1 op x2 ... =, the answer read from its last output."""

import torch
from torch import Tensor, nn

from ..cell import LSTM as LSTMSettings
from . import kernels, recurrence
from .layers import Dropout, Linear, Workspace
from .parameters import Part
from .sequence import Drop, Embedding, Prefixes, Table, nothing


class LSTM(nn.Module):
    """The definition: operands int64 (B, K) -> logits (B, places * (classes + 2)), at each place one for
    each token of the vocabulary.
    Initialised as PyTorch does (embeddings N(0, 1)), from `generator`."""

    def __init__(
        self,
        settings: LSTMSettings,
        tokens: int,
        classes: int,
        generator: torch.Generator | None = None,
        terms: int = 2,
        places: int = 1,
    ):
        super().__init__()
        self.embedding = Embedding(tokens, terms, settings.width)
        widths = [settings.width, *[settings.hidden] * (settings.layers - 1)]
        self.layers = nn.ModuleList(nn.LSTM(width, settings.hidden, batch_first=True) for width in widths)
        self.readout = nn.Linear(settings.hidden, places * (classes + 2))
        with torch.no_grad():
            self.embedding.initialise(generator)
            bound = settings.hidden**-0.5  # nn.LSTM's, and nn.Linear's of as many inputs
            for value in (*self.layers.parameters(), *self.readout.parameters()):
                value.uniform_(-bound, bound, generator=generator)

    def forward(self, operands: Tensor, drop: Drop = nothing) -> Tensor:
        outputs = self.embedding(operands)
        for index, layer in enumerate(self.layers):
            outputs, _ = layer(outputs if index == 0 else drop(f"layers.{index - 1}", outputs))
        return self.readout(outputs[:, -1])


Plain = LSTM


def unfold(plain: LSTM) -> dict[str, Tensor]:
    """The plain module's parameters by name."""
    return dict(plain.named_parameters())


def last_layer(settings: LSTMSettings) -> str:
    """The weight of the last layer, under its name in the stacked form."""
    return "readout.weight"


class Step:
    """One position of a layer, whose N rows are the states there (see `Prefixes`).

    rows: theirs among the states of all positions. inputs, before: int64 (N,), the row of the layer's inputs and of the
    states one position earlier that each comes from; at the first position, of zeros.
    """

    def __init__(self, rows: slice, inputs: Tensor, before: Tensor):
        self.rows, self.inputs, self.before = rows, inputs.contiguous(), before.contiguous()


def steps(prefixes: Prefixes) -> tuple[list[Step], list[Step]]:
    """Of the first layer, whose inputs are a `Table`, and of a later one, whose inputs are states."""
    found = ([], [])
    for position in range(prefixes.positions):
        if position:
            before = prefixes.states(position - 1, position) - prefixes.ends[position - 1]
        else:
            before = torch.zeros_like(prefixes.prefixes(0))
        for steps, inputs in zip(found, (prefixes.table, prefixes.states), strict=True):
            steps.append(Step(prefixes.rows(position), inputs(position, position), before))
    return found


class Layer:
    """One layer of an LSTM over the states of all positions: M of them, H units; N rows of inputs, I wide."""

    def __init__(self, part: Part, index: int, workspace: Workspace):
        self.name, self.workspace, self.first = f"layers.{index}", workspace, index == 0
        names = [f"layers.{index}.{kind}_{side}_l0" for side in ("ih", "hh") for kind in ("weight", "bias")]
        self.weight, self.bias, self.recurrent, self.recurrent_bias = (part.values[name] for name in names)
        self.gradients = [part.gradients[name] for name in names]
        self.width = self.recurrent.shape[-1]

    def buffers(self, *names: str, rows: int, width: int) -> list[Tensor]:
        return [self.workspace.get(f"{self.name}.{name}", rows, width) for name in names]

    def forward(self, inputs: Tensor, steps: list[Step]) -> Tensor:
        """inputs (N, I) -> hidden states (M, H)."""
        self.inputs, self.steps = inputs, steps
        rows, width = steps[-1].rows.stop, self.width
        (given,) = self.buffers("given", rows=inputs.shape[-2], width=4 * width)
        torch.matmul(inputs, self.weight.mT, out=given)
        kernels.add_bias(given, self.bias)
        self.hidden, self.cell, self.bounded = self.buffers("hidden", "cell", "bounded", rows=rows, width=width)
        (self.gates,) = self.buffers("gates", rows=rows, width=4 * width)
        (recurrent,) = self.buffers("recurrent", rows=steps[-1].rows.start, width=4 * width)
        self.zeros = [self.workspace.get(f"{self.name}.zero", 1, n).zero_() for n in (4 * width, width)]
        kernels.add_bias(self.zeros[0], self.recurrent_bias)
        cells, seen = self.zeros[1], self.zeros[0]
        for step in steps:
            now = (self.gates, self.cell, self.bounded, self.hidden)
            at = [buffer[..., step.rows, :] for buffer in now]
            recurrence.lstm_cell(given, step.inputs, seen, cells, step.before, *at)
            if step is not steps[-1]:
                cells, seen = at[1], recurrent[..., step.rows, :]
                torch.matmul(at[3], self.recurrent.mT, out=seen)
                kernels.add_bias(seen, self.recurrent_bias)
        return self.hidden

    def backward(self, gradient: Tensor) -> Tensor:
        """gradient: of the hidden states, (M, H), overwritten -> of the inputs, (N, I)."""
        rows, width = gradient.shape[-2:]
        (cells,) = self.buffers("cell_gradient", rows=rows, width=width)
        (gates,) = self.buffers("gates_gradient", rows=rows, width=4 * width)
        last = self.steps[-1].rows
        (recurrent,) = self.buffers("recurrent_gradient", rows=last.start, width=4 * width)
        for buffer in (cells, recurrent, self.workspace.get(f"{self.name}.spare", 1, width)):
            buffer.zero_()
        for step, earlier in zip(reversed(self.steps), [*reversed(self.steps[:-1]), None], strict=True):
            before = [buffer[..., earlier.rows, :] if earlier else zero for buffer, zero in self.past(cells)]
            at = [buffer[..., step.rows, :] for buffer in (gradient, cells, self.gates, self.bounded, gates)]
            recurrence.lstm_cell_backward(*at[:2], before[0], step.before, *at[2:], before[1])
            if earlier:
                seen = recurrent[..., earlier.rows, :]
                kernels.scatter_rows(at[4], step.before, seen)
                back = self.workspace.get(f"{self.name}.back", seen.shape[-2], width)
                gradient[..., earlier.rows, :].add_(torch.matmul(seen, self.recurrent, out=back))
        weight, bias, recurrent_weight, recurrent_bias = self.gradients
        torch.matmul(recurrent.mT, self.hidden[..., : last.start, :], out=recurrent_weight)
        kernels.bias_backward(gates, recurrent_bias)
        bias.copy_(recurrent_bias)
        given = self.onto_inputs(gates)
        torch.matmul(given.mT, self.inputs, out=weight)
        (back,) = self.buffers("inputs_gradient", rows=self.inputs.shape[-2], width=self.inputs.shape[-1])
        return torch.matmul(given, self.weight, out=back)

    def past(self, cells: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The states' cells and the gradients of these, each with what stands for it before the first position."""
        spare = self.workspace.get(f"{self.name}.spare", 1, self.width)
        return [(self.cell, self.zeros[1]), (cells, spare)]

    def onto_inputs(self, gates: Tensor) -> Tensor:
        """The gradient of the inputs' share of the gates, (N, 4 H)."""
        if not self.first:
            return gates
        (given,) = self.buffers("given_gradient", rows=self.inputs.shape[-2], width=4 * self.width)
        given.zero_()
        for step in self.steps:
            kernels.scatter_rows(gates[..., step.rows, :], step.inputs, given)
        return given


class Stacked:
    """The same function on a part of a stack, each distinct prefix once, with its backward pass:
    operands int64 (B, K) -> logits (B, classes + 2)."""

    def __init__(self, settings: LSTMSettings, part: Part, workspace: Workspace):
        self.workspace = workspace
        self.table = Table(part, workspace)
        self.layers = [Layer(part, index, workspace) for index in range(settings.layers)]
        self.dropouts = [Dropout(layer.name, settings.dropout, workspace) for layer in self.layers[:-1]]
        self.readout = Linear(part, "readout", False, workspace)

    def prepare(self) -> None:
        """Must be called after the parameters have changed, or another part was computed, and before `forward`."""
        self.table.prepare()

    def forward(self, operands: Tensor, noise=None) -> Tensor:
        """noise: see `Dropout`; with it no two examples have a prefix in common."""
        first, later = steps(Prefixes(operands, self.table.tokens, shared=noise is None))
        hidden = self.layers[0].forward(self.table.rows, first)
        for layer, dropout in zip(self.layers[1:], self.dropouts, strict=True):
            hidden = layer.forward(dropout.forward(hidden, noise), later)
        self.answers = first[-1].rows
        return self.readout.forward(hidden[..., self.answers, :])

    def backward(self, gradient: Tensor) -> None:
        """gradient: of the logits, (B, classes + 2). Writes the gradients of all parameters."""
        back = self.readout.backward(gradient)
        gradient = self.workspace.get("states_gradient", self.answers.stop, back.shape[-1]).zero_()
        gradient[..., self.answers, :] = back
        for layer, dropout in zip(self.layers[:0:-1], reversed(self.dropouts), strict=True):
            gradient = dropout.backward(layer.backward(gradient))
        self.table.backward(self.layers[0].backward(gradient))
