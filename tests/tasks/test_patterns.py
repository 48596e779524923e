"""Patterns against regular expressions and a counter of brackets."""

import re
from math import comb

import numpy as np
import pytest
from pydantic import ValidationError

from regrok.tasks.patterns import Brackets, Palindrome, Repetition


def text(sequence: np.ndarray) -> str:
    return "".join(chr(ord("a") + symbol) for symbol in sequence)


def rows(task) -> list[tuple[str, int]]:
    found = task.table()
    return [(text(terms), answer) for terms, answer in zip(found.terms, found.answer.tolist(), strict=True)]


@pytest.mark.parametrize(("length", "letters"), [(4, 3), (6, 3), (7, 2), (8, 3), (12, 2)])
def test_repetitions(length, letters):
    found = rows(Repetition(operation="repetition", length=length, letters=letters, draw=0))
    assert all(bool(re.fullmatch(r"(.+)\1+", sequence)) == answer for sequence, answer in found)
    primes = [p for p in range(2, length + 1) if length % p == 0 and all(p % q for q in range(2, p))]
    if len(primes) == 1:  # every shorter block is one of length / p
        assert sum(answer for _, answer in found) == letters ** (length // primes[0])


@pytest.mark.parametrize(("length", "letters"), [(4, 3), (5, 4), (8, 2)])
def test_palindromes(length, letters):
    found = rows(Palindrome(operation="palindrome", length=length, letters=letters, draw=0))
    assert all((sequence == sequence[::-1]) == answer for sequence, answer in found)
    assert sum(answer for _, answer in found) == letters ** ((length + 1) // 2)


@pytest.mark.parametrize("length", [4, 6, 10])
def test_brackets(length):
    found = rows(Brackets(operation="brackets", length=length, draw=0))
    for sequence, answer in found:
        rest = sequence
        while "ab" in rest:
            rest = rest.replace("ab", "")
        assert (rest == "") == answer
        assert sequence.count("a") == sequence.count("b")
    assert sum(answer for _, answer in found) == comb(length, length // 2) // (length // 2 + 1)  # Catalan


@pytest.mark.parametrize("draw", [0, 1])
def test_as_many_sequences_without_the_pattern_each_once(draw):
    found = rows(Palindrome(operation="palindrome", length=6, letters=4, draw=draw))
    assert len(found) == len({sequence for sequence, _ in found}) == 2 * 4**3
    assert Palindrome(operation="palindrome", length=6, letters=4, draw=draw).chance == 0.5
    other = rows(Palindrome(operation="palindrome", length=6, letters=4, draw=1 - draw))
    assert {s for s, a in found if a} == {s for s, a in other if a}
    assert {s for s, a in found if not a} != {s for s, a in other if not a}


def test_where_most_sequences_have_the_pattern_chance_is_higher():
    task = Brackets(operation="brackets", length=4, draw=0)
    assert (task.examples, task.chance) == (4, 0.5)
    task = Palindrome(operation="palindrome", length=2, letters=2, draw=0)
    assert (task.examples, task.chance) == (4, 0.5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Brackets(operation="brackets", length=7, draw=0), "7 brackets cannot be balanced; give an even"),
        (
            lambda: Palindrome(operation="palindrome", length=20, letters=4, draw=0),
            "20 symbols out of 4 make 1099511627776 sequences; at most 1048576 can be listed",
        ),
    ],
)
def test_what_is_none_gets_a_sentence(make, words):
    with pytest.raises(ValidationError, match=words):
        make()
