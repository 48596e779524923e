"""The atlas of operations: the least fraction that is needed."""

import numpy as np
from handmade import NEVER, group, tables

from regrok.analysis import atlas

SQUARES = {"operation": "x ** 2 + y ** 2", "symbol": "x² + y²", "symmetric": True}


def test_the_least_fraction_that_is_needed():
    made = tables(
        group("atlas", [NEVER] * 4, "low", fraction=0.3, **SQUARES),
        group("atlas", [3000.0, 2000.0, NEVER, NEVER], "middle", fraction=0.5, **SQUARES),
        group("atlas", [900.0] * 4, "high", fraction=0.7, **SQUARES),
        group("atlas", [NEVER] * 4, "other", fraction=0.7, operation="add"),
    )
    table = atlas.build(made["members"], made["designs"]).set_index(["operation", "fraction"])
    assert (table.loc["x ** 2 + y ** 2", "needed"] == 0.5).all()
    assert np.isnan(table.loc[("add", 0.7), "needed"])
    assert table.loc[("x ** 2 + y ** 2", 0.7), ["n", "events", "median"]].tolist() == [4, 4, 900]


def test_splits_are_apart():
    made = tables(
        group("atlas", [900.0] * 4, "ordered", fraction=0.5, pairs="ordered", **SQUARES),
        group("atlas", [NEVER] * 4, "unordered", fraction=0.5, pairs="unordered", **SQUARES),
    )
    table = atlas.build(made["members"], made["designs"]).set_index("pairs")
    assert table["events"].to_dict() == {"ordered": 4, "unordered": 0}
    assert table["symmetric"].all()
    assert table.loc["ordered", "needed"] == 0.5
