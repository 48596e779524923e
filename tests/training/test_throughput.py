"""Timings: every cell in every repetition, in turn."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from checkout import ROOT
from tiny import tiny

from regrok import process
from regrok.store import digest, seal
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


def test_a_damaged_timing_in_the_store_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "no_compiler", lambda: None)  # in this process it would last
    call = SimpleNamespace(params=SimpleNamespace(cells=[], code="code"), log=["log"], output=["throughput.parquet"])
    path = Path("results/store/throughput") / f"{digest([[], 'code'])}.json"
    path.parent.mkdir(parents=True)
    path.write_text("[{")
    with pytest.raises(SystemExit, match=rf"{path} is damaged; move it out of the store"):
        runpy.run_path(str(ROOT / "workflow/scripts/throughput.py"), init_globals={"snakemake": call})
    path.unlink()
    runpy.run_path(str(ROOT / "workflow/scripts/throughput.py"), init_globals={"snakemake": call})
    assert json.loads(path.read_text()) == {"rows": [], "seal": seal({"rows": []})}
