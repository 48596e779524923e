"""The Transformer: its plain form by the book, its stacked form against the plain one, its parameters and FLOPs."""

import pytest
import torch
from forms import assert_one_function, forward_products
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from regrok.cell import Transformer as Settings
from regrok.models import transformer
from regrok.models.sequence import Prefixes
from regrok.models.transformer import Block, Transformer, rows, unfold

SETTINGS = st.builds(
    lambda each, heads, **rest: Settings(architecture="transformer", width=each * heads, heads=heads, **rest),
    each=st.integers(1, 8),
    heads=st.integers(1, 4),
    layers=st.integers(1, 3),
    norm=st.sampled_from(["pre", "post"]),
    dropout=st.sampled_from([0.0, 0.1, 0.5]),
)
REPORT_001 = Settings(architecture="transformer", width=128, layers=2, heads=4, norm="post", dropout=0.0)


def plain(model: Settings, tokens: int, seed: int, terms: int = 2) -> Transformer:
    return Transformer(model, tokens, tokens, torch.Generator().manual_seed(seed), terms)


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4), st.integers(1, 3), st.integers(1, 30), st.booleans())
def test_both_forms_are_one_function(model, tokens, terms, members, examples, dropout):
    """Though one runs all positions of all examples and the other each prefix once, unless dropout tells them apart.
    Tokens may repeat or be missing."""
    plains = [plain(model, tokens, seed, terms) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    for each in plains:
        for value in each.parameters():  # norms and biases too, which begin at 0 and 1
            value.data += 0.1 * torch.randn(value.shape, generator=generator)
    operands = torch.randint(tokens, (members, examples, terms), generator=generator)
    gradient = torch.randn(members, examples, tokens + 2, generator=generator)
    tolerances = {"logits": (1e-3, 1e-3), "gradients": (2e-3, 1e-3)}
    assert_one_function(transformer, model, plains, operands, gradient, dropout, **tolerances)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_block_is_pytorchs(norm):
    """The same weights in nn.TransformerEncoderLayer under a causal mask."""
    torch.manual_seed(0)
    block = Block(Settings(architecture="transformer", width=12, layers=1, heads=3, norm=norm, dropout=0.0))
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
    hidden = torch.randn(5, 4, 12)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
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
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4))
def test_counting_parameters(model, tokens, terms):
    module = plain(model, tokens, 0, terms)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, tokens, terms) == count
    assert sum(part.numel() for part in unfold(module).values()) == count
    storages = {part.untyped_storage().data_ptr() for part in unfold(module).values()}
    assert storages == {part.untyped_storage().data_ptr() for part in module.parameters()}


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("terms", [2, 3])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_flops_are_those_of_the_products(layers, terms, dropout, monkeypatch):
    """Counted at work: every product of the stacked forward pass but attention's own."""
    model = REPORT_001.model_copy(update={"layers": layers, "width": 12, "dropout": dropout})
    counted = forward_products(transformer, model, plain(model, 7, 0, terms), terms, monkeypatch)
    assert counted == model.forward_flops(tokens=7, classes=7, examples=9, terms=terms, training=True)


def test_heads_divide_the_width():
    with pytest.raises(ValueError, match="heads must divide the width, and 3 does not divide 16"):
        Settings(architecture="transformer", width=16, layers=1, heads=3, norm="pre", dropout=0.0)


def test_rows_by_hand():
    """Two residues, one pair (1, 0), three blocks."""
    first, middle, last = rows(Prefixes(torch.tensor([[1, 0]]), 2, shared=True), 3)
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


def test_rows_of_three_terms_apart_by_hand():
    """Two residues, examples 1 + 0 + 1 and 0 + 0 + 1, no prefix shared, two blocks."""
    first, last = rows(Prefixes(torch.tensor([[1, 0, 1], [0, 0, 1]]), 2, shared=False), 2)
    assert first.sources.tolist() == [1, 0, 2, 2, 3, 3, 5, 5, 7, 7, 8, 8]
    assert first.keys[-2:].tolist() == [[1, 2, 3, 5, 7, 8], [0, 2, 3, 5, 7, 8]]
    assert first.keys[2].tolist() == [1, 2, -1, -1, -1, -1]
    assert last.keys.tolist() == [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11]]
    assert (last.sources.tolist(), last.queries.tolist(), last.first_query) == ([10, 11], [0, 1], 10)
