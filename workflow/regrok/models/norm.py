"""Layer normalisation: its kernels (see kernels.py for what a kernel is) and its layer (see layers.py)."""

import math

import numpy as np
import torch
from torch import Tensor

from .kernels import Kernel
from .layers import Workspace
from .parameters import Part

EPSILON = 1e-5  # of nn.LayerNorm


@Kernel
def layer_norm(inputs: Tensor, scale: Tensor, shift: Tensor, normal: Tensor, spread: Tensor, output: Tensor) -> None:
    """output (N, D) = normal * scale + shift; normal (N, D) = (inputs - mean) * spread, where spread (N,) is one over
    the standard deviation of each row."""
    centred = inputs - inputs.mean(-1, keepdim=True)
    spread.copy_((centred.square().mean(-1) + EPSILON).rsqrt())
    torch.mul(centred, spread.unsqueeze(-1), out=normal)
    torch.add(normal * scale.unsqueeze(-2), shift.unsqueeze(-2), out=output)


@layer_norm.on_cpu
def layer_norm_loop(inputs, scale, shift, normal, spread, output):
    for n in range(len(inputs)):
        row, centred, out = inputs[n], normal[n], output[n]
        total = np.float32(0)
        for d in range(len(row)):
            total += row[d]
        mean = total / np.float32(len(row))
        square = np.float32(0)
        for d in range(len(row)):
            difference = row[d] - mean
            square += difference * difference
        rate = np.float32(1) / np.float32(math.sqrt(square / np.float32(len(row)) + np.float32(EPSILON)))
        spread[n] = rate
        for d in range(len(row)):
            value = (row[d] - mean) * rate
            centred[d] = value
            out[d] = value * scale[d] + shift[d]


@Kernel
def layer_norm_backward(
    gradient: Tensor, scale: Tensor, normal: Tensor, spread: Tensor, scale_gradient: Tensor, shift_gradient: Tensor
) -> None:
    """gradient (N, D), of the output, becomes that of the inputs."""
    torch.sum(gradient * normal, -2, out=scale_gradient)
    torch.sum(gradient, -2, out=shift_gradient)
    inner = gradient * scale.unsqueeze(-2)
    along = (inner * normal).mean(-1, keepdim=True)
    torch.mul(inner - inner.mean(-1, keepdim=True) - normal * along, spread.unsqueeze(-1), out=gradient)


@layer_norm_backward.on_cpu
def layer_norm_backward_loop(gradient, scale, normal, spread, scale_gradient, shift_gradient):
    scale_gradient[:] = 0
    shift_gradient[:] = 0
    share = np.float32(1) / np.float32(gradient.shape[1])
    for n in range(len(gradient)):
        row, unit = gradient[n], normal[n]
        mean, along = np.float32(0), np.float32(0)
        for d in range(len(row)):
            value = row[d]
            scale_gradient[d] += value * unit[d]
            shift_gradient[d] += value
            inner = value * scale[d]
            mean += inner
            along += inner * unit[d]
        mean, along, rate = mean * share, along * share, spread[n]
        for d in range(len(row)):
            row[d] = (row[d] * scale[d] - mean - unit[d] * along) * rate


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
        layer_norm(inputs, *self.values, self.normal, self.spread, output)
        return output

    def backward(self, gradient: Tensor) -> Tensor:
        """In place."""
        layer_norm_backward(gradient, self.values[0], self.normal, self.spread, *self.gradients)
        return gradient
