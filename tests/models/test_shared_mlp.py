"""The perceptron with one table of embeddings: its two forms, its parameters, the public code of report 002."""

import pytest
import torch
from forms import assert_one_function
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from regrok.cell import SharedMLP as Settings
from regrok.models import shared_mlp
from regrok.models.shared_mlp import SharedMLP, unfold

SETTINGS = st.builds(
    Settings,
    architecture=st.just("shared_mlp"),
    embedding=st.integers(1, 20),
    hidden=st.integers(1, 24),
    layers=st.integers(1, 4),
    embedding_std=st.floats(0.01, 2),
)
TOKENS = st.integers(2, 20)
REPORT_002 = Settings(architecture="shared_mlp", embedding=128, hidden=128, layers=1, embedding_std=1)


def plain(model: Settings, tokens: int, classes: int, seed: int) -> SharedMLP:
    return SharedMLP(model, tokens, classes, torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, TOKENS, TOKENS, st.integers(1, 4), st.integers(1, 30))
def test_both_forms_are_one_function(model, tokens, classes, members, examples):
    """Where one token is x and y, both parts of the gradient of its embedding count."""
    plains = [plain(model, tokens, classes, seed) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    pairs = torch.randint(tokens, (members, examples, 2), generator=generator)
    gradient = torch.randn(members, examples, classes, generator=generator)
    assert_one_function(shared_mlp, model, plains, pairs, gradient, logits=(1e-4, 1e-5), gradients=(1e-3, 1e-4))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, TOKENS, TOKENS)
def test_counting_parameters(model, tokens, classes):
    """By formula, in the plain module, and in the names that the stacked form knows them by: each exactly once."""
    module = SharedMLP(model, tokens, classes)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, classes) == count
    assert sum(part.numel() for part in unfold(module).values()) == count
    assert {part.untyped_storage().data_ptr() for part in unfold(module).values()} == {
        part.data_ptr() for part in module.parameters()
    }


def test_parameters_of_report_002():
    """nn.Embedding(53, 128), nn.Linear(256, 128), nn.Linear(128, 53)."""
    assert REPORT_002.parameters(53, 53) == 53 * 128 + 257 * 128 + 129 * 53 == 46_517


def test_flops_by_hand():
    """One table, but two products with it: 3 tokens through 4 x 2 matrices, twice; 5 examples through a 3 x 4 one."""
    model = Settings(architecture="shared_mlp", embedding=2, hidden=4, layers=1, embedding_std=1)
    assert model.forward_flops(tokens=3, classes=3, examples=5) == 2 * (2 * 3 * 4 * 2 + 5 * 3 * 4)


def test_by_the_public_code():
    """An embedding, flattened, a ReLU layer, a readout: the same logits, and initial values as widely spread."""
    torch.manual_seed(0)
    theirs = nn.ModuleList([nn.Embedding(53, 128), nn.Linear(256, 128), nn.Linear(128, 53)])
    ours = plain(REPORT_002, 53, 53, 0)
    for part, other in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert part.shape == other.shape
        assert part.std().item() == pytest.approx(other.std().item(), rel=0.15)
        part.data = other.data
    pairs = torch.randint(53, (20, 2))
    embedding, first, readout = theirs
    wanted = readout(torch.relu(first(embedding(pairs).flatten(start_dim=1))))
    torch.testing.assert_close(ours(pairs), wanted, rtol=0, atol=0)
