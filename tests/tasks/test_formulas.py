"""Formulas against the four operations that have names, against plain Python, and everything that may not be one."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.tasks import formulas, modular


@pytest.mark.parametrize(
    ("formula", "operation"), [("x+y", "add"), ("x - y", "subtract"), ("x*y", "multiply"), ("x/y", "divide")]
)
def test_the_operations_that_have_names(formula, operation):
    one, other = formulas.table(formulas.normal(formula), 13), modular.table(operation, 13)
    for name in ("x", "y", "answer", "tokens", "classes"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


POWER = {  # Power et al. 2022, A.1.1, in plain Python
    "x**2 + y**2": lambda x, y, p: (x * x + y * y) % p,
    "x**2 + x*y + y**2": lambda x, y, p: (x * x + x * y + y * y) % p,
    "x**2 + x*y + y**2 + x": lambda x, y, p: (x * x + x * y + y * y + x) % p,
    "x**3 + x*y": lambda x, y, p: (x**3 + x * y) % p,
    "x**3 + x*y**2 + y": lambda x, y, p: (x**3 + x * y * y + y) % p,
    "x/y if y % 2 else x - y": lambda x, y, p: x * pow(y, -1, p) % p if y % 2 else (x - y) % p,
    "-x + 3": lambda x, y, p: (3 - x) % p,
    "(x + y)/(x - y)": lambda x, y, p: (x + y) * pow(x - y, -1, p) % p,
    "x if x > y else y": lambda x, y, p: max(x, y),
}


@pytest.mark.parametrize("formula", POWER)
def test_against_plain_python(formula):
    table = formulas.table(formulas.normal(formula), 23)
    expected = [POWER[formula](int(x), int(y), 23) for x, y in zip(table.x, table.y, strict=True)]
    assert table.answer.tolist() == expected


def test_pairs_without_a_value_are_left_out():
    assert len(formulas.table("x / y", 7)) == 42
    assert len(formulas.table("(x + y) / (x - y)", 7)) == 42
    assert len(formulas.table("x / y if y % 2 else x - y", 7)) == 49  # y = 0 is even
    with pytest.raises(ValueError, match="divides by zero for every pair modulo 7"):
        formulas.table("x / (y - y)", 7)


def test_one_way_of_writing():
    assert formulas.normal(" x**2+(x*y) ") == formulas.normal("(x ** 2) + x*y") == "x ** 2 + x * y"


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(
        st.sampled_from(["x", "y", "2", "5"]),
        lambda inner: st.builds("({}{}{})".format, inner, st.sampled_from("+-*"), inner),
        max_leaves=8,
    )
)
def test_any_polynomial(formula):
    if "x" not in formula and "y" not in formula:
        return
    table = formulas.table(formulas.normal(formula), 11)
    expected = [eval(formula, {"x": int(x), "y": int(y)}) % 11 for x, y in zip(table.x, table.y, strict=True)]
    assert table.answer.tolist() == expected


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("x +", "'x +' cannot be read"),
        ("x + z", "has 'z' in it"),
        ("__import__('os')", "in it, which may not be"),
        ("x.real", "in it, which may not be"),
        ("x ** y", "in it, which may not be"),
        ("x ** -1", "in it, which may not be"),
        ("x ** 1000", "has the power 1000; at most 100"),
        ("x % 2 + y", "has 'x % 2' in it"),
        ("x if y else 1", "has the condition 'y'"),
        ("x if y + 1 > 2 else 1", "has 'y + 1' in a condition"),
        ("1.5 * x", "has '1.5' in it"),
        ("True * x", "has 'True' in it"),
        ("3 + 4", "has neither x nor y"),
        ("[x for x in y]", "in it, which may not be"),
    ],
)
def test_what_is_no_formula(formula, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as error:
        formulas.normal(formula)
    assert "\n" not in str(error.value)


def test_division_needs_a_prime():
    with pytest.raises(ValueError, match=r"'x / y' divides and needs a prime modulus, and 12 is not prime"):
        formulas.table("x / y", 12)
    assert len(formulas.table("x * y", 12)) == 144


@pytest.mark.parametrize(
    ("formula", "symbol", "symmetric"),
    [
        ("x**2 + x*y + y**2", "x² + xy + y²", True),
        ("x**2 + x*y + y**2 + x", "x² + xy + y² + x", False),
        ("x**3 + x*y**2 + y", "x³ + xy² + y", False),
        ("x/y if y % 2 else x - y", "x ÷ y if y is odd, else x − y", False),
        ("(x - y)**2", "(x − y)²", True),
        ("x/y", "x ÷ y", False),
    ],
)
def test_how_it_is_printed_and_whether_it_is_symmetric(formula, symbol, symmetric):
    task = formulas.Formula(operation="formula", formula=formula, modulus=11)
    assert (task.symbol, task.symmetric) == (symbol, symmetric)
