import numpy as np
import pandas as pd
import pytest
from synthetic import design, frame, member

from regrok.analysis import speedup

nan, inf = np.nan, np.inf


def tables(**cells):
    """name -> (factors, t4 by seed, whether it is a reference of the study); all tables that `build` reads."""
    members, designs, settings = [], [], []
    for name, (factors, times, reference) in cells.items():
        rows = [member(cell=name, seed=seed, t4=float(t4), **factors) for seed, t4 in enumerate(times)]
        members += rows
        designs.append(design(cell=name, reference=reference))
        settings.append(member(cell=name, **factors) | {"flops_per_step": 1.0})
    cells = frame("cells")
    return (
        frame("members", members),
        frame("designs", designs),
        frame("cells", [{column: row[column] for column in cells} for row in settings]),
    )


def at(fraction, **others):
    return {"fraction": fraction} | others


def test_ratios_to_the_reference():
    six = np.array([1000, 1100, 1200, 1300, 1400, 1500])
    table = speedup.build(
        *tables(low=(at(0.2), 6 * [nan], False), base=(at(0.3), 4 * six, True), high=(at(0.6), six, False))
    ).set_index("cell")
    assert tuple(table.loc["high", ["ratio", "low", "high", "bound"]]) == (4, 4, 4, "")
    assert table.loc["high", "text"].replace("\u00a0", " ") == "4.0× [4.0, 4.0]"
    assert tuple(table.loc["low", ["ratio", "bound", "events", "reference_events"]]) == (0.5, "<", 0, 6)
    assert (table.loc["base", "ratio"], table.loc["base", "text"]) == (1, "1×")
    assert set(table["reference"]) == {"base"}
    assert list(table["fraction"]) == [0.2, 0.3, 0.6]


def test_of_several_references_the_one_that_differs_least():
    times = [1000, 2000]
    table = speedup.build(
        *tables(
            add=(at(0.3, operation="add"), times, True),
            divide=(at(0.3), [4000, 6000], True),
            add_more=(at(0.5, operation="add"), times, False),
            divide_more=(at(0.5), times, False),
        )
    ).set_index("cell")
    assert dict(table["reference"]) == {"add": "add", "divide": "divide", "add_more": "add", "divide_more": "divide"}
    assert table.loc["add_more", "ratio"] == 1
    assert table.loc["divide_more", "ratio"] == pytest.approx(5000 / 1500)


def test_cells_without_members_have_no_ratio():
    members, designs, cells = tables(base=(at(0.3), [4000], True), high=(at(0.6), [1000], False))
    for left in ("base", "high", "neither"):
        table = speedup.build(members[members["cell"] == left], designs, cells).set_index("cell")
        assert np.isnan(table.loc["high", "ratio"])
        assert table.loc["high", "text"] == "–"
        assert table.loc["base", "ratio"] == 1


def test_cells_that_nobody_describes_are_left_out():
    members, designs, cells = tables(base=(at(0.3), [4000], True), high=(at(0.6), [1000], False))
    assert list(speedup.build(members, designs, cells[cells["cell"] == "base"])["cell"]) == ["base"]
    assert speedup.build(members.iloc[:0], designs, cells.iloc[:0]).empty


def test_only_studies_with_a_reference_at_this_scale():
    members, designs, cells = tables(base=(at(0.3), [4000], True), high=(at(0.6), [1000], False))
    other = designs.assign(study="operations", reference=False)
    table = speedup.build(members, pd.concat([designs, other]), cells)
    assert list(table) == list(speedup.COLUMNS)
    assert list(table["study"]) == ["data_fraction", "data_fraction"]
    empty = speedup.build(members, other, cells)
    assert empty.empty
    assert pd.api.types.is_float_dtype(empty["ratio"])
