"""What stands between the matrix products, each in one pass over memory.

A kernel is defined by PyTorch's operators, for the tensors of one member or, with a leading axis, of several. On the
CPU, for one member in float32, a loop compiled by Numba takes its place. Its sums may be reassociated, so that vector
units are used, in an order that the shapes alone decide; NaN passes through, so that a diverged member shows.

Shapes: B examples, T tokens, H units, C classes. Tokens and answers are int64, all else is float32.
"""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch
from llvmlite.binding import get_host_cpu_name
from numba import njit
from torch import Tensor

from .. import sources


def keeps_machine_code() -> bool:
    """Point Numba's cache to a folder of this code and this kind of processor, if there can be one: by itself Numba
    takes up what another file's older functions were compiled into, and what another processor is writing."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = home / "regrok" / f"{sources.digest(*sources.modules('regrok.models'))}-{get_host_cpu_name()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    numba.config.CACHE_DIR = str(folder)
    return os.access(folder, os.W_OK)


relu_backward = torch.ops.aten.threshold_backward.grad_input
fast = njit(fastmath={"contract", "reassoc"}, error_model="numpy", cache=keeps_machine_code())


def array(tensor: Tensor) -> np.ndarray:
    """The NumPy view of a tensor, kept on it: making one takes longer than a small kernel. Raises ValueError if the
    tensor is not contiguous: a loop would be compiled again for it, and might round differently."""
    try:
        return tensor.array
    except AttributeError:
        if not tensor.is_contiguous():
            raise ValueError(f"a kernel needs contiguous tensors, not strides {tensor.stride()}") from None
        tensor.array = tensor.numpy()
        return tensor.array


class Kernel:
    def __init__(self, definition: Callable):
        self.definition, self.__doc__ = definition, definition.__doc__

    def on_cpu(self, loop: Callable) -> Callable:
        self.loop = fast(loop)
        return loop

    def __call__(self, *tensors: Tensor) -> Any:
        if tensors[0].is_cpu and tensors[0].dtype == torch.float32:
            return self.loop(*[array(tensor) for tensor in tensors])
        return self.definition(*tensors)


@Kernel
def add_bias(output: Tensor, bias: Tensor) -> None:
    """output (B, H) += bias (H,)."""
    output.add_(bias.unsqueeze(-2))


@add_bias.on_cpu
def add_bias_loop(output, bias):
    for b in range(len(output)):
        row = output[b]
        for h in range(len(row)):
            row[h] += bias[h]


@Kernel
def add_bias_relu(output: Tensor, bias: Tensor) -> None:
    """output (B, H) = relu(output + bias (H,))."""
    output.add_(bias.unsqueeze(-2)).relu_()


@add_bias_relu.on_cpu
def add_bias_relu_loop(output, bias):
    for b in range(len(output)):
        row = output[b]
        for h in range(len(row)):
            row[h] = relu(row[h] + bias[h])


@Kernel
def bias_backward(gradient: Tensor, bias_gradient: Tensor) -> None:
    """bias_gradient (H,) = the sum of gradient (B, H) over the examples."""
    torch.sum(gradient, -2, out=bias_gradient)


@bias_backward.on_cpu
def bias_backward_loop(gradient, bias_gradient):
    bias_gradient[:] = 0
    for b in range(len(gradient)):
        row = gradient[b]
        for h in range(len(row)):
            bias_gradient[h] += row[h]


@Kernel
def bias_relu_backward(gradient: Tensor, output: Tensor, bias_gradient: Tensor) -> None:
    """gradient (B, H) = 0 where output (B, H) is; bias_gradient (H,) = its sum over the examples."""
    relu_backward(gradient, output, 0, grad_input=gradient)
    torch.sum(gradient, -2, out=bias_gradient)


@bias_relu_backward.on_cpu
def bias_relu_backward_loop(gradient, output, bias_gradient):
    bias_gradient[:] = 0
    for b in range(len(gradient)):
        row, shown = gradient[b], output[b]
        for h in range(len(row)):
            part = np.float32(0) if shown[h] <= 0 else row[h]
            row[h] = part
            bias_gradient[h] += part


@Kernel
def drop(values: Tensor, mask: Tensor, rate: Tensor, output: Tensor) -> None:
    """mask (N, H), uniform in [0, 1), becomes 0 where it is below rate (1,) and 1 / (1 - rate) elsewhere; output (N, H)
    = values (N, H) * mask."""
    share = rate.unsqueeze(-1)
    mask.copy_((mask >= share) / (1 - share))
    torch.mul(values, mask, out=output)


@drop.on_cpu
def drop_loop(values, mask, rate, output):
    kept = np.float32(1) / (np.float32(1) - rate[0])
    for n in range(len(values)):
        row, drawn, out = values[n], mask[n], output[n]
        for h in range(len(row)):
            drawn[h] = np.float32(0) if drawn[h] < rate[0] else kept
            out[h] = row[h] * drawn[h]


@Kernel
def pairs_relu(left: Tensor, right: Tensor, tokens: Tensor, output: Tensor) -> None:
    """output[b] = relu(left[x] + right[y]) for the pair (x, y) = tokens[b]; left, right: (T, H), tokens: (B, 2)."""
    x, y = tokens.unsqueeze(-1).expand(*tokens.shape, left.shape[-1]).unbind(-2)
    torch.add(left.gather(-2, x), right.gather(-2, y), out=output).relu_()


@pairs_relu.on_cpu
def pairs_relu_loop(left, right, tokens, output):
    for b in range(len(output)):
        x, y, row = left[tokens[b, 0]], right[tokens[b, 1]], output[b]
        for h in range(len(row)):
            row[h] = relu(x[h] + y[h])


@Kernel
def pairs_relu_backward(
    gradient: Tensor, output: Tensor, tokens: Tensor, left_gradient: Tensor, right_gradient: Tensor
) -> None:
    """left_gradient, right_gradient (T, H) = the sums of gradient (B, H), where output is not 0, over the examples
    with that token."""
    shown = relu_backward(gradient, output, 0, grad_input=gradient)
    x, y = tokens.unsqueeze(-1).expand(*tokens.shape, gradient.shape[-1]).unbind(-2)
    left_gradient.zero_().scatter_add_(-2, x, shown)
    right_gradient.zero_().scatter_add_(-2, y, shown)


@pairs_relu_backward.on_cpu
def pairs_relu_backward_loop(gradient, output, tokens, left_gradient, right_gradient):
    left_gradient[:] = 0
    right_gradient[:] = 0
    for b in range(len(gradient)):
        x, y = left_gradient[tokens[b, 0]], right_gradient[tokens[b, 1]]
        row, shown = gradient[b], output[b]
        for h in range(len(row)):
            part = np.float32(0) if shown[h] <= 0 else row[h]
            x[h] += part
            y[h] += part


@Kernel
def add_rows(output: Tensor, table: Tensor, rows: Tensor) -> None:
    """output (N, D) += table[rows]; rows: int64 (N,)."""
    index = rows.unsqueeze(-1).expand(*rows.shape, table.shape[-1])
    output.add_(table.gather(-2, index))


@add_rows.on_cpu
def add_rows_loop(output, table, rows):
    for n in range(len(output)):
        out, other = output[n], table[rows[n]]
        for d in range(len(out)):
            out[d] += other[d]


@Kernel
def scatter_rows(gradient: Tensor, rows: Tensor, table_gradient: Tensor) -> None:
    """table_gradient[rows[n]] += gradient[n], for every n."""
    index = rows.unsqueeze(-1).expand(*rows.shape, gradient.shape[-1])
    table_gradient.scatter_add_(-2, index, gradient)


@scatter_rows.on_cpu
def scatter_rows_loop(gradient, rows, table_gradient):
    for n in range(len(gradient)):
        row, total = gradient[n], table_gradient[rows[n]]
        for d in range(len(row)):
            total[d] += row[d]


@Kernel
def cross_entropy(logits: Tensor, answers: Tensor, gradient: Tensor) -> Tensor | float:
    """Mean over the examples of -log softmax(logits (B, C))[answer]; gradient (B, C) = its gradient. Any precision."""
    answer = answers.unsqueeze(-1)
    probabilities = torch.softmax(logits, -1)
    # log p[answer] by way of the likeliest class, whose probability cannot underflow
    losses = logits.amax(-1) - logits.gather(-1, answer).squeeze(-1) - probabilities.amax(-1).log()
    probabilities.scatter_add_(-1, answer, torch.full_like(probabilities[..., :1], -1))
    torch.mul(probabilities, 1 / logits.shape[-2], out=gradient)
    return losses.mean(-1)


@cross_entropy.on_cpu
def cross_entropy_loop(logits, answers, gradient):
    share = np.float32(1 / len(logits))
    total = 0.0
    for b in range(len(logits)):
        row, out, answer = logits[b], gradient[b], answers[b]
        top = largest(row)
        normaliser = np.float32(0)
        for c in range(len(row)):
            power = exponential(row[c] - top)
            out[c] = power
            normaliser += power
        total += (top - row[answer]) + np.float32(math.log(normaliser))
        own = out[answer] / normaliser - np.float32(1)
        scale = share / normaliser
        for c in range(len(row)):
            out[c] *= scale
        out[answer] = own * share
    return total / len(logits)


@Kernel
def judge(logits: Tensor, answers: Tensor, losses: Tensor, correct: Tensor) -> None:
    """losses (B,) = -log softmax(logits (B, C))[answer]; correct (B,), bool: the answer is the single likeliest
    class. Any precision."""
    answer = answers.unsqueeze(-1)
    losses.copy_(torch.log_softmax(logits, -1).gather(-1, answer).squeeze(-1).neg_())
    others = logits.scatter(-1, answer, -torch.inf).amax(-1)
    torch.gt(logits.gather(-1, answer).squeeze(-1), others, out=correct)


@judge.on_cpu
def judge_loop(logits, answers, losses, correct):
    for b in range(len(logits)):
        row, own = logits[b], logits[b, answers[b]]
        row[answers[b]] = -np.inf
        others = largest(row)
        row[answers[b]] = own
        top = own if own > others else others
        normaliser = np.float32(0)
        for c in range(len(row)):
            normaliser += exponential(row[c] - top)
        correct[b] = own > others and normaliser == normaliser  # not where any logit is NaN
        losses[b] = (top - own) + np.float32(math.log(normaliser))


@njit
def relu(value):
    return np.float32(0) if value < 0 else value


@njit
def ordered(bits):
    """The bits of a float32 as an integer of the same order, and back: integers have vector instructions for max
    without a promise that there is no NaN. A positive NaN is the largest of all."""
    return np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@njit
def largest(row):
    bits, top = row.view(np.int32), np.int32(-(2**31))
    for c in range(len(bits)):
        top = np.int32(max(top, ordered(bits[c])))
    return np.int32(ordered(top)).view(np.float32)


LOG2_E, LOWEST = np.float32(math.log2(math.e)), np.float32(-87)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(math.log(2) - 0.693359375)
MINIMAX = tuple(
    np.float32(c) for c in (1.9875691e-4, 1.3981999507e-3, 8.3334519e-3, 4.1665795894e-2, 1.66666654e-1, 5.0000001e-1)
)


@njit(fastmath={"contract"})
def exponential(x):
    """exp(x) of a float32 x <= 0 within 2 units in the last place: 2^n e^r, with the minimax polynomial of Cephes for
    e^r, |r| <= ln 2 / 2 (S. L. Moshier, expf.c); 0 where the result would be subnormal."""
    n = np.int32((x if x > LOWEST else LOWEST) * LOG2_E - np.float32(0.5))  # NaN has no integer
    r = (x - np.float32(n) * LN2_HIGH) - np.float32(n) * LN2_LOW
    polynomial = MINIMAX[0]
    for coefficient in MINIMAX[1:]:
        polynomial = polynomial * r + coefficient
    power = np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(0) if x < LOWEST else (polynomial * (r * r) + (r + np.float32(1))) * power
