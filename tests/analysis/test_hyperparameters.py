import pytest
from synthetic import FACTORS, base_tables

from regrok.analysis import hyperparameters


@pytest.fixture(scope="module")
def tables():
    base = base_tables()
    return base["cells"], base["designs"]


def test_every_setting_of_every_cell(tables):
    table = hyperparameters.build(*tables)
    assert len(table) == len(tables[0])
    columns = ["cell", *FACTORS]
    assert table[columns].equals(tables[0].set_index("cell").loc[table["cell"]].reset_index()[columns])


def test_what_the_studies_ask_of_a_shared_cell(tables):
    cells, designs = tables
    designs = designs.assign(budget=designs["budget"].where(designs["study"] != "transition", 123_456))
    designs["stop"] = designs["stop"].where(designs["study"] != "transition", "budget")
    table = hyperparameters.build(cells, designs).set_index("cell")
    shared = designs.loc[designs["study"] == "transition", "cell"].item()
    row = table.loc[shared]
    studies = "data_fraction, transition, operations, optimizers, optimizer_sweep, against_transformer, sensitivity"
    studies += ", precursors"
    assert row["studies"] == studies
    assert (row["seeds"], row["budget"], row["stop"]) == (8, 123_456, "budget")


def test_leaves_out_cells_that_no_study_asks_for(tables):
    cells, designs = tables
    table = hyperparameters.build(cells, designs[designs["study"] == "architectures"])
    assert len(table) == 10
