import numpy as np
import pandas as pd
import pytest
from synthetic import DTYPES, base_tables, design, frame, member

from regrok.analysis import cost


def histories(*counts):
    """(cell, seed, evaluations) -> as many empty rows."""
    rows = [{"cell": cell, "seed": seed, "step": i} for cell, seed, n in counts for i in range(n)]
    table = pd.DataFrame(rows).reindex(columns=list(DTYPES["histories"]))
    return table.astype(DTYPES["histories"])


@pytest.fixture
def table():
    run = {"cpu_seconds": 1800.0, "evaluation_cpu_seconds": 180.0, "overhead_cpu_seconds": 90.0, "wall_seconds": 3600.0}
    members = [
        member(cell="shared", seed=0, last_step=1000, flops=1e6, **run),
        member(cell="shared", seed=1, last_step=2000, flops=2e6, **run),
        member(cell="own", seed=0, last_step=4000, flops=4e6, **run | {"evaluation_cpu_seconds": 900.0}),
        member(cell="orphan", seed=0, last_step=9000, flops=9e6, **run),
    ]
    designs = [
        design(study="first", cell="shared"),
        design(study="second", cell="shared"),
        design(study="second", cell="own"),
        design(study="second", cell="own"),  # two grids of a study may meet in a cell
        design(study="second", cell="not trained"),
    ]
    evaluations = histories(("shared", 0, 10), ("shared", 1, 20), ("own", 0, 200))
    return cost.build(frame("members", members), frame("designs", designs), evaluations).set_index("study")


def test_a_shared_cell_counts_in_the_first_study_that_asks_for_it(table):
    assert list(table.index) == ["first", "second", "total"]
    assert table["asked"].to_list() == [1, 3, 3]
    assert table["cells"].to_list() == [1, 1, 2]
    assert table["members"].to_list() == [2, 1, 3]
    assert table["member_steps"].to_list() == [3000, 4000, 7000]
    assert table["flops"].to_list() == [3e6, 4e6, 7e6]
    assert table["cpu_hours"].to_list() == [1.0, 0.5, 1.5]
    assert table["wall_hours"].to_list() == [2.0, 1.0, 3.0]


def test_evaluation_is_counted_and_its_share_is_of_the_cpu_time(table):
    assert table["evaluations"].to_list() == [30, 200, 230]
    assert table["evaluation_share"].to_list() == pytest.approx([0.1, 0.5, 1260 / 5400])
    assert table["overhead_share"].to_list() == pytest.approx([0.05, 0.05, 0.05])


@pytest.mark.parametrize("empty", [True, False])
def test_the_total_is_the_sum_of_its_studies(empty):
    base = base_tables(empty=empty)
    table = cost.build(**{name: base[name] for name in cost.INPUTS}).set_index("study")
    sums = [name for name in table if name not in ("asked", "evaluation_share", "overhead_share")]
    np.testing.assert_allclose(table.loc["total", sums].astype(float), table[sums].drop("total").sum())
    assert table.loc["total", "members"] == len(base["members"])
    assert table.loc["total", "cells"] == len(base["cells"])
    assert table.loc["transition", "cells"] == 0  # data_fraction has asked for it already
