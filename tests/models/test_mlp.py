"""The perceptron: its plain and its stacked form, its parameter count and FLOPs."""

import math

import pytest
import torch
from forms import assert_one_function
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.cell import MLP as Settings
from regrok.models import mlp
from regrok.models.mlp import MLP, unfold

SETTINGS = st.builds(
    Settings,
    architecture=st.just("mlp"),
    embedding=st.integers(1, 20),
    hidden=st.integers(1, 24),
    layers=st.integers(1, 4),
    embedding_std=st.floats(0.01, 2),
)
TOKENS = st.integers(2, 20)


def plain(model: Settings, tokens: int, classes: int, seed: int) -> MLP:
    return MLP(model, tokens, classes, torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, TOKENS, TOKENS, st.integers(1, 4), st.integers(1, 30))
def test_both_forms_are_one_function(model, tokens, classes, members, examples):
    """The stacked form in float32 against the plain one in float64; and both gradients."""
    plains = [plain(model, tokens, classes, seed) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    pairs = torch.randint(tokens, (members, examples, 2), generator=generator)
    gradient = torch.randn(members, examples, classes, generator=generator)
    assert_one_function(mlp, model, plains, pairs, gradient, logits=(1e-4, 1e-5), gradients=(1e-3, 1e-4))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, TOKENS, TOKENS)
def test_counting_parameters(model, tokens, classes):
    """By formula, in the plain module, and in the names that the stacked form knows them by: each exactly once."""
    module = MLP(model, tokens, classes)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, classes) == count
    assert sum(part.numel() for part in unfold(module).values()) == count
    assert {part.untyped_storage().data_ptr() for part in unfold(module).values()} == {
        part.data_ptr() for part in module.parameters()
    }


def test_parameters_of_report_000():
    """Section 2.1: two embeddings of 97 x 80, layers 160-128-128-97."""
    model = Settings(architecture="mlp", embedding=80, hidden=128, layers=2, embedding_std=1)
    assert model.parameters(97, 97) == 2 * 97 * 80 + 161 * 128 + 129 * 128 + 129 * 97 == 65153


def test_flops_by_hand():
    """3 tokens a side through 4 x 2 matrices; 5 examples through 4 x 4 and 3 x 4 ones; a multiply-add is two."""
    model = Settings(architecture="mlp", embedding=2, hidden=4, layers=2, embedding_std=1)
    assert model.forward_flops(tokens=3, classes=3, examples=5) == 2 * (3 * 4 * 2 + 3 * 4 * 2 + 5 * (4 * 4 + 3 * 4))
    assert model.forward_flops(tokens=3, classes=3, examples=0) == 96
    shallow = model.model_copy(update={"layers": 1})
    assert shallow.forward_flops(3, 3, 5) == 96 + 2 * 5 * 12


def test_initialisation():
    """Linear layers uniform within 1 / sqrt(inputs), as PyTorch's default; embeddings normal with the set deviation."""
    model = Settings(architecture="mlp", embedding=80, hidden=128, layers=2, embedding_std=0.3)
    module = plain(model, 97, 97, 0)
    for embedding in (module.embed_x.weight, module.embed_y.weight):
        assert embedding.std().item() == pytest.approx(0.3, rel=0.05)
        assert embedding.mean().item() == pytest.approx(0, abs=0.02)
    for linear in module.linears:
        bound = linear.in_features**-0.5
        for part in (linear.weight, linear.bias):
            assert part.abs().max().item() <= bound
            assert part.abs().max().item() > 0.9 * bound
        assert linear.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)


def test_initialisation_comes_from_the_generator_alone():
    model = Settings(architecture="mlp", embedding=3, hidden=4, layers=1, embedding_std=1)

    def flat(seed: int) -> list[float]:
        return torch.cat([part.detach().flatten() for part in plain(model, 5, 5, seed).parameters()]).tolist()

    torch.manual_seed(1)
    first = flat(7)
    torch.manual_seed(2)
    assert flat(7) == first
    assert flat(8) != first


def test_widths_by_hand():
    """Two tokens, widths of 1, every parameter set: 0.5 relu(2 (1 * 10) + 3 (1 * 100) - 5) + 1 = 158.5."""
    model = Settings(architecture="mlp", embedding=1, hidden=1, layers=1, embedding_std=1)
    module = MLP(model, 2, 2)
    with torch.no_grad():
        module.embed_x.weight.copy_(torch.tensor([[0.0], [10.0]]))
        module.embed_y.weight.copy_(torch.tensor([[100.0], [-100.0]]))
        module.linears[0].weight.copy_(torch.tensor([[2.0, 3.0]]))
        module.linears[0].bias.fill_(-5)
        module.linears[1].weight.copy_(torch.tensor([[0.5], [-1.0]]))
        module.linears[1].bias.copy_(torch.tensor([1.0, 0.0]))
    assert module(torch.tensor([[1, 0], [1, 1]])).tolist() == [[158.5, -315.0], [1.0, 0.0]]
