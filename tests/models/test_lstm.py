"""The LSTM: its stacked form against the plain one, which is PyTorch's; its parameters and FLOPs."""

import pytest
import torch
from forms import assert_one_function, forward_products
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from regrok.cell import LSTM as Settings
from regrok.models import lstm
from regrok.models.lstm import LSTM, unfold

SETTINGS = st.builds(
    Settings,
    architecture=st.just("lstm"),
    width=st.integers(1, 12),
    hidden=st.integers(1, 12),
    layers=st.integers(1, 3),
    dropout=st.sampled_from([0.0, 0.1, 0.5]),
)


def plain(model: Settings, tokens: int, seed: int, terms: int = 2) -> LSTM:
    return LSTM(model, tokens, tokens, torch.Generator().manual_seed(seed), terms)


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4), st.integers(1, 3), st.integers(1, 30), st.booleans())
def test_both_forms_are_one_function(model, tokens, terms, members, examples, dropout):
    """Though one runs all positions of all examples and the other each prefix once, unless dropout tells them apart.
    Tokens may repeat or be missing."""
    plains = [plain(model, tokens, seed, terms) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    operands = torch.randint(tokens, (members, examples, terms), generator=generator)
    gradient = torch.randn(members, examples, tokens + 2, generator=generator)
    tolerances = {"logits": (1e-4, 1e-5), "gradients": (1e-3, 1e-5)}
    assert_one_function(lstm, model, plains, operands, gradient, dropout, **tolerances)


def test_the_answer_is_read_from_the_last_output():
    model = plain(Settings(architecture="lstm", width=3, hidden=4, layers=2, dropout=0.0), 5, 0)
    pairs = torch.tensor([[1, 2], [4, 0]])
    sequence = torch.tensor([[1, 5, 2, 6], [4, 5, 0, 6]])
    embedded = model.embedding.token.weight[sequence] + model.embedding.position.weight
    theirs = nn.LSTM(3, 4, 2, batch_first=True)
    ours = {
        name.replace("_l0", f"_l{index}"): value
        for index, layer in enumerate(model.layers)
        for name, value in layer.state_dict().items()
    }
    theirs.load_state_dict(ours)
    _, (hidden, _) = theirs(embedded)
    torch.testing.assert_close(model(pairs), model.readout(hidden[-1]))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4))
def test_counting_parameters(model, tokens, terms):
    module = plain(model, tokens, 0, terms)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, tokens, terms) == count
    assert sum(part.numel() for part in unfold(module).values()) == count


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("terms", [2, 3])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_flops_are_those_of_the_products(layers, terms, dropout, monkeypatch):
    """Counted at work: every product of the stacked forward pass."""
    model = Settings(architecture="lstm", width=6, hidden=10, layers=layers, dropout=dropout)
    counted = forward_products(lstm, model, plain(model, 7, 0, terms), terms, monkeypatch)
    assert counted == model.forward_flops(tokens=7, classes=7, examples=9, terms=terms, training=True)
