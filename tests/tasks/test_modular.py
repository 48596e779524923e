"""Modular operations, by hand."""

import numpy as np
import pytest

from regrok.tasks.modular import OPERATIONS, Modular, inverse, is_prime, table

PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97]

BY_HAND = {  # modulo 5: a row for each x = 0 .. 4, a column for each y
    "add": [[0, 1, 2, 3, 4], [1, 2, 3, 4, 0], [2, 3, 4, 0, 1], [3, 4, 0, 1, 2], [4, 0, 1, 2, 3]],
    "subtract": [[0, 4, 3, 2, 1], [1, 0, 4, 3, 2], [2, 1, 0, 4, 3], [3, 2, 1, 0, 4], [4, 3, 2, 1, 0]],
    "multiply": [[0, 0, 0, 0, 0], [0, 1, 2, 3, 4], [0, 2, 4, 1, 3], [0, 3, 1, 4, 2], [0, 4, 3, 2, 1]],
    "divide": [[0, 0, 0, 0], [1, 3, 2, 4], [2, 1, 4, 3], [3, 4, 1, 2], [4, 2, 3, 1]],  # y = 1 .. 4
}


def test_every_operation_has_a_table_by_hand():
    assert set(BY_HAND) == set(OPERATIONS)


@pytest.mark.parametrize("operation", BY_HAND)
def test_table_modulo_5(operation):
    task = table(operation, 5)
    expected = np.array(BY_HAND[operation])
    assert task.answer.reshape(expected.shape).tolist() == expected.tolist()
    first = 5 - expected.shape[1]
    assert list(zip(task.x, task.y, strict=True)) == [(x, y) for x in range(5) for y in range(first, 5)]
    assert (task.tokens, task.classes, len(task)) == (5, 5, expected.size)
    assert {array.dtype for array in (task.x, task.y, task.answer)} == {np.dtype(np.int64)}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("modulus", [2, 7, 97])
def test_answers_are_residues(operation, modulus):
    task = table(operation, modulus)
    assert set(task.answer) == set(range(modulus))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_symmetric_flag_is_true(operation):
    op = OPERATIONS[operation]
    x, y = np.meshgrid(np.arange(1, 13), np.arange(1, 13))
    assert np.array_equal(op.answer(x, y, 13), op.answer(y, x, 13)) == op.symmetric


@pytest.mark.parametrize("modulus", [2, 5, 97])
def test_division_undoes_multiplication(modulus):
    task = table("divide", modulus)
    assert np.array_equal(task.answer * task.y % modulus, task.x)
    assert 0 not in task.y
    assert len(task) == modulus * (modulus - 1)


def test_inverses_modulo_7():
    assert inverse(np.arange(1, 7), 7).tolist() == [1, 4, 5, 2, 3, 6]


@pytest.mark.parametrize(("modulus", "root"), [(5, 2), (59, 2), (97, 5)])
def test_division_is_subtraction_of_logarithms(modulus, root):
    """To a primitive root, modulo one less than the prime, but for a dividend of zero."""
    log = {pow(root, power, modulus): power for power in range(modulus - 1)}
    assert len(log) == modulus - 1
    task = table("divide", modulus)
    for x, y, answer in zip(task.x, task.y, task.answer, strict=True):
        assert answer == (0 if x == 0 else pow(root, (log[x] - log[y]) % (modulus - 1), modulus))


def test_division_needs_a_prime():
    with pytest.raises(ValueError, match="'divide' needs a prime modulus, and 91 is not prime"):
        Modular(operation="divide", modulus=91)
    assert len(table("multiply", 91)) == 91 * 91


def test_primes_below_100():
    assert [number for number in range(-3, 100) if is_prime(number)] == PRIMES


@pytest.mark.parametrize("operation", OPERATIONS)
def test_is_as_symmetric_as_it_says(operation):
    task = Modular(operation=operation, modulus=7)
    assert task.symmetric is task.table().symmetric()


def test_chance_is_the_share_of_the_most_frequent_answer():
    assert Modular(operation="add", modulus=7).chance == 1 / 7
    assert Modular(operation="multiply", modulus=7).chance == 13 / 49  # zero
