"""The residual MLP: its stacked form against the plain one, its plain one by hand; its parameters and FLOPs."""

import pytest
import torch
from forms import assert_one_function
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from regrok.cell import ResidualMLP as Settings
from regrok.models import residual_mlp
from regrok.models.residual_mlp import ResidualMLP, unfold

SETTINGS = st.builds(
    Settings,
    architecture=st.just("residual_mlp"),
    width=st.integers(1, 8),
    hidden=st.integers(1, 12),
    layers=st.integers(1, 3),
    positions=st.sampled_from(["flatten", "sum"]),
    dropout=st.sampled_from([0.0, 0.1, 0.5]),
)


def plain(model: Settings, tokens: int, seed: int, terms: int = 2) -> ResidualMLP:
    return ResidualMLP(model, tokens, tokens, torch.Generator().manual_seed(seed), terms)


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4), st.integers(1, 3), st.integers(1, 30), st.booleans())
def test_both_forms_are_one_function(model, tokens, terms, members, examples, dropout):
    plains = [plain(model, tokens, seed, terms) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    for each in plains:
        for value in each.parameters():  # norms too, which begin at 0 and 1
            value.data += 0.1 * torch.randn(value.shape, generator=generator)
    operands = torch.randint(tokens, (members, examples, terms), generator=generator)
    gradient = torch.randn(members, examples, tokens + 2, generator=generator)
    tolerances = {"logits": (1e-3, 1e-3), "gradients": (2e-3, 1e-3)}
    assert_one_function(residual_mlp, model, plains, operands, gradient, dropout, **tolerances)


@pytest.mark.parametrize(("positions", "width"), [("flatten", 12), ("sum", 3)])
def test_by_the_report(positions, width):
    """Token and position embeddings, a block of dropout, two linear layers with a ReLU, residual, normalisation."""
    model = plain(
        Settings(architecture="residual_mlp", width=3, hidden=4, layers=1, positions=positions, dropout=0.5), 5, 0
    )
    sequence = torch.tensor([[1, 5, 2, 6], [4, 5, 0, 6]])
    embedded = model.embedding.token.weight[sequence] + model.embedding.position.weight
    stream = embedded.reshape(2, 12) if positions == "flatten" else embedded.sum(1)
    mask = torch.randint(2, (2, width)).float() * 2
    (block,) = model.blocks
    inner = functional.relu(functional.linear(stream * mask, block.expand.weight, block.expand.bias))
    outer = stream + functional.linear(inner, block.contract.weight, block.contract.bias)
    wanted = functional.linear(functional.layer_norm(outer, (width,)), model.readout.weight, model.readout.bias)
    given = model(torch.tensor([[1, 2], [4, 0]]), lambda site, values: values * mask)
    torch.testing.assert_close(given, wanted)


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4))
def test_counting_parameters(model, tokens, terms):
    module = plain(model, tokens, 0, terms)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, tokens, terms) == count
    assert sum(part.numel() for part in unfold(module).values()) == count


def test_flops_by_hand():
    """Width 2 at 4 positions, 3 hidden, 2 blocks, 5 examples modulo 7, and 9 logits an example."""
    model = Settings(architecture="residual_mlp", width=2, hidden=3, layers=2, positions="flatten", dropout=0.1)
    later = 3 * (5 * 8 * 3) + 5 * 8 * 9
    assert model.forward_flops(7, 7, 5) == 2 * (16 * 2 * 3 + later)  # 2 (7 + 1) rows of the table
    assert model.forward_flops(7, 7, 5, training=True) == 2 * (5 * 8 * 3 + later)
