"""Kernels of the Transformer; see kernels.py for what a kernel is.

Rows of a residual stream stand for positions of sequences; sequences that agree up to a position share its row. So a
query names the rows of its keys: `keys` is int64 (N, L), -1 after the last. D model width, G heads, M rows of keys.
"""

import math

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .kernels import Kernel, exponential


@Kernel
def gelu(inputs: Tensor, slope: Tensor) -> None:
    """slope (N, H) = the derivative of gelu at inputs (N, H); inputs = gelu(inputs)."""
    below = 0.5 * (1 + torch.erf(inputs * math.sqrt(0.5)))
    slope.copy_(below + inputs * torch.exp(-0.5 * inputs.square()) / math.sqrt(2 * math.pi))
    inputs.mul_(below)


@gelu.on_cpu
def gelu_loop(inputs, slope):
    for n in range(len(inputs)):
        row, rise = inputs[n], slope[n]
        for h in range(len(row)):
            value = row[h]
            below = np.float32(0.5) + np.float32(0.5) * error_function(value * HALF_ROOT)
            density = DENSITY * exponential(np.float32(-0.5) * value * value)
            rise[h] = below + value * density
            row[h] = value * below


@Kernel
def gelu_backward(gradient: Tensor, slope: Tensor) -> None:
    """gradient (N, H) *= slope (N, H)."""
    gradient.mul_(slope)


@gelu_backward.on_cpu
def gelu_backward_loop(gradient, slope):
    for n in range(len(gradient)):
        row, rise = gradient[n], slope[n]
        for h in range(len(row)):
            row[h] *= rise[h]


@Kernel
def attend(query: Tensor, queries: Tensor, key: Tensor, keys: Tensor, weights: Tensor, output: Tensor) -> None:
    """Scaled dot-product attention. query (·, D), of which row queries[n] is the n-th query's; key (M, 2 D): keys, then
    values; output (N, D); weights (N, G, L): the softmax, 0 where there is no key."""
    heads = weights.shape[-2]
    q, k, v = _gathered(query, queries, key, keys, heads)
    scores = (q.unsqueeze(-3) * k).sum(-1).movedim(-1, -2) / math.sqrt(q.shape[-1])
    masked = scores.masked_fill((keys < 0).unsqueeze(-2), -torch.inf)
    weights.copy_(torch.softmax(masked, -1))
    output.copy_((weights.movedim(-1, -2).unsqueeze(-1) * v).sum(-3).flatten(-2))


def _gathered(query: Tensor, queries: Tensor, key: Tensor, keys: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """q (N, G, D/G), and k and v (N, L, G, D/G) of every query."""
    width = query.shape[-1]
    q = query.gather(-2, queries.unsqueeze(-1).expand(*queries.shape, width))
    flat = keys.clamp(min=0).flatten(-2)
    both = key.gather(-2, flat.unsqueeze(-1).expand(*flat.shape, 2 * width)).unflatten(-2, keys.shape[-2:])
    k, v = both.split(width, -1)
    return q.unflatten(-1, (heads, -1)), k.unflatten(-1, (heads, -1)), v.unflatten(-1, (heads, -1))


@attend.on_cpu
def attend_loop(query, queries, key, keys, weights, output):
    heads, width = weights.shape[1], query.shape[1]
    each = width // heads
    scale = np.float32(1) / np.float32(math.sqrt(each))
    for n in range(len(queries)):
        q, out = query[queries[n]], output[n]
        length = 0
        while length < keys.shape[1] and keys[n, length] >= 0:
            length += 1
        for g in range(heads):
            first = g * each
            weight = weights[n, g]
            top = np.float32(-np.inf)
            for j in range(length):
                k = key[keys[n, j]]
                score = np.float32(0)
                for d in range(each):
                    score += q[first + d] * k[first + d]
                weight[j] = score * scale
                top = top if weight[j] < top else weight[j]
            total = np.float32(0)
            for j in range(length):
                weight[j] = exponential(weight[j] - top)
                total += weight[j]
            for j in range(length, keys.shape[1]):
                weight[j] = 0
            for d in range(each):
                out[first + d] = 0
            for j in range(length):
                share = weight[j] / total
                weight[j] = share
                v = key[keys[n, j]]
                for d in range(each):
                    out[first + d] += share * v[width + first + d]


@Kernel
def attend_backward(
    gradient: Tensor,
    query: Tensor,
    queries: Tensor,
    key: Tensor,
    keys: Tensor,
    weights: Tensor,
    query_gradient: Tensor,
    key_gradient: Tensor,
) -> None:
    """gradient (N, D), of the output, into query_gradient (·, D) and key_gradient (M, 2 D), which it first clears."""
    heads = weights.shape[-2]
    q, k, v = _gathered(query, queries, key, keys, heads)
    out = gradient.unflatten(-1, (heads, -1)).unsqueeze(-3)
    by_key = weights.movedim(-1, -2).unsqueeze(-1)
    v_gradient = by_key * out
    inner = (out * v).sum(-1, keepdim=True)
    score = by_key * (inner - (by_key * inner).sum(-3, keepdim=True)) / math.sqrt(q.shape[-1])
    k_gradient = score * q.unsqueeze(-3)
    q_gradient = (score * k).sum(-3).flatten(-2)
    both = torch.cat([k_gradient.flatten(-2), v_gradient.flatten(-2)], -1).flatten(-3, -2)
    flat = keys.clamp(min=0).flatten(-2)
    key_gradient.zero_().scatter_add_(-2, flat.unsqueeze(-1).expand(both.shape), both)
    query_gradient.zero_().scatter_add_(-2, queries.unsqueeze(-1).expand(q_gradient.shape), q_gradient)


@attend_backward.on_cpu
def attend_backward_loop(gradient, query, queries, key, keys, weights, query_gradient, key_gradient):
    heads, width = weights.shape[1], query.shape[1]
    each = width // heads
    scale = np.float32(1) / np.float32(math.sqrt(each))
    query_gradient[:] = 0
    key_gradient[:] = 0
    inner = np.empty(keys.shape[1], np.float32)
    for n in range(len(queries)):
        q, q_gradient, out = query[queries[n]], query_gradient[queries[n]], gradient[n]
        for g in range(heads):
            first = g * each
            weight = weights[n, g]
            mean = np.float32(0)
            for j in range(keys.shape[1]):
                if keys[n, j] < 0:
                    break
                v, v_gradient, share = key[keys[n, j]], key_gradient[keys[n, j]], weight[j]
                dot = np.float32(0)
                for d in range(each):
                    dot += out[first + d] * v[width + first + d]
                for d in range(each):
                    v_gradient[width + first + d] += share * out[first + d]
                inner[j] = dot
                mean += share * dot
            for j in range(keys.shape[1]):
                if keys[n, j] < 0:
                    break
                score = weight[j] * (inner[j] - mean) * scale
                k, k_gradient = key[keys[n, j]], key_gradient[keys[n, j]]
                for d in range(each):
                    k_gradient[first + d] += score * q[first + d]
                for d in range(each):
                    q_gradient[first + d] += score * k[first + d]


HALF_ROOT, DENSITY = np.float32(math.sqrt(0.5)), np.float32(1 / math.sqrt(2 * math.pi))
ODD = tuple(
    np.float32(c)
    for c in (
        -2.72614225801306e-10,
        2.77068142495902e-08,
        -2.10102402082508e-06,
        -5.69250639462346e-05,
        -7.34990630326855e-04,
        -2.95459980854025e-03,
        -1.60960333262415e-02,
    )
)
EVEN = tuple(
    np.float32(c)
    for c in (
        -1.45660718464996e-05,
        -2.13374055278905e-04,
        -1.68282697438203e-03,
        -7.37332916720468e-03,
        -1.42647390514189e-02,
    )
)


@njit(fastmath={"contract"})
def error_function(x):
    """erf(x) of a float32 within 2e-7: the rational minimax approximation of Eigen (MathFunctionsImpl.h)."""
    x = np.float32(-4) if x < np.float32(-4) else x
    x = np.float32(4) if x > np.float32(4) else x
    square = x * x
    odd = ODD[0]
    for coefficient in ODD[1:]:
        odd = odd * square + coefficient
    even = EVEN[0]
    for coefficient in EVEN[1:]:
        even = even * square + coefficient
    return x * odd / even
