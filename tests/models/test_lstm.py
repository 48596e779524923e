"""The LSTM: its stacked form against the plain one, which is PyTorch's; its parameters and FLOPs."""

import torch
from forms import assert_one_function
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from regrok.cell import LSTM as Settings
from regrok.models import lstm
from regrok.models.layers import Workspace
from regrok.models.lstm import LSTM, Stacked, unfold
from regrok.models.parameters import Parameters

SETTINGS = st.builds(
    Settings,
    architecture=st.just("lstm"),
    width=st.integers(1, 12),
    hidden=st.integers(1, 12),
    layers=st.integers(1, 3),
)


def plain(model: Settings, tokens: int, seed: int) -> LSTM:
    return LSTM(model, tokens, tokens, torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(1, 3), st.integers(1, 30))
def test_both_forms_are_one_function(model, tokens, members, examples):
    """Though one runs all positions of all examples and the other each prefix once. Tokens may repeat or be missing."""
    plains = [plain(model, tokens, seed) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    pairs = torch.randint(tokens, (members, examples, 2), generator=generator)
    gradient = torch.randn(members, examples, tokens + 2, generator=generator)
    assert_one_function(lstm, model, plains, pairs, gradient, logits=(1e-4, 1e-5), gradients=(1e-3, 1e-5))


def test_the_answer_is_read_from_the_last_output():
    model = plain(Settings(architecture="lstm", width=3, hidden=4, layers=2), 5, 0)
    pairs = torch.tensor([[1, 2], [4, 0]])
    sequence = torch.tensor([[1, 5, 2, 6], [4, 5, 0, 6]])
    embedded = model.embedding.token.weight[sequence] + model.embedding.position.weight
    theirs = nn.LSTM(3, 4, 2, batch_first=True)
    theirs.load_state_dict(model.lstm.state_dict())
    _, (hidden, _) = theirs(embedded)
    torch.testing.assert_close(model(pairs), model.readout(hidden[-1]))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12))
def test_counting_parameters(model, tokens):
    module = plain(model, tokens, 0)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, tokens) == count
    assert sum(part.numel() for part in unfold(module).values()) == count


def test_flops_are_those_of_the_products(monkeypatch):
    """Counted at work: every product of the stacked forward pass."""
    counted = []
    matmul = torch.matmul

    def counting(left, right, out):
        counted.append(2 * left.shape[-2] * left.shape[-1] * right.shape[-1])
        return matmul(left, right, out=out)

    for layers in (1, 2, 3):
        model = Settings(architecture="lstm", width=6, hidden=10, layers=layers)
        shapes = {name: tuple(value.shape) for name, value in unfold(plain(model, 7, 0)).items()}
        (part,) = Parameters(shapes, set(shapes), 1).parts()
        stacked = Stacked(model, part, Workspace())
        stacked.prepare()
        with monkeypatch.context() as patch:
            patch.setattr("torch.matmul", counting)
            stacked.forward(torch.zeros(9, 2, dtype=torch.int64))
        assert sum(counted) == model.forward_flops(tokens=7, classes=7, examples=9)
        counted.clear()
