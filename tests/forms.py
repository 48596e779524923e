"""The two forms of a model, the plain module and the one with its backward pass written out, held to one function."""

import torch

from regrok.models.layers import Workspace
from regrok.models.parameters import Parameters


def assert_one_function(module, settings, plains: list, pairs: torch.Tensor, gradient: torch.Tensor, **tolerances):
    """The stacked form in float32 against the plain ones in float64, logits and gradients, for each member.

    module: of the model, with Stacked and unfold. pairs: int64 (S, B, 2); gradient: of the logits, (S, B, C).
    tolerances: `logits` and `gradients`, each (relative, absolute); a gradient's absolute one is scaled by its size.
    """
    shapes = {name: tuple(value.shape) for name, value in module.unfold(plains[0]).items()}
    parameters, workspace = Parameters(shapes, set(shapes), len(plains)), Workspace()
    for index, (plain, part) in enumerate(zip(plains, parameters.parts(), strict=True)):
        parameters.load(index, {name: value.detach() for name, value in module.unfold(plain).items()})
        stacked = module.Stacked(settings, part, workspace)
        stacked.prepare()
        logits = stacked.forward(pairs[index]).clone()
        stacked.backward(gradient[index].clone())
        plain.double()
        exact = plain(pairs[index])
        relative, absolute = tolerances["logits"]
        torch.testing.assert_close(logits.double(), exact.detach(), rtol=relative, atol=absolute)
        exact.backward(gradient[index].double())
        for value in plain.parameters():
            value.data = value.grad
        relative, absolute = tolerances["gradients"]
        for name, wanted in module.unfold(plain).items():
            ours, scale = parameters.gradients[name][index].double(), 1 + wanted.abs().max().item()
            torch.testing.assert_close(ours, wanted.detach(), rtol=relative, atol=absolute * scale, msg=name)
