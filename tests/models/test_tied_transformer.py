"""The Transformer that is read out by its embeddings: its two forms, its logits by the formula, its parameters."""

import pytest
import torch
from forms import assert_one_function, forward_products
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.cell import TiedTransformer as Settings
from regrok.models import tied_transformer
from regrok.models.tied_transformer import TiedTransformer, unfold

SETTINGS = st.builds(
    lambda each, heads, **rest: Settings(architecture="tied_transformer", width=each * heads, heads=heads, **rest),
    each=st.integers(1, 8),
    heads=st.integers(1, 4),
    layers=st.integers(1, 3),
    norm=st.sampled_from(["pre", "post"]),
    dropout=st.sampled_from([0.0, 0.1, 0.5]),
    embedding_std=st.floats(0.05, 1),
)
SMALL = Settings(
    architecture="tied_transformer", width=12, layers=2, heads=3, norm="post", dropout=0.0, embedding_std=0.5
)


def plain(model: Settings, tokens: int, seed: int, terms: int = 2) -> TiedTransformer:
    return TiedTransformer(model, tokens, tokens, torch.Generator().manual_seed(seed), terms)


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4), st.integers(1, 3), st.integers(1, 30), st.booleans())
def test_both_forms_are_one_function(model, tokens, terms, members, examples, dropout):
    """A residue's embedding takes gradients from wherever it stands and from the logits; those of the operator and "="
    from their positions alone."""
    plains = [plain(model, tokens, seed, terms) for seed in range(members)]
    generator = torch.Generator().manual_seed(9)
    for each in plains:
        for value in each.parameters():  # norms and biases too, which begin at 0 and 1
            value.data += 0.1 * torch.randn(value.shape, generator=generator)
    operands = torch.randint(tokens, (members, examples, terms), generator=generator)
    gradient = torch.randn(members, examples, tokens, generator=generator)
    tolerances = {"logits": (1e-3, 1e-3), "gradients": (2e-3, 1e-3)}
    assert_one_function(tied_transformer, model, plains, operands, gradient, dropout, **tolerances)


def test_logits_are_products_with_the_embeddings_of_residues():
    """h(s1 ... s4)^T e(x), Notsawo et al. 2023, section 2.2."""
    model = plain(SMALL, 5, 0).double()
    operands = torch.tensor([[1, 2], [4, 0]])
    hidden = model.embedding(operands)
    for block in model.blocks:
        hidden = block(hidden)
    for logits, last in zip(model(operands), hidden[:, -1], strict=True):
        wanted = [(last * model.embedding.token.weight[x]).sum().item() for x in range(5)]
        assert logits.tolist() == pytest.approx(wanted, rel=1e-12)


def test_embeddings_begin_with_the_set_deviation_and_the_rest_as_in_a_transformer():
    model, wide = (plain(SMALL.model_copy(update={"embedding_std": std}), 500, 0) for std in (0.1, 1.0))
    assert model.embedding.token.weight.std().item() == pytest.approx(0.1, rel=0.03)
    for (name, value), other in zip(model.named_parameters(), wide.parameters(), strict=True):
        scale = 0.1 if "embedding" in name else 1
        torch.testing.assert_close(value, scale * other, msg=name)


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.integers(2, 12), st.integers(2, 4))
def test_counting_parameters(model, tokens, terms):
    module = plain(model, tokens, 0, terms)
    count = sum(part.numel() for part in module.parameters())
    assert model.parameters(tokens, tokens, terms) == count
    assert sum(part.numel() for part in unfold(module).values()) == count
    assert not any("readout" in name for name in unfold(module))


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("terms", [2, 3])
def test_flops_are_those_of_the_products(terms, dropout, monkeypatch):
    """Counted at work: every product of the stacked forward pass but attention's own."""
    model = SMALL.model_copy(update={"dropout": dropout})
    counted = forward_products(tied_transformer, model, plain(model, 7, 0, terms), terms, monkeypatch)
    assert counted == model.forward_flops(tokens=7, classes=7, examples=9, terms=terms, training=True)
