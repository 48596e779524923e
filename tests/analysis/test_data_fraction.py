import numpy as np
import pandas as pd
import pytest
from synthetic import design, frame, member

from regrok.analysis import data_fraction, reported, speedup, steps_to_grokking

CELLS = {0.2: np.full(8, np.nan), 0.3: 1000.0 * np.arange(11, 19), 0.5: 100.0 * np.arange(22, 30)}


@pytest.fixture
def base():
    """members, designs, cells of CELLS (t4 by seed), followed to 20 000 steps; 0.3 is the reference."""
    rows = [
        member(cell=f"at {fraction}", fraction=fraction, seed=seed, t4=t4, budget=20_000)
        for fraction, times in CELLS.items()
        for seed, t4 in enumerate(times)
    ]
    designs = [design(cell=f"at {fraction}", reference=fraction == 0.3) for fraction in CELLS]
    designs.append(design(cell="other", study="operations"))
    cells = [{"flops_per_step": 1.0} | row for row in rows[::8]] + [member(cell="other") | {"flops_per_step": 1.0}]
    kept = [{column: row[column] for column in frame("cells")} for row in cells]
    return frame("members", rows), frame("designs", designs), frame("cells", kept)


def build(members, designs, cells):
    steps, ratios = steps_to_grokking.build(members), speedup.build(members, designs, cells)
    return data_fraction.build(designs, cells, steps, ratios)


def spaced(text):
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_ours_beside_the_report(base):
    table = build(*base).set_index("fraction")
    assert list(table.reset_index()) == list(data_fraction.COLUMNS)
    assert list(table.index) == [0.2, 0.3, 0.4, 0.5, 0.6]
    assert list(table["n"]) == [8, 8, 0, 8, 0]
    assert [spaced(text) for text in table["text"]] == [
        "not reached (0 of 8 by 20 000)",
        "14 500 [11 000, 18 000]",
        "–",
        "2 550 [2 200, 2 900]",
        "–",
    ]
    assert table.loc[0.5, "speedup"] == pytest.approx(14_500 / 2_550)
    assert table.loc[0.5, "speedup_low"] < 14_500 / 2_550 < table.loc[0.5, "speedup_high"]
    assert (table.loc[0.2, "speedup"], table.loc[0.2, "speedup_bound"]) == (14_500 / 20_000, "<")
    assert table.loc[0.3, "speedup_text"] == "1×"
    assert table.loc[0.5, "reported_steps"] == 2950
    assert [spaced(text) for text in table["reported_text"]] == ["no grokking", "95 420", "12 350", "2 950", "1 024"]
    assert list(table["reported_speedup_text"]) == ["–", "1×", "7.7×", "32.3×", "93.2×"]


def test_fractions_that_are_not_trained_stay(base):
    members, designs, cells = base
    designs = designs[designs["cell"] == "at 0.5"]
    table = build(members[members["fraction"] == 0.5], designs, cells).set_index("fraction")
    assert list(table["n"]) == [0, 0, 0, 8, 0]
    assert (table.drop(0.5)[["text", "speedup_text"]] == "–").all(axis=None)
    assert table["speedup"].isna().all()  # the reference is not trained


def test_a_fraction_that_the_report_lacks(base):
    members, designs, cells = base
    more = members["fraction"].replace(0.5, 0.7)
    table = build(members.assign(fraction=more), designs, cells.assign(fraction=cells["fraction"].replace(0.5, 0.7)))
    assert list(table["fraction"]) == [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert list(table.iloc[-1][["n", "reported_text", "reported_speedup_text"]]) == [8, "–", "–"]


def test_without_any_run(base):
    table = build(*(frame.iloc[:0] for frame in base))
    assert list(table["fraction"]) == [0.2, 0.3, 0.4, 0.5, 0.6]
    assert (table["n"] == 0).all()
    assert pd.api.types.is_float_dtype(table["median"])


def test_the_report_agrees_with_itself():
    table = pd.DataFrame(reported.DATA_FRACTION).T
    ratios = table.loc[0.3, "steps"] / table["steps"]
    np.testing.assert_allclose(table["speedup"].dropna(), ratios.dropna(), atol=0.051)
