"""Layers and the loss against plain PyTorch in float64, member by member."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from regrok.models.layers import CrossEntropy, Linear, PairEmbedding, Workspace, multiply
from regrok.models.parameters import ALIGNMENT, Parameters

S, B = 3, 11


def random_parameters(shapes: dict[str, tuple[int, ...]]) -> Parameters:
    parameters = Parameters(shapes, set(shapes), S)
    generator = torch.Generator().manual_seed(0)
    for value in parameters.values.values():
        value.normal_(generator=generator)
    return parameters


def normal(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def close(ours: torch.Tensor, exact: torch.Tensor) -> None:
    torch.testing.assert_close(ours.double(), exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("relu", [True, False])
def test_linear(relu):
    parameters = random_parameters({"l.weight": (5, 7), "l.bias": (5,)})
    layer, inputs, gradient = Linear(parameters, "l", relu), normal(S, B, 7), normal(S, B, 5, seed=2)
    for member in range(S):
        weight, bias = (value.double().requires_grad_() for value in parameters.member(member).values())
        exact_inputs = inputs[member].double().requires_grad_()
        exact = functional.linear(exact_inputs, weight, bias)
        exact = torch.relu(exact) if relu else exact
        exact.backward(gradient[member].double())
        output = layer.forward(inputs)
        close(output[member], exact.detach())
        back = layer.backward(gradient.clone())
        close(back[member], exact_inputs.grad)
        close(parameters.gradients["l.weight"][member], weight.grad)
        close(parameters.gradients["l.bias"][member], bias.grad)


def test_gradients_are_overwritten_not_added():
    parameters = random_parameters({"l.weight": (5, 7), "l.bias": (5,)})
    layer = Linear(parameters, "l", relu=False)
    for _ in range(2):
        layer.forward(normal(S, B, 7))
        layer.backward(normal(S, B, 5, seed=2))
    close(parameters.gradients["l.bias"], normal(S, B, 5, seed=2).double().sum(1))


@pytest.mark.parametrize("tokens", [4, 16, 19])
def test_pair_embedding(tokens):
    """Folded, it is relu(W [Ex[x]; Ey[y]] + b); tokens that repeat in a batch, and some that do not occur."""
    width, out = 6, 5
    parameters = random_parameters(
        {
            "embed_x": (tokens, width),
            "embed_y": (tokens, width),
            "l.weight_x": (out, width),
            "l.weight_y": (out, width),
            "l.bias": (out,),
        }
    )
    layer, gradient = PairEmbedding(parameters, "l"), normal(S, B, out)
    pairs = torch.randint(tokens, (S, B, 2), generator=torch.Generator().manual_seed(3))
    layer.fold()
    for member in range(S):
        exact = {name: value.double().requires_grad_() for name, value in parameters.member(member).items()}
        x, y = pairs[member].unbind(1)
        both = torch.cat([exact["embed_x"][x], exact["embed_y"][y]], 1)
        weight = torch.cat([exact["l.weight_x"], exact["l.weight_y"]], 1)
        wanted = torch.relu(functional.linear(both, weight, exact["l.bias"]))
        wanted.backward(gradient[member].double())
        close(layer.forward(pairs)[member], wanted.detach())
        layer.backward(gradient.clone())
        for name, value in exact.items():
            close(parameters.gradients[name][member], value.grad)


def test_multiply_adds_the_bias_to_every_row():
    left, right, bias = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.eye(2)[None] * 10, torch.tensor([[1.0, -1.0]])
    out = torch.full((1, 2, 2), torch.nan)
    assert multiply(left, right, out) is out
    assert out.tolist() == [[[10, 20], [30, 40]]]
    assert multiply(left, right, out, bias).tolist() == [[[11, 19], [31, 39]]]


def test_workspace():
    workspace, like = Workspace(), torch.zeros(1)
    buffer = workspace.get("a", 3, 5, 7, like=like)
    assert buffer.shape == (3, 5, 7)
    assert buffer is workspace.get("a", 3, 5, 7, like=like)
    assert buffer is not workspace.get("b", 3, 5, 7, like=like)
    assert buffer is not workspace.get("a", 3, 7, 5, like=like)
    assert on_cache_lines(buffer)
    buffer.copy_(torch.arange(105.0).view(3, 5, 7))  # the members' parts do not overlap
    assert buffer.flatten().tolist() == list(range(105))
    assert workspace.get("c", 2, 3, like=like.double()).dtype == torch.float64


def on_cache_lines(stacked: torch.Tensor) -> bool:
    return all(part.data_ptr() % (4 * ALIGNMENT) == 0 and part.is_contiguous() for part in stacked)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_no_product_sees_a_member_off_its_cache_line(precision):
    """BLAS may round products of unaligned matrices differently."""
    _, gradient = CrossEntropy(precision).forward(normal(S, 7, 13), torch.zeros(S, 7, dtype=torch.int64))
    assert on_cache_lines(gradient)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(S, B, 13), (1, B, 13), (S, 8, 16), (2, 1, 2)])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_cross_entropy(precision, shape, scale):
    logits = scale * normal(*shape)
    answers = torch.randint(shape[-1], shape[:2], generator=torch.Generator().manual_seed(5))
    losses, gradient = CrossEntropy(precision).forward(logits.clone(), answers)
    assert losses.dtype == getattr(torch, precision)
    assert gradient.dtype == torch.float32
    exact = logits.double().requires_grad_()
    wanted = torch.stack([functional.cross_entropy(a, b) for a, b in zip(exact, answers, strict=True)])
    wanted.sum().backward()
    tolerance = 1e-12 if precision == "float64" else 1e-6
    torch.testing.assert_close(losses.double(), wanted.detach(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(gradient.double(), exact.grad, rtol=1e-6, atol=1e-7)


def one(margin: float) -> torch.Tensor:
    """Logits of one example of three classes, the answer 0 ahead of the others by `margin`."""
    return torch.tensor([[[margin, 0.0, 0.0]]])


ANSWER = torch.tensor([[0]])


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("margin", [-1e4, -200.0, -90.0, -20.0, 0.0, 3.0, 15.0])
def test_losses_of_margins(precision, margin):
    """log(1 + 2 exp(-margin)), without overflow where the answer's probability underflows."""
    loss, gradient = CrossEntropy(precision).forward(one(margin), ANSWER)
    exact = math.log1p(2 * math.exp(-margin)) if margin > -700 else -margin + math.log(2)
    absolute = 1.5e-7 if precision == "float32" else 1e-15  # a float below 1 or two
    assert loss.item() == pytest.approx(exact, rel=1e-6, abs=absolute)
    assert gradient[0, 0].tolist() == pytest.approx(
        [-1 / (1 + math.exp(min(margin, 700)) / 2), *[1 / (2 + math.exp(min(margin, 700)))] * 2], rel=1e-5, abs=absolute
    )


@pytest.mark.parametrize(("precision", "zero", "positive"), [("float32", 20, 14), ("float64", 40, 30)])
def test_where_a_loss_is_exactly_zero(precision, zero, positive):
    """Where 1 + 2 exp(-margin) rounds to 1; training and evaluation agree to a rounding."""
    loss = CrossEntropy(precision)
    assert loss.forward(one(zero), ANSWER)[0].item() == loss.judge(one(zero), ANSWER)[0].item() == 0
    assert loss.forward(one(positive), ANSWER)[0].item() > 0
    assert loss.judge(one(positive), ANSWER)[0].item() > 0
    assert loss.forward(one(1e30), ANSWER)[0].item() == 0
    assert not loss.forward(one(1e30), ANSWER)[1].any()


def test_float64_keeps_gradients_that_float32_loses():
    """At a margin of 20 the answer's own gradient, p - 1, is 0 in float32 and -4e-9 in float64."""
    gradients = {
        name: CrossEntropy(name).forward(one(20.0), ANSWER)[1][0, 0, 0].item() for name in ("float32", "float64")
    }
    assert gradients["float32"] == 0
    assert gradients["float64"] == pytest.approx(-2 * math.exp(-20), rel=1e-6)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("logits", [[math.nan, 0, 0], [0, 0, math.nan], [math.inf, 0, 0], [0, -math.inf, math.nan]])
def test_what_is_no_number_gives_no_loss(precision, logits):
    """Divergence must show in the loss, and never count as correct unless the answer is truly ahead."""
    loss = CrossEntropy(precision)
    broken = torch.tensor([[logits]])
    assert not np.isfinite(loss.forward(broken, ANSWER)[0].item())
    losses, correct = loss.judge(broken, ANSWER)
    assert not np.isfinite(losses.item())
    if any(math.isnan(value) for value in logits):
        assert not correct.item()


@pytest.mark.parametrize(
    ("logits", "correct"),
    [
        ([1, 0, 0], True),
        ([0, 1, 0], False),
        ([1, 1, 0], False),  # ties are wrong, whatever argmax would pick
        ([0, 0, 0], False),
        ([-1, -2, -3], True),
        ([1e-45, 0, 0], True),
        ([0, -math.inf, -math.inf], True),
        ([-math.inf, -math.inf, -math.inf], False),
    ],
)
def test_an_answer_must_be_the_single_likeliest(logits, correct):
    assert CrossEntropy("float32").judge(torch.tensor([[logits]], dtype=torch.float32), ANSWER)[1].item() is correct


@pytest.mark.parametrize("precision", ["float32", "float64"])
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 50.0]))
def test_judging(precision, seed, scale):
    """Losses of single examples as torch has them, hits as argmax, from logits that are no compact tensor."""
    logits = Workspace().get("logits", S, 7, 13, like=torch.zeros(1)).copy_(scale * normal(S, 7, 13, seed=seed))
    before = logits.clone()
    answers = torch.randint(13, (S, 7), generator=torch.Generator().manual_seed(seed))
    losses, correct = CrossEntropy(precision).judge(logits, answers)
    exact = functional.cross_entropy(logits.double().flatten(0, 1), answers.flatten(), reduction="none").view(S, 7)
    torch.testing.assert_close(losses.double(), exact, rtol=1e-5, atol=1e-6)
    assert torch.equal(correct, logits.argmax(-1) == answers)
    assert torch.equal(logits, before)


def test_a_members_loss_is_its_own():
    """The loss is a mean over a member's batch and its gradient has the others' nowhere."""
    logits, answers = normal(S, B, 13), torch.zeros(S, B, dtype=torch.int64)
    losses, gradient = (tensor.clone() for tensor in CrossEntropy("float32").forward(logits, answers))
    changed = logits.clone()
    changed[1] = torch.nan
    other_losses, other_gradient = CrossEntropy("float32").forward(changed, answers)
    assert torch.equal(losses[[0, 2]], other_losses[[0, 2]])
    assert torch.equal(gradient[[0, 2]], other_gradient[[0, 2]])
