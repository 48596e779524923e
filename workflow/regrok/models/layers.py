"""Layers with their backward pass written out, over preallocated buffers.

They see one part of a stack: on the CPU one member, so that its products and kernels follow each other in the cache;
on another device all members, as a leading axis on every tensor. Shapes are those of one member: B examples,
T tokens, E embedding width, I inputs, O outputs, C classes. A layer's `forward` returns a buffer that the next
forward pass with the same B overwrites, be it of another part; `backward` overwrites the gradients of its parameters
(a parameter used by two layers would need accumulation) and the gradient that it is given.
"""

import torch
from torch import Tensor

from . import kernels
from .parameters import Part


class Workspace:
    """Buffers shared by the parts of a stack, by name and shape. PyTorch aligns each to a cache line."""

    def __init__(self, lead: tuple[int, ...] = (), device: torch.device | str = "cpu"):
        """lead: () where a part is one member, (S,) where it is a stack of S."""
        self.lead, self.device = lead, device
        self.buffers: dict[tuple, Tensor] = {}

    def get(self, name: str, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """An uninitialised (*lead, *shape) tensor."""
        key = (name, dtype, *shape)
        if key not in self.buffers:
            self.buffers[key] = torch.empty(*self.lead, *shape, dtype=dtype, device=self.device)
        return self.buffers[key]


class PairEmbedding:
    """relu(W [Ex[x]; Ey[y]] + b), folded: the layer is linear before its ReLU, so W Ex and W Ey + b are computed
    once for each of the T tokens and their rows added for each example (T rows instead of B through the product).

    Parameters embed_x, embed_y: (T, E); weight_x, weight_y: (O, E); bias: (O,).
    """

    def __init__(self, part: Part, prefix: str, workspace: Workspace):
        self.name, self.workspace = prefix, workspace
        self.values = [(part.values[f"embed_{side}"], part.values[f"{prefix}.weight_{side}"]) for side in "xy"]
        self.gradients = [(part.gradients[f"embed_{side}"], part.gradients[f"{prefix}.weight_{side}"]) for side in "xy"]
        self.bias, self.bias_gradient = part.values[f"{prefix}.bias"], part.gradients[f"{prefix}.bias"]
        tokens, self.width = self.values[0][0].shape[-2], self.bias.shape[-1]
        self.folded = [workspace.get(f"{prefix}.folded_{side}", tokens, self.width) for side in "xy"]
        self.folded_gradient = [workspace.get(f"{prefix}.folded_gradient_{side}", tokens, self.width) for side in "xy"]

    def fold(self) -> None:
        """Recompute W Ex and W Ey + b from the parameters."""
        for (embed, weight), folded in zip(self.values, self.folded, strict=True):
            torch.matmul(embed, weight.mT, out=folded)
        kernels.add_bias(self.folded[1], self.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64 (B, 2) -> (B, O). `fold` must have been called since the parameters changed."""
        self.tokens = tokens
        self.output = self.workspace.get(f"{self.name}.output", tokens.shape[-2], self.width)
        kernels.pairs_relu(*self.folded, tokens, self.output)
        return self.output

    def backward(self, gradient: Tensor) -> None:
        """gradient: (B, O)."""
        kernels.pairs_relu_backward(gradient, self.output, self.tokens, *self.folded_gradient)
        kernels.bias_backward(self.folded_gradient[1], self.bias_gradient)
        for values, gradients, folded in zip(self.values, self.gradients, self.folded_gradient, strict=True):
            torch.matmul(folded, values[1], out=gradients[0])
            torch.matmul(folded.mT, values[0], out=gradients[1])


class Linear:
    """W h + b, with a ReLU after it if `relu`. Parameters weight: (O, I); bias: (O,)."""

    def __init__(self, part: Part, prefix: str, relu: bool, workspace: Workspace):
        self.name, self.relu, self.workspace = prefix, relu, workspace
        self.weight, self.bias = part.values[f"{prefix}.weight"], part.values[f"{prefix}.bias"]
        self.weight_gradient, self.bias_gradient = part.gradients[f"{prefix}.weight"], part.gradients[f"{prefix}.bias"]

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, I) -> (B, O)."""
        self.inputs = inputs
        self.output = self.workspace.get(f"{self.name}.output", inputs.shape[-2], self.bias.shape[-1])
        torch.matmul(inputs, self.weight.mT, out=self.output)
        (kernels.add_bias_relu if self.relu else kernels.add_bias)(self.output, self.bias)
        return self.output

    def backward(self, gradient: Tensor) -> Tensor:
        """(B, O) -> gradient of the inputs, (B, I)."""
        if self.relu:
            kernels.bias_relu_backward(gradient, self.output, self.bias_gradient)
        else:
            kernels.bias_backward(gradient, self.bias_gradient)
        torch.matmul(gradient.mT, self.inputs, out=self.weight_gradient)
        back = self.workspace.get(f"{self.name}.gradient", *self.inputs.shape[-2:])
        return torch.matmul(gradient, self.weight, out=back)


class Dropout:
    """nn.Dropout at one site, with its own name in the plain form."""

    def __init__(self, name: str, rate: float, workspace: Workspace):
        self.name, self.workspace = f"{name}.dropout", workspace
        self.rate = workspace.get(f"{self.name}.rate", 1).fill_(rate)

    def forward(self, values: Tensor, noise) -> Tensor:
        """(N, H) -> (N, H). noise: has a method `fill` that overwrites a tensor with uniform numbers in [0, 1); None
        gives back `values`."""
        self.mask = None
        if noise is None:
            return values
        self.mask, output = (self.workspace.get(f"{self.name}.{n}", *values.shape[-2:]) for n in ("mask", "output"))
        noise.fill(self.mask)
        kernels.drop(values, self.mask, self.rate, output)
        return output

    def backward(self, gradient: Tensor) -> Tensor:
        """(N, H) -> (N, H); `gradient` itself stays as it is."""
        if self.mask is None:
            return gradient
        return torch.mul(gradient, self.mask, out=self.workspace.get(f"{self.name}.gradient", *gradient.shape[-2:]))


class CrossEntropy:
    """Cross-entropy of float32 logits, computed in float32 or float64.

    Answers with several places, (B, places), have as many logits for each, side by side: (B, places * C).
    """

    def __init__(self, precision: str, workspace: Workspace, places: int = 1):
        self.dtype, self.workspace, self.places = getattr(torch, precision), workspace, places

    def forward(self, logits: Tensor, answers: Tensor) -> tuple[Tensor | float, Tensor]:
        """logits (B, C), answers int64 (B,) -> mean loss, over places too, gradient of the logits (B, C)."""
        gradient = self.workspace.get("loss.gradient", *logits.shape[-2:])
        each, answers = self.by_place(logits, answers)
        return kernels.cross_entropy(each.to(self.dtype), answers, gradient.view(each.shape)), gradient

    def judge(self, logits: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of every example, its mean over places, and whether its answer, at all places, is the single likeliest
        class: (B,) each."""
        each, answers = self.by_place(logits, answers)
        losses = self.workspace.get("loss.each", each.shape[-2], dtype=self.dtype)
        correct = self.workspace.get("loss.correct", each.shape[-2], dtype=torch.bool)
        kernels.judge(each.to(self.dtype), answers, losses, correct)
        if self.places == 1:
            return losses, correct
        return losses.unflatten(-1, (-1, self.places)).mean(-1), correct.unflatten(-1, (-1, self.places)).all(-1)

    def by_place(self, logits: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
        """Every place as an example of its own."""
        if self.places == 1:
            return logits, answers
        return logits.view(*logits.shape[:-2], -1, logits.shape[-1] // self.places), answers.flatten(-2)
