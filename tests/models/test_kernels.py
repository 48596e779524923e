"""The compiled loops against the definitions of their kernels in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.models import attention, kernels, norm, recurrence

SIZES = st.tuples(st.integers(1, 20), st.integers(1, 40), st.integers(1, 9))
SEEDS = st.integers(0, 10**6)


def arguments(name: str, sizes: tuple[int, int, int], seed: int) -> list[torch.Tensor]:
    """Random arguments of a kernel, for one member; buffers that it only writes begin as NaN."""
    examples, width, tokens = sizes
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    def blank(*shape: int) -> torch.Tensor:
        return torch.full(shape, torch.nan)

    def ranks() -> torch.Tensor:
        """Rows of keys: the first 1 to 4 of a random order of `tokens + 3` rows."""
        found = torch.stack([torch.randperm(tokens + 3, generator=generator)[:4] for _ in range(examples)])
        return found.masked_fill(torch.arange(4) > torch.randint(4, (examples, 1), generator=generator), -1)

    rows, pairs = normal(examples, width), torch.randint(tokens, (examples, 2), generator=generator)
    answers = torch.randint(width, (examples,), generator=generator)
    spread, places = normal(examples).exp(), torch.randint(tokens, (examples,), generator=generator)
    query, key, heads = normal(tokens, 2 * width), normal(tokens + 3, 4 * width), 2
    keys = ranks()
    weights = torch.softmax(normal(examples, heads, 4).masked_fill((keys < 0).unsqueeze(1), -torch.inf), -1)
    return {
        "layer_norm": [
            rows,
            normal(width),
            normal(width),
            blank(examples, width),
            blank(examples),
            blank(examples, width),
        ],
        "layer_norm_backward": [rows, normal(width), normal(examples, width), spread, blank(width), blank(width)],
        "gelu": [3 * rows, blank(examples, width)],
        "gelu_backward": [rows, normal(examples, width)],
        "add_rows": [rows, normal(tokens, width), places],
        "scatter_rows": [rows, places, normal(tokens, width)],
        "drop": [
            rows,
            torch.rand(examples, width, generator=generator),
            torch.rand(1, generator=generator) * 0.9,
            blank(examples, width),
        ],
        "lstm_cell": [
            normal(tokens, 4 * width),
            places,
            normal(tokens, 4 * width),
            normal(tokens, width),
            places.flip(0),
            blank(examples, 4 * width),
            blank(examples, width),
            blank(examples, width),
            blank(examples, width),
        ],
        "lstm_cell_backward": [
            rows,
            normal(examples, width),
            normal(tokens, width),
            places,
            normal(examples, 4 * width).sigmoid(),
            normal(examples, width).tanh(),
            blank(examples, 4 * width),
            normal(tokens, width),
        ],
        "attend": [query, places, key, keys, blank(examples, heads, 4), blank(examples, 2 * width)],
        "attend_backward": [
            normal(examples, 2 * width),
            query,
            places,
            key,
            keys,
            weights,
            blank(tokens, 2 * width),
            blank(tokens + 3, 4 * width),
        ],
        "add_bias": [rows, normal(width)],
        "add_bias_relu": [rows, normal(width)],
        "bias_backward": [rows, blank(width)],
        "bias_relu_backward": [rows, normal(examples, width).relu(), blank(width)],
        "pairs_relu": [normal(tokens, width), normal(tokens, width), pairs, blank(examples, width)],
        "pairs_relu_backward": [
            rows,
            normal(examples, width).relu(),
            pairs,
            blank(tokens, width),
            blank(tokens, width),
        ],
        "cross_entropy": [3 * rows, answers, blank(examples, width)],
        "judge": [3 * rows, answers, blank(examples), torch.zeros(examples, dtype=torch.bool)],
    }[name]


KERNELS = {
    name: value
    for module in (kernels, attention, norm, recurrence)
    for name, value in vars(module).items()
    if isinstance(value, kernels.Kernel)
}
WRITTEN = {  # places of the arguments that a kernel writes to
    "add_bias": (0,),
    "drop": (1, 3),
    "add_bias_relu": (0,),
    "bias_backward": (1,),
    "bias_relu_backward": (0, 2),
    "pairs_relu": (3,),
    "pairs_relu_backward": (3, 4),
    "cross_entropy": (2,),
    "judge": (2, 3),
    "layer_norm": (3, 4, 5),
    "layer_norm_backward": (0, 4, 5),
    "gelu": (0, 1),
    "gelu_backward": (0,),
    "add_rows": (0,),
    "scatter_rows": (2,),
    "lstm_cell": (5, 6, 7, 8),
    "lstm_cell_backward": (6, 7),
    "attend": (4, 5),
    "attend_backward": (6, 7),
}


def written(name: str, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """What a kernel leaves in its arguments."""
    return [tensors[place] for place in WRITTEN[name]]


def in_float64(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [tensor.double() if tensor.is_floating_point() else tensor.clone() for tensor in tensors]


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=30, deadline=None)
@given(SIZES, SEEDS)
def test_a_loop_does_what_its_definition_says(name, sizes, seed):
    kernel, loop = KERNELS[name], arguments(name, sizes, seed)
    definition = in_float64(loop)
    values = kernel(*loop), kernel.definition(*definition)
    if values[0] is not None:
        assert values[0] == pytest.approx(values[1].item(), rel=1e-5, abs=1e-6)
    for ours, exact in zip(written(name, loop), written(name, definition), strict=True):
        torch.testing.assert_close(ours.to(exact.dtype), exact, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", KERNELS)
def test_a_definition_takes_a_leading_axis(name):
    """As on a device other than the CPU, where a part is the whole stack."""
    kernel, members = KERNELS[name], [arguments(name, (7, 13, 5), seed) for seed in range(3)]
    stacked = [torch.stack(tensors) for tensors in zip(*map(in_float64, members), strict=True)]
    values = kernel.definition(*stacked)
    for index, member in enumerate(members):
        value = kernel(*member)
        if value is not None:
            assert value == pytest.approx(values[index].item(), rel=1e-5)
        for ours, exact in zip(written(name, member), written(name, stacked), strict=True):
            torch.testing.assert_close(ours.to(exact.dtype), exact[index], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 5, 2), (9, 33, 7), (48, 97, 97)])
def test_the_bits_do_not_depend_on_where_a_tensor_lies(name, sizes):
    def shifted(tensor: torch.Tensor, by: int) -> torch.Tensor:
        memory = torch.empty(tensor.numel() + by, dtype=tensor.dtype)
        return memory[by:].view(tensor.shape).copy_(tensor)

    kernel, first = KERNELS[name], arguments(name, sizes, 0)
    value = kernel(*first)
    for by in range(1, 9):
        other = [shifted(tensor, by) for tensor in arguments(name, sizes, 0)]
        assert kernel(*other) == value
        for left, right in zip(written(name, first), written(name, other), strict=True):
            assert left.numpy().tobytes() == right.numpy().tobytes()


@pytest.mark.parametrize(
    "name",
    [
        "add_bias",
        "add_bias_relu",
        "bias_backward",
        "bias_relu_backward",
        "pairs_relu",
        "layer_norm",
        "layer_norm_backward",
        "gelu",
        "gelu_backward",
        "add_rows",
        "scatter_rows",
        "lstm_cell",
        "lstm_cell_backward",
    ],
)
@pytest.mark.parametrize("nan", [math.nan, -math.nan])
def test_nan_passes_through(name, nan):
    tensors = arguments(name, (9, 20, 4), 0)
    tensors[0][3] = nan
    if name == "bias_relu_backward":
        tensors[1][3] = 1.0
    if name == "pairs_relu":
        tensors[2][:] = 3
    if name == "lstm_cell":
        tensors[1][:] = 3
    KERNELS[name](*tensors)
    assert all(tensor.isnan().any() for tensor in written(name, tensors))


def test_a_loop_refuses_another_layout():
    """It would be compiled again for it, and might round differently."""
    with pytest.raises(ValueError, match="contiguous"):
        kernels.add_bias(torch.zeros(5, 8)[:, ::2], torch.zeros(4))


@pytest.mark.parametrize("nan", [math.nan, -math.nan])
@pytest.mark.parametrize("place", [0, 5, 19])
def test_nan_in_one_logit_is_nan_in_the_loss(nan, place):
    logits, answers, *buffers = arguments("cross_entropy", (9, 20, 4), 0)
    logits[4, place] = nan
    assert math.isnan(kernels.cross_entropy(logits, answers, *buffers))


def exponentials(x: np.ndarray) -> np.ndarray:
    """By way of the only kernel that shows them: the gradient of two logits, 0 and x, is e^x / (1 + e^x)."""
    gradient = torch.empty(1, 2)
    found = []
    for value in x:
        kernels.cross_entropy(torch.tensor([[0.0, value]]), torch.zeros(1, dtype=torch.int64), gradient)
        found.append(gradient[0, 1].item())
    return np.array(found)


def test_the_exponential_is_right_to_a_few_units_in_the_last_place():
    x = -np.geomspace(1e-6, 86.9, 3000).astype(np.float32)
    exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    np.testing.assert_allclose(exponentials(x), exact, rtol=4 * 2**-23)


def test_what_is_too_small_for_float32_is_zero():
    assert not exponentials(np.array([-87.5, -1e4, -1e30, -np.inf], dtype=np.float32)).any()


def test_the_lstms_nonlinearities_are_right_relative_to_their_size():
    """Gates of one unit whose input alone is x: the input gate is sigmoid(x), the candidate tanh(x)."""
    x = torch.cat([torch.logspace(-30, 2, 2000), -torch.logspace(-30, 1.9, 2000), torch.zeros(1)])
    gates, (cell, bounded, hidden) = torch.empty(len(x), 4), torch.empty(3, len(x), 1)
    rows, zero = torch.arange(len(x)), torch.zeros(len(x), dtype=torch.int64)
    recurrence.lstm_cell(
        x[:, None].expand(-1, 4).contiguous(),
        rows,
        torch.zeros(1, 4),
        torch.zeros(1, 1),
        zero,
        gates,
        cell,
        bounded,
        hidden,
    )
    torch.testing.assert_close(gates[:, 0].double(), x.double().sigmoid(), rtol=1e-6, atol=1e-37)
    torch.testing.assert_close(gates[:, 2].double(), x.double().tanh(), rtol=1e-6, atol=0)
