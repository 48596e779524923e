"""Boolean functions against Python's own operators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from regrok.tasks.logic import Majority, Parity, RandomFunction, Xor


@given(st.integers(1, 6), st.data())
def test_xor(bits, data):
    found = Xor(operation="xor", bits=bits).table()
    x, y = (data.draw(st.integers(0, 2**bits - 1)) for _ in range(2))
    row = x * 2**bits + y
    assert (found.x[row], found.y[row], found.answer[row]) == (x, y, x ^ y)
    assert (len(found), found.chance(), found.symmetric()) == (4**bits, 2**-bits, True)


@given(st.integers(2, 9), st.data())
def test_parity(bits, data):
    relevant = data.draw(st.integers(1, bits))
    found = Parity(operation="parity", bits=bits, relevant=relevant).table()
    number = data.draw(st.integers(0, 2**bits - 1))
    written = f"{number:0{bits}b}"
    assert "".join(map(str, found.terms[number])) == written
    assert found.answer[number] == written[:relevant].count("1") % 2
    assert found.chance() == 0.5


@given(st.sampled_from([3, 5, 7, 9]), st.data())
def test_majority(bits, data):
    found = Majority(operation="majority", bits=bits).table()
    number = data.draw(st.integers(0, 2**bits - 1))
    assert found.answer[number] == (number.bit_count() > bits - number.bit_count())
    assert found.chance() == 0.5


def test_random_functions_are_all_different_and_nearly_balanced():
    answers = [RandomFunction(operation="random", bits=10, draw=draw).table().answer for draw in range(20)]
    agreement = np.corrcoef(answers)[np.triu_indices(20, 1)]
    assert np.abs(agreement).max() < 5 / np.sqrt(1024)
    assert all(abs(each.mean() - 0.5) < 5 * 0.5 / np.sqrt(1024) for each in answers)
    again = RandomFunction(operation="random", bits=10, draw=3).table().answer
    np.testing.assert_array_equal(again, answers[3])


def test_neighbours_tell_nothing_of_a_random_function():
    """A vector and the one that differs in a bit agree as often as not, whichever bit it is."""
    answer = RandomFunction(operation="random", bits=12, draw=0).table().answer
    for bit in range(12):
        agree = (answer == answer[np.arange(4096) ^ (1 << bit)]).mean()
        assert abs(agree - 0.5) < 5 * 0.5 / np.sqrt(2048)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Parity(operation="parity", bits=4, relevant=5), "relevant must be at most bits, and 5 is more than 4"),
        (lambda: Majority(operation="majority", bits=8), "the majority of 8 bits may be undecided; give an odd number"),
        (lambda: Majority(operation="majority", bits=17), "less than or equal to 16"),
    ],
)
def test_what_is_none_gets_a_sentence(make, words):
    with pytest.raises(ValidationError, match=words):
        make()


def test_names_tell_tasks_apart():
    tasks = [Parity(operation="parity", bits=9, relevant=k) for k in (2, 3)]
    tasks += [RandomFunction(operation="random", bits=9, draw=k) for k in (0, 1)]
    tasks += [Majority(operation="majority", bits=9), Xor(operation="xor", bits=9)]
    assert len({task.named for task in tasks}) == len({task.slug for task in tasks}) == len(tasks)
    assert [task.terms for task in tasks] == [9, 9, 9, 9, 9, 2]
