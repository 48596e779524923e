import numpy as np
import pandas as pd
import pytest
from regrok.analysis import data_fraction, reported, speedup, steps_to_grokking
from synthetic import base_tables


def build(members, designs, cells):
    steps, ratios = steps_to_grokking.build(members), speedup.build(members, designs, cells)
    return data_fraction.build(designs, cells, steps, ratios)


@pytest.fixture
def base():
    tables = base_tables()
    return tables["members"], tables["designs"], tables["cells"]


def spaced(text):
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_ours_beside_the_report(base):
    table = build(*base).set_index("fraction")
    assert list(table.index) == [0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7]
    assert list(table.reset_index()) == list(data_fraction.COLUMNS)
    assert (table["n"] == 8).all()
    assert spaced(table.loc[0.2, "text"]) == "not reached (0 of 8 by 500 000)"
    assert table.loc[0.2, "speedup_bound"] == "<"
    members = base[0].set_index("cell")
    medians = {fraction: members.loc[table.loc[fraction, "cell"], "t4"].median() for fraction in (0.3, 0.5)}
    assert table.loc[0.5, "median"] == medians[0.5]
    assert table.loc[0.5, "speedup"] == pytest.approx(medians[0.3] / medians[0.5])
    assert table.loc[0.5, "speedup_low"] < table.loc[0.5, "speedup"] < table.loc[0.5, "speedup_high"]
    assert table.loc[0.5, "reported_steps"] == 2950
    assert [spaced(text) for text in table["reported_text"]][:5] == ["no grokking", "–", "95 420", "–", "12 350"]
    assert list(table["reported_speedup_text"])[4:7] == ["7.7×", "32.3×", "93.2×"]


def test_fractions_of_the_report_that_are_not_trained_stay(base):
    members, designs, cells = base
    kept = cells.loc[cells["fraction"].isin([0.5, 0.7]), "cell"]
    designs = designs[designs["cell"].isin(kept)]
    table = build(members[members["cell"].isin(kept)], designs, cells).set_index("fraction")
    assert list(table.index) == [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert list(table["n"]) == [0, 0, 0, 8, 0, 8]
    assert (table.loc[[0.2, 0.3, 0.4, 0.6], ["text", "speedup_text"]] == "–").all(axis=None)
    assert table["speedup"].isna().all()  # the reference is not trained


def test_without_any_run(base):
    table = build(*(frame.iloc[:0] for frame in base))
    assert list(table["fraction"]) == [0.2, 0.3, 0.4, 0.5, 0.6]
    assert (table["n"] == 0).all()
    assert pd.api.types.is_float_dtype(table["median"])


def test_the_report_agrees_with_itself():
    table = pd.DataFrame(reported.DATA_FRACTION).T
    ratios = table.loc[0.3, "steps"] / table["steps"]
    np.testing.assert_allclose(table["speedup"].dropna(), ratios.dropna(), atol=0.051)
