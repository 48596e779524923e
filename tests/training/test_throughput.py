"""Timings: every cell in every repetition, in turn."""

import pytest
from tiny import tiny

from regrok.training import throughput


@pytest.fixture
def clock(monkeypatch):
    """CPU time as the training of the stacks alone makes it go by: a second a step of one layer, two of two."""
    now = [0.0]

    def advance(stack):
        now[0] += stack.cell.model.layers

    monkeypatch.setattr(throughput.Stack, "advance", advance)
    monkeypatch.setattr(throughput.time, "process_time", lambda: now[0])


def test_cells_take_turns_and_rates_are_those_of_members(clock):
    one, two = tiny({"model.layers": 1}), tiny({"model.layers": 2})
    rows = throughput.measure([one, two], repetitions=2, seconds=10)
    assert [(row["repetition"], row["cell"]) for row in rows] == [(0, one.id), (0, two.id), (1, one.id), (1, two.id)]
    assert [row["steps_per_second"] for row in rows] == [3.0, 1.5, 3.0, 1.5]


def test_nothing_to_time():
    assert throughput.measure([]) == []
