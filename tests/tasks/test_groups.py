"""Groups: their order, the axioms, and words against sympy's own products."""

from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sympy.combinatorics import Permutation

from regrok.tasks.groups import Word, multiplication, normal, table

ORDERS = {"S3": 6, "S4": 24, "S5": 120, "A4": 12, "A5": 60, "D3": 6, "D7": 14, "Z11": 11, "Z6xZ4": 24, "S3xZ2": 12}
ORDERS |= {"(1 2 3)(4 5), (1 2)": 12, "(1 2 3 4 5), (1 2)": 120, "(1 2 3 4), (1 3)": 8}


@pytest.mark.parametrize(("group", "order"), ORDERS.items())
def test_is_a_group_of_the_right_order(group, order):
    product = multiplication(group)
    numbers = np.arange(order)
    assert product.shape == (order, order)
    np.testing.assert_array_equal(product[0], numbers)
    np.testing.assert_array_equal(product[:, 0], numbers)
    assert all((np.sort(product, axis=axis) == np.expand_dims(numbers, 1 - axis)).all() for axis in (0, 1))
    x, y, z = np.random.default_rng(0).integers(order, size=(3, 500))
    np.testing.assert_array_equal(product[product[x, y], z], product[x, product[y, z]])


@pytest.mark.parametrize(("group", "commutes"), [("S4", False), ("A5", False), ("D7", False), ("Z6xZ4", True)])
def test_which_groups_commute(group, commutes):
    assert Word(operation="word", word="x y", group=group).symmetric is commutes


def test_cyclic_groups_are_addition():
    product = multiplication("Z7")
    powers = [0]
    for _ in range(6):
        powers.append(product[powers[-1], 1])
    place = np.argsort(powers)
    np.testing.assert_array_equal(place[product], (place[:, None] + place) % 7)


@settings(max_examples=30)
@given(st.sampled_from(["x y", "x y x", "x y x^-1", "y^-1 x y x"]), st.integers(0, 119), st.integers(0, 119))
def test_words_are_what_sympy_makes_of_them(word, a, b):
    elements = sorted(Permutation.unrank_lex(5, rank).array_form for rank in range(factorial(5)))
    x, y = (Permutation(elements[number]) for number in (a, b))
    value = Permutation(4)
    for letter in word.split():
        value = value * {"x": x, "y": y, "x^-1": x**-1, "y^-1": y**-1}[letter]
    found = table(word, "S5")
    row = 120 * a + b
    assert (found.x[row], found.y[row]) == (a, b)
    assert elements[found.answer[row]] == value.array_form


def test_conjugates_have_the_cycles_of_what_they_conjugate():
    found = table("x y x^-1", "S4")
    elements = [Permutation.unrank_lex(4, rank) for rank in range(24)]
    shapes = [element.cycle_structure for element in elements]
    assert all(shapes[answer] == shapes[y] for answer, y in zip(found.answer, found.y, strict=True))


@pytest.mark.parametrize(
    ("written", "as_"),
    [(" S5 ", "S5"), ("Z6 x Z4", "Z6xZ4"), ("( 1 2  3)(4 5) ,(1 2)", "(1 2 3)(4 5), (1 2)")],
)
def test_one_way_of_writing(written, as_):
    assert normal(written) == as_


@pytest.mark.parametrize(
    ("word", "group", "words"),
    [
        ("x y", "Q8", "'Q8' is no group; write S5, A5"),
        ("x y", "D2", "'D2' is no group"),
        ("x y", "S6x", "is no group"),
        ("x y", "S7", "has 5040 elements; at most 1000"),
        ("x y", "Z99999", "is too large"),
        ("x y", "(1 1)", "points from 1 on, each once"),
        ("x y", "(0 1)", "points from 1 on, each once"),
        ("x z", "S3", "'x z' is no word in the elements of a group; write one such as x y"),
        ("x x", "S3", "must have both x and y"),
        ("", "S3", "is no word"),
    ],
)
def test_what_is_none_gets_a_sentence(word, group, words):
    with pytest.raises(ValidationError, match=words.replace("(", r"\(")):
        Word(operation="word", word=word, group=group)


def test_names():
    word = Word(operation="word", word="x  y x^-1", group="Z2 x S3")
    assert (word.named, word.symbol, word.slug) == ("x y x^-1 in Z2xS3", "x y x⁻¹ in Z2xS3", "x_y_xi_Z2xS3")
    assert (word.tokens, word.classes, word.examples, word.terms, word.places) == (12, 12, 144, 2, 1)
