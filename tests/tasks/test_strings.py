"""Transformations of strings against Python's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from regrok.tasks.strings import AlphabetShift, Deduplication, Reversal, Rotation

ALPHABET = "abcdefgh"


def by_python(operation: str, string: str, letters: int, by: int) -> str:
    match operation:
        case "reverse":
            return "".join(reversed(string))
        case "rotate":
            by %= len(string)
            return string[len(string) - by :] + string[: len(string) - by]
        case "shift":
            alphabet = ALPHABET[:letters]
            return string.translate(str.maketrans(alphabet, alphabet[by % letters :] + alphabet[: by % letters]))
    return "".join(dict.fromkeys(string)).ljust(len(string), "_")


@settings(max_examples=60)
@given(
    st.sampled_from([Reversal, Rotation, AlphabetShift, Deduplication]),
    st.integers(2, 5),
    st.integers(2, 5),
    st.integers(1, 7),
    st.data(),
)
def test_is_what_python_makes_of_it(kind, length, letters, by, data):
    operation = kind.model_fields["operation"].annotation.__args__[0]
    task = kind(
        operation=operation, length=length, letters=letters, **({"by": by} if "by" in kind.model_fields else {})
    )
    found = task.table()
    assert (len(found), found.answer.shape, task.places) == (letters**length, (letters**length, length), length)
    row = data.draw(st.integers(0, len(found) - 1))
    string = "".join(ALPHABET[letter] for letter in found.terms[row])
    blank = ALPHABET[:letters] + "_"
    answer = "".join(blank[letter] for letter in found.answer[row])
    assert answer == by_python(operation, string, letters, by)
    assert found.answer.max() < found.classes


def test_chance_is_that_of_the_whole_answer():
    assert Reversal(operation="reverse", length=3, letters=4).chance == 4**-3
    both = Deduplication(operation="deduplicate", length=2, letters=3)  # aa, and never ab again
    assert both.chance == pytest.approx(1 / 9)
    longer = Deduplication(operation="deduplicate", length=3, letters=2)  # aab, aba, abb -> ab
    assert longer.chance == pytest.approx(3 / 8)


def test_a_constant_guess_is_right_as_often_as_chance_says():
    task = Deduplication(operation="deduplicate", length=4, letters=3)
    answers, counts = np.unique(task.table().answer, axis=0, return_counts=True)
    guess = answers[counts.argmax()]
    assert (task.table().answer == guess).all(1).mean() == pytest.approx(task.chance)


def test_too_many_strings_get_a_sentence():
    with pytest.raises(ValidationError, match="20 letters out of 3 make 3486784401 strings; at most"):
        Reversal(operation="reverse", length=20, letters=3)
