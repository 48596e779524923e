"""Layers over a stack of members: the only code that knows that tensors carry a leading member axis.

Shapes: S members, B examples, p tokens, E embedding width, I inputs, O outputs. A layer's `forward` returns a
buffer that it reuses at its next call with the same B; `backward` overwrites the gradients of its parameters
(a parameter used by two layers would need accumulation) and may overwrite the gradient it is given.
Products are written with `out=`; nothing of size B is allocated from one step to the next.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from .parameters import Parameters, aligned

relu_backward = torch.ops.aten.threshold_backward.grad_input


def multiply(left: Tensor, right: Tensor, out: Tensor, bias: Tensor | None = None) -> Tensor:
    """out[i] = left[i] @ right[i] (+ bias[i] to every row), one product a member.

    Not one bmm: that picks another BLAS routine for one member than for several, and its rounding may differ.
    """
    for i in range(len(out)):
        if bias is None:
            torch.mm(left[i], right[i], out=out[i])
        else:
            torch.addmm(bias[i], left[i], right[i], out=out[i])
    return out


class Workspace:
    """Buffers kept from step to step, by name and shape. Every member's part begins on a cache line: BLAS may round
    products of unaligned matrices differently, and a member's place in the stack must not show."""

    def __init__(self):
        self.buffers: dict[tuple, Tensor] = {}

    def get(self, name: str, members: int, *shape: int, like: Tensor) -> Tensor:
        """An uninitialised (members, *shape) tensor of the dtype and device of `like`."""
        key = (name, members, *shape)
        if key not in self.buffers:
            size = math.prod(shape)
            buffer = torch.empty(members, aligned(size), dtype=like.dtype, device=like.device)
            self.buffers[key] = buffer[:, :size].view(members, *shape)
        return self.buffers[key]


class PairEmbedding:
    """relu(W [Ex[x]; Ey[y]] + b), folded: the layer is linear before its ReLU, so W Ex and W Ey + b are computed
    once for each of the p tokens and their rows added for each example (p rows instead of B through the product).

    Parameters embed_x, embed_y: (p, E); weight_x, weight_y: (O, E); bias: (O,).
    """

    def __init__(self, parameters: Parameters, prefix: str):
        values, gradients = parameters.values, parameters.gradients
        self.embed = values["embed_x"], values["embed_y"]
        self.embed_gradient = gradients["embed_x"], gradients["embed_y"]
        self.weight = values[f"{prefix}.weight_x"], values[f"{prefix}.weight_y"]
        self.weight_gradient = gradients[f"{prefix}.weight_x"], gradients[f"{prefix}.weight_y"]
        self.bias, self.bias_gradient = values[f"{prefix}.bias"], gradients[f"{prefix}.bias"]
        members, tokens, _ = self.embed[0].shape
        self.width = self.bias.shape[-1]
        self.workspace = Workspace()
        rows = aligned(tokens)
        self.folded = self.bias.new_zeros(members, 2 * rows, self.width)
        self.folded_gradient = torch.zeros_like(self.folded)
        self.halves = slice(0, tokens), slice(rows, rows + tokens)
        first = torch.arange(members, device=self.bias.device)[:, None, None] * 2 * rows
        self.first_row = first + torch.tensor([0, rows], device=self.bias.device)

    def fold(self) -> None:
        """Recompute W Ex and W Ey + b from the parameters."""
        x, y = (self.folded[:, half] for half in self.halves)
        multiply(self.embed[0], self.weight[0].mT, out=x)
        multiply(self.embed[1], self.weight[1].mT, out=y, bias=self.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64 (S, B, 2) -> (S, B, O). `fold` must have been called since the parameters changed."""
        members, examples, _ = tokens.shape
        self.rows = (tokens + self.first_row).view(-1, 2)
        bags = functional.embedding_bag(self.rows, self.folded.view(-1, self.width), mode="sum")
        self.output = torch.relu_(bags).view(members, examples, self.width)
        if self.output[0].numel() != aligned(self.output[0].numel()):
            self.output = self.workspace.get("output", *self.output.shape, like=bags).copy_(self.output)
        return self.output

    def backward(self, gradient: Tensor) -> None:
        """gradient: (S, B, O)."""
        relu_backward(gradient, self.output, 0, grad_input=gradient)
        rows = gradient.reshape(-1, self.width)
        folded = self.folded_gradient.zero_().view(-1, self.width)
        folded.index_add_(0, self.rows[:, 0], rows).index_add_(0, self.rows[:, 1], rows)
        for side, half in enumerate(self.halves):
            part = self.folded_gradient[:, half]
            multiply(part, self.weight[side], out=self.embed_gradient[side])
            multiply(part.mT, self.embed[side], out=self.weight_gradient[side])
        torch.sum(part, 1, out=self.bias_gradient)


class Linear:
    """W h + b, with a ReLU after it if `relu`. Parameters weight: (O, I); bias: (O,)."""

    def __init__(self, parameters: Parameters, prefix: str, relu: bool):
        self.weight, self.bias = (parameters.values[f"{prefix}.{part}"] for part in ("weight", "bias"))
        self.weight_gradient, self.bias_gradient = (
            parameters.gradients[f"{prefix}.{part}"] for part in ("weight", "bias")
        )
        self.relu = relu
        self.workspace = Workspace()

    def forward(self, inputs: Tensor) -> Tensor:
        """(S, B, I) -> (S, B, O)."""
        members, examples, _ = inputs.shape
        self.inputs = inputs
        self.output = self.workspace.get("output", members, examples, self.bias.shape[-1], like=inputs)
        multiply(inputs, self.weight.mT, out=self.output, bias=self.bias)
        if self.relu:
            torch.relu_(self.output)
        return self.output

    def backward(self, gradient: Tensor) -> Tensor:
        """(S, B, O) -> gradient of the inputs, (S, B, I)."""
        if self.relu:
            relu_backward(gradient, self.output, 0, grad_input=gradient)
        multiply(gradient.mT, self.inputs, out=self.weight_gradient)
        torch.sum(gradient, 1, out=self.bias_gradient)
        return multiply(gradient, self.weight, out=self.workspace.get("gradient", *self.inputs.shape, like=gradient))


class CrossEntropy:
    """Mean cross-entropy over the batch, in float32 or float64 whatever the logits' dtype."""

    def __init__(self, precision: str):
        self.dtype = getattr(torch, precision)
        self.workspace = Workspace()

    def forward(self, logits: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
        """logits (S, B, C), answers int64 (S, B) -> mean loss of each member (S,), gradient of the logits (S, B, C)."""
        scores = logits.to(self.dtype)
        probabilities = self.workspace.get("probabilities", *logits.shape, like=scores)
        if probabilities.is_contiguous():
            torch.ops.aten._softmax.out(scores, -1, False, out=probabilities)
        else:  # that kernel ignores the strides of `out`
            probabilities.copy_(torch.softmax(scores, -1))
        answer = answers.unsqueeze(-1)
        # log p[answer] by way of the likeliest class, whose probability cannot underflow
        losses = scores.amax(-1) - scores.gather(-1, answer).squeeze(-1) - probabilities.amax(-1).log()
        probabilities.scatter_add_(-1, answer, torch.full_like(answer, -1, dtype=self.dtype))
        gradient = self.workspace.get("gradient", *logits.shape, like=logits)
        torch.mul(probabilities, 1 / logits.shape[1], out=gradient)
        return losses.mean(-1), gradient

    def judge(self, logits: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of every example and whether its answer is the single likeliest class: (S, B) each, without gradient."""
        classes, answer = logits.shape[-1], answers.unsqueeze(-1)
        scores = logits.reshape(-1, classes).to(self.dtype)
        losses = functional.cross_entropy(scores, answers.reshape(-1), reduction="none").view(answers.shape)
        own = logits.gather(-1, answer).squeeze(-1)
        others = logits.scatter(-1, answer, -torch.inf).amax(-1)
        return losses, own > others
