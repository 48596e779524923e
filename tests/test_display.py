"""How long a run will take, told while it trains."""

import sys
from pathlib import Path

import pytest
from tiny import job

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/commands"))

import display
from regrok.cost import START_SECONDS
from regrok.stock import Need

JOBS = [job(seeds=2, event=1000, overrides={"model.hidden": hidden}) for hidden in (8, 9, 10)]
NEEDS = [Need(each, seed, None, None) for each in JOBS for seed in range(2)]


def test_every_cell_that_has_not_begun_has_to_start():
    cells = [each.cell.id for each in JOBS]
    assert display.starts(NEEDS) == 3 * START_SECONDS
    assert display.starts(NEEDS, cells[:2]) == START_SECONDS
    assert display.starts([]) == 0


def test_where_cells_are_short_their_starts_are_most_of_the_time_left(monkeypatch):
    """One of three cells has ended after 30 s."""
    now = iter([0.0, 30.0])
    monkeypatch.setattr(display.time, "monotonic", lambda: next(now))
    shown = object.__new__(display.Display)
    shown.done_before = None
    assert shown.remaining(NEEDS, 0.0, 0.3, 3 * START_SECONDS) == "time left is not known yet"
    said = shown.remaining(NEEDS, START_SECONDS + 0.1, 0.2, 2 * START_SECONDS)
    assert said.startswith("done in about 60 s (")
    assert said.endswith("), at most 60 s at this speed")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "90 min"), (9000, "2.5 h")]
)
def test_durations(seconds, said):
    assert display.duration(seconds) == said
