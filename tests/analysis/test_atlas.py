"""The atlas of operations: what is symmetric, how formulas are printed, and the least fraction that is needed."""

import numpy as np
import pytest
from handmade import NEVER, group, tables

from regrok.analysis import atlas
from regrok.tasks.formulas import normal


@pytest.mark.parametrize(
    ("formula", "symbol", "symmetric"),
    [
        ("x**2 + x*y + y**2", "x² + xy + y²", True),
        ("x**2 + x*y + y**2 + x", "x² + xy + y² + x", False),
        ("x**3 + x*y**2 + y", "x³ + xy² + y", False),
        ("x/y if y % 2 else x - y", "x ÷ y if y is odd, else x − y", False),
        ("(x - y)**2", "(x − y)²", True),
    ],
)
def test_described(formula, symbol, symmetric):
    assert atlas.described(normal(formula), 11) == {"symbol": symbol, "symmetric": symmetric}


def test_the_operations_with_names():
    assert [atlas.described(name, 11)["symmetric"] for name in ("add", "subtract", "multiply", "divide")] == [
        True,
        False,
        True,
        False,
    ]


def test_the_least_fraction_that_is_needed():
    made = tables(
        group("atlas", [NEVER] * 4, "low", fraction=0.3, operation="x ** 2 + y ** 2"),
        group("atlas", [3000.0, 2000.0, NEVER, NEVER], "middle", fraction=0.5, operation="x ** 2 + y ** 2"),
        group("atlas", [900.0] * 4, "high", fraction=0.7, operation="x ** 2 + y ** 2"),
        group("atlas", [NEVER] * 4, "other", fraction=0.7, operation="add"),
    )
    table = atlas.build(made["members"], made["designs"]).set_index(["operation", "fraction"])
    assert (table.loc["x ** 2 + y ** 2", "needed"] == 0.5).all()
    assert np.isnan(table.loc[("add", 0.7), "needed"])
    assert table.loc[("x ** 2 + y ** 2", 0.7), ["n", "events", "median"]].tolist() == [4, 4, 900]
