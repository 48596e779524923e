"""Layers and the loss against plain PyTorch in float64, one part after the other through one workspace."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from regrok.models.layers import CrossEntropy, Linear, PairEmbedding, Workspace
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
    parameters, workspace = random_parameters({"l.weight": (5, 7), "l.bias": (5,)}), Workspace()
    for member, part in enumerate(parameters.parts()):
        layer, inputs, gradient = Linear(part, "l", relu, workspace), normal(B, 7), normal(B, 5, seed=2)
        weight, bias = (value.double().requires_grad_() for value in parameters.member(member).values())
        exact_inputs = inputs.double().requires_grad_()
        exact = functional.linear(exact_inputs, weight, bias)
        exact = torch.relu(exact) if relu else exact
        exact.backward(gradient.double())
        close(layer.forward(inputs), exact.detach())
        close(layer.backward(gradient), exact_inputs.grad)
        close(parameters.gradients["l.weight"][member], weight.grad)
        close(parameters.gradients["l.bias"][member], bias.grad)


def test_gradients_are_overwritten_not_added():
    parameters = random_parameters({"l.weight": (5, 7), "l.bias": (5,)})
    layer = Linear(parameters.parts()[0], "l", False, Workspace())
    for _ in range(2):
        layer.forward(normal(B, 7))
        layer.backward(normal(B, 5, seed=2))
    close(parameters.gradients["l.bias"][0], normal(B, 5, seed=2).double().sum(0))


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
    workspace, gradient = Workspace(), normal(B, out)
    pairs = torch.randint(tokens, (S, B, 2), generator=torch.Generator().manual_seed(3))
    for member, part in enumerate(parameters.parts()):
        layer = PairEmbedding(part, "l", workspace)
        layer.fold()
        exact = {name: value.double().requires_grad_() for name, value in parameters.member(member).items()}
        x, y = pairs[member].unbind(1)
        both = torch.cat([exact["embed_x"][x], exact["embed_y"][y]], 1)
        weight = torch.cat([exact["l.weight_x"], exact["l.weight_y"]], 1)
        wanted = torch.relu(functional.linear(both, weight, exact["l.bias"]))
        wanted.backward(gradient.double())
        close(layer.forward(pairs[member]), wanted.detach())
        layer.backward(gradient.clone())
        for name, value in exact.items():
            close(parameters.gradients[name][member], value.grad)


def test_workspace():
    workspace = Workspace()
    buffer = workspace.get("a", 5, 7)
    assert buffer.shape == (5, 7)
    assert buffer is workspace.get("a", 5, 7)
    assert buffer is not workspace.get("b", 5, 7)
    assert buffer is not workspace.get("a", 7, 5)
    assert workspace.get("c", 3, dtype=torch.float64).dtype == torch.float64
    assert Workspace((4,), "meta").get("a", 5, 7).shape == (4, 5, 7)


def cross_entropy(precision: str) -> CrossEntropy:
    return CrossEntropy(precision, Workspace())


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_no_product_begins_off_a_cache_line(precision):
    """BLAS may round products of unaligned matrices differently."""
    _, gradient = cross_entropy(precision).forward(normal(7, 13), torch.zeros(7, dtype=torch.int64))
    assert gradient.is_contiguous()
    for tensor in (gradient, *(Workspace().get("a", odd, 3) for odd in (1, 3, 7, 1001))):
        assert tensor.data_ptr() % (4 * ALIGNMENT) == 0


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(B, 13), (1, 13), (8, 16), (1, 2), (40, 97)])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_cross_entropy(precision, shape, scale):
    logits = scale * normal(*shape)
    answers = torch.randint(shape[-1], shape[:1], generator=torch.Generator().manual_seed(5))
    loss, gradient = cross_entropy(precision).forward(logits.clone(), answers)
    assert gradient.dtype == torch.float32
    exact = logits.double().requires_grad_()
    wanted = functional.cross_entropy(exact, answers)
    wanted.backward()
    assert float(loss) == pytest.approx(wanted.item(), rel=1e-12 if precision == "float64" else 1e-6, abs=1e-7)
    torch.testing.assert_close(gradient.double(), exact.grad, rtol=2e-6, atol=1e-7)


def one(margin: float) -> torch.Tensor:
    """Logits of one example of three classes, the answer 0 ahead of the others by `margin`."""
    return torch.tensor([[margin, 0.0, 0.0]])


ANSWER = torch.tensor([0])


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("margin", [-1e4, -200.0, -90.0, -20.0, 0.0, 3.0, 15.0])
def test_losses_of_margins(precision, margin):
    """log(1 + 2 exp(-margin)), without overflow where the answer's probability underflows."""
    loss, gradient = cross_entropy(precision).forward(one(margin), ANSWER)
    exact = math.log1p(2 * math.exp(-margin)) if margin > -700 else -margin + math.log(2)
    absolute = 1.5e-7 if precision == "float32" else 1e-15  # a float below 1 or two
    assert float(loss) == pytest.approx(exact, rel=1e-6, abs=absolute)
    assert gradient[0].tolist() == pytest.approx(
        [-1 / (1 + math.exp(min(margin, 700)) / 2), *[1 / (2 + math.exp(min(margin, 700)))] * 2], rel=1e-5, abs=absolute
    )


@pytest.mark.parametrize(("precision", "zero", "positive"), [("float32", 20, 14), ("float64", 40, 30)])
def test_where_a_loss_is_exactly_zero(precision, zero, positive):
    """Where 1 + 2 exp(-margin) rounds to 1; training and evaluation agree to a rounding."""
    loss = cross_entropy(precision)
    assert loss.forward(one(zero), ANSWER)[0] == loss.judge(one(zero), ANSWER)[0] == 0
    assert loss.forward(one(positive), ANSWER)[0] > 0
    assert loss.judge(one(positive), ANSWER)[0] > 0
    assert loss.forward(one(1e30), ANSWER)[0] == 0
    assert not loss.forward(one(1e30), ANSWER)[1].any()


def test_float64_keeps_gradients_that_float32_loses():
    """At a margin of 20 the answer's own gradient, p - 1, is 0 in float32 and -4e-9 in float64."""
    gradients = {
        name: cross_entropy(name).forward(one(20.0), ANSWER)[1][0, 0].item() for name in ("float32", "float64")
    }
    assert gradients["float32"] == 0
    assert gradients["float64"] == pytest.approx(-2 * math.exp(-20), rel=1e-6)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    "logits",
    [
        [math.nan, 0, 0],
        [0, 0, math.nan],
        [9, 0, math.nan],
        [9, -math.nan, 0],
        [math.inf, 0, 0],
        [0, -math.inf, math.nan],
    ],
)
def test_what_is_no_number_gives_no_loss(precision, logits):
    """Divergence must show in the loss, and never count as correct unless the answer is truly ahead."""
    loss = cross_entropy(precision)
    broken = torch.tensor([logits])
    assert not math.isfinite(loss.forward(broken, ANSWER)[0])
    losses, correct = loss.judge(broken, ANSWER)
    assert not math.isfinite(losses.item())
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
    assert cross_entropy("float32").judge(torch.tensor([logits], dtype=torch.float32), ANSWER)[1].item() is correct


@pytest.mark.parametrize("precision", ["float32", "float64"])
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 50.0]))
def test_judging(precision, seed, scale):
    """Losses of single examples as torch has them, hits as argmax; the logits stay."""
    logits = scale * normal(7, 13, seed=seed)
    before = logits.clone()
    answers = torch.randint(13, (7,), generator=torch.Generator().manual_seed(seed))
    losses, correct = cross_entropy(precision).judge(logits, answers)
    assert losses.dtype == getattr(torch, precision)
    exact = functional.cross_entropy(logits.double(), answers, reduction="none")
    torch.testing.assert_close(losses.double(), exact, rtol=1e-5, atol=1e-6)
    assert torch.equal(correct, logits.argmax(-1) == answers)
    assert torch.equal(logits, before)
