import numpy as np
import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import operations


def test_a_row_a_cell_with_median_and_censoring():
    members = [
        *(member(cell="add", operation="add", seed=i, t4=float(t4)) for i, t4 in enumerate((3000, 1000, 2000))),
        *(member(cell="sub", operation="subtract", fraction=0.3, seed=i) for i in range(2)),
        member(cell="other"),
    ]
    designs = [design(study="operations", cell=cell) for cell in ("sub", "add", "add")] + [design(cell="other")]
    table = operations.build(frame("members", members), frame("designs", designs))
    assert list(table["cell"]) == ["add", "sub"]
    assert list(table["symmetric"]) == [True, False]
    assert list(table["median"]) == [2000, np.inf]
    assert list(table["events"]) == [3, 0]
    assert table["text"][1].startswith("not reached")


@pytest.fixture(scope="module")
def table():
    base = base_tables()
    return operations.build(base["members"], base["designs"])


def test_has_every_operation_pairs_and_fraction_in_order(table):
    assert len(table) == 4 * 2 * 8
    assert list(table["operation"].unique()) == ["add", "subtract", "multiply", "divide"]
    assert not table.duplicated(["operation", "pairs", "fraction"]).any()
    for _, group in table.groupby(["operation", "pairs"]):
        assert group["fraction"].is_monotonic_increasing


def test_interval_holds_the_median(table):
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert np.isinf(table.loc[table["fraction"] <= 0.25, "median"]).all()
