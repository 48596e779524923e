import numpy as np
import pandas as pd
import pytest
from synthetic import base_tables

from regrok.analysis import model_sizes

# tokens: 41 residues, the operator, "="; 4 positions; outputs: all tokens
BLOCK = 12 * 128**2 + 13 * 128  # projections 4 d^2 + 4 d, network 8 d^2 + 5 d, two normalisations 4 d
TRANSFORMER = 2 * BLOCK + 129 * 43
RESIDUAL = 2 * (513 * 128 + 129 * 512 + 2 * 512) + 513 * 43
LSTM = {hidden: 4 * hidden * (128 + 3 * hidden + 4) + (hidden + 1) * 43 for hidden in (128, 512)}


@pytest.fixture(scope="module")
def table():
    base = base_tables(seeds=1, scale="cluster")
    return model_sizes.build(base["cells"], base["designs"])


@pytest.mark.parametrize(
    ("which", "embeddings", "others"),
    [
        ("architecture == 'transformer' and modulus == 41 and terms == 2", 47 * 128, TRANSFORMER),
        ("architecture == 'transformer' and terms == 4", 51 * 128, TRANSFORMER),
        ("architecture == 'transformer' and modulus == 97", 103 * 128, TRANSFORMER + 129 * 56),
        ("positions == 'flatten'", 47 * 128, RESIDUAL),
        ("architecture == 'lstm' and hidden == 128", 47 * 128, LSTM[128]),
        ("architecture == 'lstm' and hidden == 512", 47 * 128, LSTM[512]),
        ("architecture == 'mlp'", 2 * 97 * 80, 161 * 128 + 129 * 128 + 129 * 97),
    ],
)
def test_parameters_by_hand(table, which, embeddings, others):
    row = table.query(which).squeeze()
    assert row["non_embedding"] == others
    assert row["n_parameters"] == embeddings + others


@pytest.mark.parametrize(
    ("model", "embeddings"),
    [
        ({"architecture": "mlp", "modulus": 53, "embedding": 128}, 2 * 53 * 128),
        ({"architecture": "shared_mlp", "modulus": 53, "embedding": 128}, 53 * 128),
        ({"architecture": "tied_transformer", "modulus": 97, "terms": 2, "width": 128}, 103 * 128),
    ],
)
def test_embeddings_by_hand(model, embeddings):
    assert model_sizes.embeddings(pd.Series(model)) == embeddings


def test_what_the_reports_say(table):
    stated = table.set_index(["architecture", "modulus", "terms"])
    perceptron, transformer = (stated.loc[(name, 97, 2)].squeeze() for name in ("mlp", "transformer"))
    assert perceptron["reported_parameters"] == 65_000
    assert perceptron["n_parameters"] == pytest.approx(65_000, rel=0.01)
    assert np.isnan(transformer["reported_parameters"])
    assert transformer["non_embedding"] == pytest.approx(transformer["reported_non_embedding"], rel=0.03)
    assert "several millions" in transformer["reported"]
    others = table[table["modulus"] == 41]
    assert (others["reported"] == "").all()
    assert others[["reported_parameters", "reported_non_embedding"]].isna().all(axis=None)


def test_a_row_a_model(table):
    assert len(table) == 19
    assert not table.duplicated(model_sizes.SIZES).any()
    studies = table.set_index("cell")["studies"]
    assert "against_transformer, large_modulus" in set(studies)


def test_floating_point_operations_are_those_of_the_named_cell(table):
    cells = base_tables(seeds=1, scale="cluster")["cells"].set_index("cell")
    named = cells.loc[table["cell"]]
    assert list(named["flops_per_step"]) == list(table["flops_per_step"])
    assert set(named.loc[(named["modulus"] == 41).to_numpy(), "dropout"]) == {0}
