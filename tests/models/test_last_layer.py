"""Every model names the weight of its last layer."""

import pytest
import torch
from tiny import VARIANTS, tiny

from regrok.training.stack import Stack


@pytest.mark.parametrize(
    "variant",
    ["base", "three layers", "shared mlp", "sequence mlp", "transformer", "tied transformer", "lstm", "residual mlp"],
)
def test_the_last_layer_is_a_parameter_that_makes_the_logits(variant):
    """Without it, and without a bias, they are all alike."""
    stack = Stack(tiny(VARIANTS[variant]), [0])
    plain, name = stack.plain(torch.Generator().manual_seed(0)), stack.module.last_layer(stack.cell.model)
    weights = stack.unfold(plain)
    operands = torch.tensor([[1, 2, 0], [3, 4, 2]])[:, : stack.cell.task.terms]
    assert plain(operands).std() > 0.01
    for each in (name, name.replace("weight", "bias")):
        if each in weights:
            weights[each].data.zero_()
    assert plain(operands).eq(0).all()
