"""The MLP of any number of terms: by hand, beside the MLP of two, and differentiated as part of a stack."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.cell import MLP, SequenceMLP
from regrok.models import mlp, sequence_mlp
from regrok.models.differentiated import Differentiated
from regrok.models.parameters import Parameters

SETTINGS = SequenceMLP(architecture="sequence_mlp", embedding=3, hidden=4, layers=2, embedding_std=1.0)


def plain(seed: int, **shape) -> sequence_mlp.SequenceMLP:
    return sequence_mlp.Plain(SETTINGS, generator=torch.Generator().manual_seed(seed), **shape)


def test_by_hand():
    model = sequence_mlp.Plain(SETTINGS.model_copy(update={"embedding": 1, "hidden": 1, "layers": 1}), 2, 2, terms=3)
    with torch.no_grad():
        for place, embedding in enumerate(model.embed):
            embedding.weight.copy_(torch.tensor([[0.0], [10.0**place]]))
        for linear, weight, bias in zip(model.linears, ([[1, 1, 1]], [[1], [-1]]), ([-5.0], [0.0, 1.0]), strict=True):
            linear.weight.copy_(torch.tensor(weight).float())
            linear.bias.copy_(torch.tensor(bias))
    found = model(torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 1]]))
    torch.testing.assert_close(found, torch.tensor([[0, 1.0], [6, -5], [105, -104]]))


def test_of_two_terms_it_is_the_mlp():
    settings = MLP(architecture="mlp", embedding=3, hidden=4, layers=2, embedding_std=1.0)
    generators = (torch.Generator().manual_seed(1) for _ in range(2))
    ours = sequence_mlp.Plain(SETTINGS, 7, 7, next(generators))
    reference = mlp.Plain(settings, 7, 7, next(generators))
    tokens = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    torch.testing.assert_close(ours(tokens), reference(tokens), rtol=0, atol=0)
    assert SETTINGS.parameters(7, 7) == settings.parameters(7, 7)
    assert SETTINGS.forward_flops(7, 7, 49) == settings.forward_flops(7, 7, 49)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 5), st.integers(2, 4), st.integers(1, 4), st.integers(1, 3))
def test_counts_its_parameters(tokens, classes, terms, places):
    shape = {"tokens": tokens, "classes": classes, "terms": terms, "places": places}
    count = sum(value.numel() for value in plain(0, **shape).parameters())
    assert SETTINGS.parameters(**shape) == count


@pytest.mark.parametrize("stacked", [False, True])
def test_differentiated_it_is_the_plain_one(stacked):
    """Logits and gradients of two members, as on a CPU one by one or as on a GPU at once, against float64."""
    shape = {"tokens": 5, "classes": 3, "terms": 4, "places": 2}
    members = [plain(seed, **shape) for seed in range(2)]
    shapes = {name: tuple(value.shape) for name, value in members[0].named_parameters()}
    parameters = Parameters(shapes, set(shapes), 2)
    for index, member in enumerate(members):
        parameters.load(index, {name: value.detach() for name, value in member.named_parameters()})
    parameters.one_by_one = not stacked
    generator = torch.Generator().manual_seed(3)
    tokens = torch.randint(5, (2, 9, 4), generator=generator)
    gradient = torch.randn(2, 9, 6, generator=generator)
    parts = parameters.parts()
    whole = tokens.unsqueeze(0) if stacked else tokens
    logits = []
    for part, inputs, upstream in zip(parts, whole, gradient.unsqueeze(0) if stacked else gradient, strict=True):
        model = Differentiated(plain(9, **shape), part)
        model.prepare()
        logits.append(model.forward(inputs))
        assert not logits[-1].requires_grad
        model.backward(upstream)
    logits = logits[0] if stacked else torch.stack(logits)
    for index, member in enumerate(members):
        exact = member.double()(tokens[index])
        torch.testing.assert_close(logits[index].double(), exact.detach(), rtol=1e-5, atol=1e-5)
        exact.backward(gradient[index].double())
        for name, value in member.named_parameters():
            ours = parameters.gradients[name][index].double()
            torch.testing.assert_close(ours, value.grad, rtol=1e-4, atol=1e-5, msg=name)


def test_sees_parameters_as_they_are_updated():
    members = [plain(0, tokens=3, classes=2, terms=3)]
    shapes = {name: tuple(value.shape) for name, value in members[0].named_parameters()}
    parameters = Parameters(shapes, set(shapes), 1)
    parameters.load(0, {name: value.detach() for name, value in members[0].named_parameters()})
    model = Differentiated(plain(1, tokens=3, classes=2, terms=3), parameters.parts()[0])
    tokens = torch.tensor([[0, 1, 2]])
    before = model.forward(tokens)
    torch.testing.assert_close(before, members[0](tokens).detach())
    parameters.buffers[0].mul_(0.5)
    assert not torch.allclose(model.forward(tokens), before)
