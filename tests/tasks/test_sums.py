"""Sums of several terms: every sequence once, and its sum."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrok.tasks.modular import table as modular
from regrok.tasks.sums import Sum, Sums

SIZES = st.sampled_from([(2, 3), (2, 7), (3, 3), (5, 4)])


@given(SIZES)
def test_every_sequence_once_in_order(size):
    modulus, terms = size
    task = Sum(operation="sum", modulus=modulus, terms=terms).table()
    operands = task.operands(np.arange(len(task)))
    assert operands.dtype == np.int64
    assert operands.tolist() == [list(digits) for digits in product(range(modulus), repeat=terms)]
    assert (task.tokens, task.classes) == (modulus, modulus)


@given(SIZES)
def test_answers_are_the_sums(size):
    modulus, terms = size
    task = Sums(modulus, terms)
    every = np.arange(len(task))
    assert task.answers(every).tolist() == [sum(digits) % modulus for digits in product(range(modulus), repeat=terms)]


@pytest.mark.parametrize("modulus", [2, 5, 41])
def test_of_two_terms_it_would_be_the_operation_add(modulus):
    added, summed = modular("add", modulus), Sums(modulus, 2)
    every = np.arange(len(added)).reshape(modulus, modulus)
    assert np.array_equal(added.operands(every), summed.operands(every))
    assert np.array_equal(added.answers(every), summed.answers(every))


def test_an_example_by_hand():
    task = Sums(41, 4)
    number = ((7 * 41 + 40) * 41 + 0) * 41 + 12
    assert len(task) == 2_825_761
    assert task.operands(np.array([number])).tolist() == [[7, 40, 0, 12]]
    assert task.answers(np.array([number])).tolist() == [59 - 41]
