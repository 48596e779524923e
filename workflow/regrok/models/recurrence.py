"""Kernels of the LSTM; see kernels.py for what a kernel is.

N rows are the states of sequences at one position, H units. Sequences that agree up to a position share its row, so a
row names that of its input and that of the state before it: `input_rows` and `before`, int64 (N,).
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .kernels import Kernel, exponential


@Kernel
def lstm_cell(
    inputs: Tensor,
    input_rows: Tensor,
    recurrent: Tensor,
    cells: Tensor,
    before: Tensor,
    gates: Tensor,
    cell: Tensor,
    bounded: Tensor,
    hidden: Tensor,
) -> None:
    """nn.LSTM's cell. gates (N, 4 H): input, forget, candidate and output gate of the sum of inputs (·, 4 H) and
    recurrent (·, 4 H), with biases in either; cell (N, H) from cells (·, H); bounded = tanh(cell); hidden (N, H)."""
    i, f, g, o = (_taken(inputs, input_rows) + _taken(recurrent, before)).chunk(4, -1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    gates.copy_(torch.cat([i, f, g, o], -1))
    cell.copy_(f * _taken(cells, before) + i * g)
    bounded.copy_(cell.tanh())
    torch.mul(o, bounded, out=hidden)


def _taken(table: Tensor, rows: Tensor) -> Tensor:
    return table.gather(-2, rows.unsqueeze(-1).expand(*rows.shape, table.shape[-1]))


@lstm_cell.on_cpu
def lstm_cell_loop(inputs, input_rows, recurrent, cells, before, gates, cell, bounded, hidden):
    width = cell.shape[1]
    for n in range(len(cell)):
        given, seen, old = inputs[input_rows[n]], recurrent[before[n]], cells[before[n]]
        gate, now, bound, out = gates[n], cell[n], bounded[n], hidden[n]
        for h in range(2 * width):
            gate[h] = sigmoid(given[h] + seen[h])
        for h in range(2 * width, 3 * width):
            gate[h] = hyperbolic_tangent(given[h] + seen[h])
        for h in range(3 * width, 4 * width):
            gate[h] = sigmoid(given[h] + seen[h])
        for h in range(width):
            value = gate[width + h] * old[h] + gate[h] * gate[2 * width + h]
            now[h] = value
            tangent = hyperbolic_tangent(value)
            bound[h] = tangent
            out[h] = gate[3 * width + h] * tangent


@Kernel
def lstm_cell_backward(
    hidden_gradient: Tensor,
    cell_gradient: Tensor,
    cells: Tensor,
    before: Tensor,
    gates: Tensor,
    bounded: Tensor,
    gates_gradient: Tensor,
    cells_gradient: Tensor,
) -> None:
    """From the gradients of hidden and cell (N, H) to gates_gradient (N, 4 H), of the sum before the nonlinearities,
    and cells_gradient (·, H), to which it adds."""
    i, f, g, o = gates.chunk(4, -1)
    inner = cell_gradient + hidden_gradient * o * (1 - bounded.square())
    parts = (
        inner * g * i * (1 - i),
        inner * _taken(cells, before) * f * (1 - f),
        inner * i * (1 - g.square()),
        hidden_gradient * bounded * o * (1 - o),
    )
    gates_gradient.copy_(torch.cat(parts, -1))
    cells_gradient.scatter_add_(-2, before.unsqueeze(-1).expand(inner.shape), inner * f)


@lstm_cell_backward.on_cpu
def lstm_cell_backward_loop(
    hidden_gradient, cell_gradient, cells, before, gates, bounded, gates_gradient, cells_gradient
):
    one, width = np.float32(1), cells.shape[1]
    for n in range(len(gates)):
        above, along, old, gate, bound = hidden_gradient[n], cell_gradient[n], cells[before[n]], gates[n], bounded[n]
        out, back = gates_gradient[n], cells_gradient[before[n]]
        for h in range(width):
            i, f, g, o = gate[h], gate[width + h], gate[2 * width + h], gate[3 * width + h]
            inner = along[h] + above[h] * o * (one - bound[h] * bound[h])
            out[h] = inner * g * i * (one - i)
            out[width + h] = inner * old[h] * f * (one - f)
            out[2 * width + h] = inner * i * (one - g * g)
            out[3 * width + h] = above[h] * bound[h] * o * (one - o)
            back[h] += inner * f


@njit(fastmath={"contract"})
def sigmoid(x):
    small = exponential(-abs(x))
    share = np.float32(1) / (np.float32(1) + small)
    return share if x >= 0 else small * share


NEAR_ZERO = tuple(
    np.float32(c) for c in (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
)


@njit(fastmath={"contract"})
def hyperbolic_tangent(x):
    """tanh(x) of a float32; near 0, where the quotient cancels, by the polynomial of Cephes (tanhf.c)."""
    square = x * x
    polynomial = NEAR_ZERO[0]
    for coefficient in NEAR_ZERO[1:]:
        polynomial = polynomial * square + coefficient
    near = polynomial * square * x + x
    small = exponential(np.float32(-2) * abs(x))
    size = (np.float32(1) - small) / (np.float32(1) + small)
    far = size if x >= 0 else -size
    return near if square < np.float32(0.39) else far
