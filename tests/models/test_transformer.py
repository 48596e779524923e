"""The Transformer: its plain form by the book, its stacked form against the plain one, its parameters and FLOPs."""

import pytest
import torch
from forms import assert_one_function
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from regrok.cell import Transformer as Settings
from regrok.models import transformer
from regrok.models.layers import Workspace
from regrok.models.parameters import Parameters
from regrok.models.sequence import POSITIONS
from regrok.models.transformer import Block, Stacked, Transformer, rows, unfold

SETTINGS = st.builds(
    lambda each, heads, **rest: Settings(architecture="transformer", width=each * heads, heads=heads, **rest),
    each=st.integers(1, 8),
    heads=st.integers(1, 4),
    layers=st.integers(1, 3),
    norm=st.sampled_from(["pre", "post"]),
)
REPORT_001 = Settings(architecture="transformer", width=128, layers=2, heads=4, norm="post")


def plain(model: Settings, tokens: int, seed: int) -> Transformer:
    return Transformer(model, tokens, tokens, torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(1, 3), st.integers(1, 30))
def test_both_forms_are_one_function(model, tokens, members, examples):
    """Though one runs all positions of all examples and the other each prefix once. Tokens may repeat or be missing."""
    plains = [plain(model, tokens, seed) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    for each in plains:
        for value in each.parameters():  # norms and biases too, which begin at 0 and 1
            value.data += 0.1 * torch.randn(value.shape, generator=generator)
    pairs = torch.randint(tokens, (members, examples, 2), generator=generator)
    gradient = torch.randn(members, examples, tokens + 2, generator=generator)
    assert_one_function(transformer, model, plains, pairs, gradient, logits=(1e-3, 1e-3), gradients=(2e-3, 1e-3))


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_block_is_pytorchs(norm):
    """The same weights in nn.TransformerEncoderLayer under a causal mask."""
    torch.manual_seed(0)
    block = Block(Settings(architecture="transformer", width=12, layers=1, heads=3, norm=norm))
    theirs = nn.TransformerEncoderLayer(12, 3, 48, 0.0, "gelu", batch_first=True, norm_first=norm == "pre")
    pairs = {
        "self_attn.in_proj_": block.attend,
        "self_attn.out_proj.": block.project,
        "linear1.": block.expand,
        "linear2.": block.contract,
        "norm1.": block.attend_norm,
        "norm2.": block.expand_norm,
    }
    for module in pairs.values():
        for value in module.parameters():
            nn.init.normal_(value)
    theirs.load_state_dict(
        {f"{prefix}{part}": getattr(module, part) for prefix, module in pairs.items() for part in ("weight", "bias")}
    )
    hidden = torch.randn(5, POSITIONS, 12)
    mask = nn.Transformer.generate_square_subsequent_mask(POSITIONS)
    torch.testing.assert_close(block(hidden), theirs(hidden, mask, is_causal=True), rtol=1e-4, atol=1e-4)


def test_the_sequence_is_x_operator_y_equals():
    """Only x, y and their order matter; the operator and "=" have embeddings of their own."""
    model = plain(REPORT_001.model_copy(update={"width": 8}), 5, 0).double()
    logits = model(torch.tensor([[1, 2], [2, 1], [1, 2]]))
    assert torch.equal(logits[0], logits[2])
    assert not torch.allclose(logits[0], logits[1])
    for token in (1, 2, 5, 6):
        changed = plain(REPORT_001.model_copy(update={"width": 8}), 5, 0).double()
        changed.embedding.token.weight.data[token] += 1
        assert not torch.allclose(changed(torch.tensor([[1, 2]]))[0], logits[0]), token
    changed.load_state_dict(model.state_dict())
    changed.embedding.token.weight.data[[0, 3, 4]] += 1
    assert torch.equal(changed(torch.tensor([[1, 2]]))[0], model(torch.tensor([[1, 2]]))[0])


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12))
def test_counting_parameters(model, tokens):
    module = plain(model, tokens, 0)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, tokens) == count
    assert sum(part.numel() for part in unfold(module).values()) == count
    storages = {part.untyped_storage().data_ptr() for part in unfold(module).values()}
    assert storages == {part.untyped_storage().data_ptr() for part in module.parameters()}


def test_flops_are_those_of_the_products(monkeypatch):
    """Counted at work: every product of the stacked forward pass but attention's own."""
    counted = []
    matmul = torch.matmul

    def counting(left, right, out):
        counted.append(2 * left.shape[-2] * left.shape[-1] * right.shape[-1])
        return matmul(left, right, out=out)

    for layers in (1, 2, 3):
        model = REPORT_001.model_copy(update={"layers": layers, "width": 12})
        module = plain(model, 7, 0)
        shapes = {name: tuple(value.shape) for name, value in unfold(module).items()}
        (part,) = Parameters(shapes, set(shapes), 1).parts()
        stacked = Stacked(model, part, Workspace())
        stacked.prepare()
        with monkeypatch.context() as patch:
            patch.setattr("torch.matmul", counting)
            stacked.forward(torch.zeros(9, 2, dtype=torch.int64))
        assert sum(counted) == model.forward_flops(tokens=7, classes=7, examples=9)
        counted.clear()


def test_heads_divide_the_width():
    with pytest.raises(ValueError, match="heads must divide the width, and 3 does not divide 16"):
        Settings(architecture="transformer", width=16, layers=1, heads=3, norm="pre")


def test_rows_by_hand():
    """Two residues, one pair (1, 0), three blocks."""
    first, middle, last = rows(torch.tensor([[1, 0]]), 2, 3)
    assert first.keys.tolist() == [
        [0, -1, -1, -1],
        [1, -1, -1, -1],
        [0, 2, -1, -1],
        [1, 2, -1, -1],
        [1, 2, 3, -1],  # y = 0 stands at row 3 of the table
        [1, 2, 3, 5],
    ]
    assert first.sources.tolist() == [0, 1, 2, 2, 3, 5]
    assert middle.keys.tolist() == [
        [0, -1, -1, -1],
        [1, -1, -1, -1],
        [0, 2, -1, -1],
        [1, 3, -1, -1],
        [1, 3, 4, -1],
        [1, 3, 4, 5],
    ]
    assert middle.sources.tolist() == list(range(6))
    assert last.keys.tolist() == [[1, 3, 4, 5]]
    assert (last.sources.tolist(), last.queries.tolist(), last.first_query) == ([5], [0], 5)
