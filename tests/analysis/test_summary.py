import numpy as np
import pandas as pd
import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import factors, summary

COLUMNS = {"name": ("", "who"), "steps": ("steps", "how long"), "ok": ("", "whether")}


def cut(budget, seeds=1, **changes):
    members = frame("members", [member(**{"t2": 400.0, "budget": 20_000} | changes)])
    designs = [design(study="own", budget=budget, seeds=seeds), design(study="other", budget=20_000)]
    return summary.studied(members, frame("designs", designs), "own")


@pytest.mark.parametrize(
    ("budget", "t2", "t4", "last_step", "stop_reason"),
    [
        (5000, 400.0, 3000.0, 3300, "event"),
        (3100, 400.0, 3000.0, 3100, "event"),
        (3000, 400.0, 3000.0, 3000, "event"),
        (2999, 400.0, np.nan, 2999, "budget"),
        (300, np.nan, np.nan, 300, "budget"),
    ],
)
def test_a_member_is_cut_at_the_budget_of_the_study(budget, t2, t4, last_step, stop_reason):
    row = cut(budget, t4=3000.0, last_step=3300, stop_reason="event").iloc[0]
    np.testing.assert_equal([row["t2"], row["t4"]], [t2, t4])
    assert np.isnan(row["t4_after"]) == np.isnan(row["delay"]) == np.isnan(t4)
    assert row["generalised"] == row["grokked"] == (not np.isnan(t4))
    assert (row["last_step"], row["budget"], row["stop_reason"]) == (last_step, budget, stop_reason)


@pytest.mark.parametrize(("budget", "diverged"), [(700, True), (699, False)])
def test_a_divergence_beyond_the_budget_has_not_happened(budget, diverged):
    row = cut(budget, diverged=True, last_step=700, stop_reason="diverged").iloc[0]
    assert row["diverged"] == diverged
    assert row["stop_reason"] == ("diverged" if diverged else "budget")


def test_seeds_beyond_those_asked_for_are_left_out():
    assert len(cut(5000, seeds=3, seed=2)) == 1
    assert len(cut(5000, seeds=3, seed=3)) == 0


def test_two_grids_of_a_study_ask_for_the_larger():
    designs = frame("designs", [design(budget=budget) for budget in (1000, 5000)])
    row = summary.studied(frame("members", [member(t4=3000.0)]), designs, "data_fraction").iloc[0]
    assert row["budget"] == 5000
    assert row["generalised"]


def test_changes_nothing_where_the_study_asks_for_all():
    base = base_tables()
    asked = summary.studied(base["members"], base["designs"], "operations")
    pd.testing.assert_frame_equal(asked, summary.studied(base["members"], base["designs"], "operations"))


@pytest.mark.parametrize("rows", [[], [{"name": "a", "ok": True}], [{}]])
def test_table_has_dtypes_even_without_values(rows):
    table = summary.table(rows, COLUMNS)
    assert list(table) == list(COLUMNS)
    assert table["steps"].dtype == "float64"
    assert "object" not in table.dtypes.astype(str).to_list()


def test_a_factor_that_a_cell_lacks_has_the_dtype_of_the_factor():
    columns = {"hidden": factors.COLUMNS["hidden"], "norm": factors.COLUMNS["norm"], "factor": ("", "a word")}
    for rows in ([], [{"hidden": 128, "norm": None, "factor": "a"}, {"hidden": pd.NA, "norm": "pre", "factor": "b"}]):
        table = summary.table(rows, columns)
        assert table["hidden"].dtype == "Int64"
        assert table["norm"].dtype == table["factor"].dtype == "str"


def test_waited_in_steps_and_in_epochs():
    rows = [member(seed=seed, t2=100.0 + 100 * seed, t4=t4) for seed, t4 in enumerate((1100.0, 2200.0, 1300.0))]
    members = frame("members", [*rows, member(seed=3, t2=np.nan, diverged=True, last_step=70)])
    assert summary.waited(members, "t2").value == 250  # of 100, 200, 300 and never
    median = summary.waited(members.head(3), "t4", since=members["t2"].head(3).to_numpy())
    assert (median.value, median.most) == (1000, 2000)  # of 1 000, 2 000, 1 000
    epochs = summary.in_epochs(median, 200)
    assert (epochs.value, epochs.least, epochs.most, epochs.n) == (5, 5, 10, 3)
