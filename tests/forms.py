"""The two forms of a model, the plain module and the one with its backward pass written out, held to one function."""

import torch

from regrok.models.layers import Workspace
from regrok.models.parameters import Parameters


class Drawn:
    """What dropout draws, kept: the plain form takes it up site by site, in the same order."""

    def __init__(self, seed: int):
        self.generator, self.kept = torch.Generator().manual_seed(seed), []

    def fill(self, uniform: torch.Tensor) -> None:
        uniform.uniform_(generator=self.generator)
        self.kept.append(uniform.clone())

    def drop(self, rate: float):
        """A function for the plain form. Rows of the other form stand position by position, or for the last alone."""
        kept = iter(self.kept)

        def drop(site: str, values: torch.Tensor) -> torch.Tensor:
            mask = (next(kept).double() >= rate) / (1 - rate)
            if values.ndim == 2:
                return values * mask
            examples, positions, width = values.shape
            if len(mask) == examples:
                return torch.cat([values[:, :-1], (values[:, -1] * mask).unsqueeze(1)], 1)
            return values * mask.view(positions, examples, width).transpose(0, 1)

        return drop


def assert_one_function(
    module, settings, plains: list, operands: torch.Tensor, gradient: torch.Tensor, dropout: bool = False, **tolerances
):
    """The stacked form in float32 against the plain ones in float64, logits and gradients, for each member.

    module: of the model, with Stacked and unfold. operands: int64 (S, B, K); gradient: of the logits, (S, B, C).
    dropout: whether it acts, as it does in training.
    tolerances: `logits` and `gradients`, each (relative, absolute); a gradient's absolute one is scaled by its size.
    """
    shapes = {name: tuple(value.shape) for name, value in module.unfold(plains[0]).items()}
    parameters, workspace = Parameters(shapes, set(shapes), len(plains)), Workspace()
    for index, (plain, part) in enumerate(zip(plains, parameters.parts(), strict=True)):
        parameters.load(index, {name: value.detach() for name, value in module.unfold(plain).items()})
        stacked, noise = module.Stacked(settings, part, workspace), Drawn(index) if dropout else None
        stacked.prepare()
        logits = stacked.forward(operands[index], noise).clone()
        stacked.backward(gradient[index].clone())
        plain.double()
        exact = plain(operands[index], *([noise.drop(settings.dropout)] if dropout else []))
        relative, absolute = tolerances["logits"]
        torch.testing.assert_close(logits.double(), exact.detach(), rtol=relative, atol=absolute)
        exact.backward(gradient[index].double())
        for value in plain.parameters():
            value.data = torch.zeros_like(value) if value.grad is None else value.grad
        relative, absolute = tolerances["gradients"]
        for name, wanted in module.unfold(plain).items():
            ours, scale = parameters.gradients[name][index].double(), 1 + wanted.abs().max().item()
            torch.testing.assert_close(ours, wanted.detach(), rtol=relative, atol=absolute * scale, msg=name)


def forward_products(module, settings, plain, terms: int, monkeypatch) -> int:
    """Floating-point operations of the matrix products in a forward pass of 9 examples in training, counted at work."""
    counted, matmul = [], torch.matmul

    def counting(left, right, out):
        counted.append(2 * left.shape[-2] * left.shape[-1] * right.shape[-1])
        return matmul(left, right, out=out)

    shapes = {name: tuple(value.shape) for name, value in module.unfold(plain).items()}
    (part,) = Parameters(shapes, set(shapes), 1).parts()
    stacked = module.Stacked(settings, part, Workspace())
    stacked.prepare()
    with monkeypatch.context() as patch:
        patch.setattr("torch.matmul", counting)
        stacked.forward(torch.zeros(9, terms, dtype=torch.int64), Drawn(0) if settings.dropout else None)
    return sum(counted)
