"""The flat buffers: every member's every parameter on its own cache lines, nobody else's business."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import VARIANTS, tiny

from regrok.models.parameters import ALIGNMENT, Parameters, aligned
from regrok.training.stack import Stack

SHAPES = {"a": (3, 5), "b": (7,), "c": (16,), "d": (2, 3, 4)}
BYTES = 4 * ALIGNMENT


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_aligned(size):
    assert aligned(size) % ALIGNMENT == 0
    assert size <= aligned(size) < size + ALIGNMENT


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.text("abcd", min_size=1), st.lists(st.integers(1, 9), max_size=3).map(tuple), min_size=1),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_every_member_of_every_parameter_begins_on_a_cache_line(shapes, members, random):
    names = {name for name in shapes if random.random() < 0.5}
    parameters = Parameters(shapes, names, members)
    for views, buffers in (
        (parameters.values, parameters.buffers),
        (parameters.gradients, parameters.gradient_buffers),
    ):
        for name, view in views.items():
            buffer = buffers[name not in names]
            assert view.shape == (members, *shapes[name])
            for row, part in enumerate(view):
                offset = part.data_ptr() - buffer[row].data_ptr()
                assert part.data_ptr() % BYTES == 0
                assert 0 <= offset <= 4 * (buffer.shape[1] - math.prod(shapes[name]))
                assert part.is_contiguous()


def filled(members: int, decayed: frozenset = frozenset("ab")) -> Parameters:
    parameters = Parameters(SHAPES, set(decayed), members)
    for row in range(members):
        parameters.load(
            row, {name: torch.full(shape, 10.0 * row + i) for i, (name, shape) in enumerate(SHAPES.items())}
        )
    return parameters


def test_no_two_parameters_share_memory():
    """Every view holds what was loaded into it after all the others were loaded."""
    parameters = filled(3)
    for row in range(3):
        for i, value in enumerate(parameters.member(row).values()):
            assert torch.equal(value, torch.full_like(value, 10.0 * row + i))


def test_loading_a_member_leaves_the_others_alone():
    parameters = filled(3)
    before = [buffer.clone() for buffer in parameters.buffers]
    parameters.load(1, {name: torch.full(shape, -1.0) for name, shape in SHAPES.items()})
    for buffer, old in zip(parameters.buffers, before, strict=True):
        assert torch.equal(buffer[[0, 2]], old[[0, 2]])
        assert not torch.equal(buffer[1], old[1])
    assert not any(gradient.any() for gradient in parameters.gradient_buffers)


def test_a_member_is_a_copy():
    parameters = filled(1)
    copy = parameters.member(0)
    parameters.buffers[0].fill_(9)
    assert copy["a"].eq(0).all()


def test_rows_are_laid_out_alike_whatever_the_stack():
    for small, large in zip(filled(1).buffers, filled(4).buffers, strict=True):
        assert torch.equal(small[0], large[0])


def test_all_or_nothing_decayed():
    for decayed, widths in ((frozenset(SHAPES), (80, 0)), (frozenset(), (0, 80)), (frozenset("d"), (32, 48))):
        assert tuple(buffer.shape[1] for buffer in filled(2, decayed).buffers) == widths


def test_norms():
    """Row 1: 15 elements of 10, 7 of 11, 16 of 12, 24 of 13; the padding is 0."""
    norms = filled(2).norms()
    assert norms.dtype == torch.float64
    squares = [7 * 1 + 16 * 4 + 24 * 9, 15 * 100 + 7 * 121 + 16 * 144 + 24 * 169]
    assert norms.tolist() == pytest.approx([math.sqrt(square) for square in squares], rel=1e-12)


@pytest.mark.parametrize("variant", ["odd sizes", "embeddings spared", "sgd, biases spared", "float64 loss, odd sizes"])
def test_padding_stays_zero_in_training(variant):
    """Or it would count in the norm and in the checkpoint."""
    stack = Stack(tiny(VARIANTS[variant]), [0, 1])
    for _ in range(30):
        stack.advance()
    used = sum(value.double().square().flatten(1).sum(1) for value in stack.parameters.values.values())
    assert stack.parameters.norms().tolist() == pytest.approx(used.sqrt().tolist(), rel=1e-14)
    for buffers in (stack.parameters.buffers, stack.parameters.gradient_buffers):
        filled_in = sum(int((buffer != 0).sum()) for buffer in buffers)
        assert filled_in <= 2 * stack.cell.parameters
