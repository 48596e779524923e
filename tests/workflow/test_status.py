"""make status on a small store in which everything is going on, and on none."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest
from tiny import files
from trained import Trained, prepare

from regrok import stock
from regrok.experiment import SCALES
from regrok.progress import failures, noted, running

RATES = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
DONE, BEGUN, STALE, FAILED, DAMAGED, WAITING, LONG = range(7)
GRIDS = [
    {"axes": {"optimizer.learning_rate": RATES}},
    {"axes": {"optimizer.learning_rate": [0.005]}, "scales": {scale: {"budget": 1_000_000} for scale in SCALES}},
]
DRIVER = """
import json, runpy, sys
from types import SimpleNamespace as Names
call = Names(log=["log"], output=["manifest"], params=Names(**json.loads(sys.argv[1])), resources=Names(gpu=0))
runpy.run_path("workflow/scripts/train.py", init_globals={"snakemake": call})
"""


@contextmanager
def training(trained: Trained, index: int):
    """A process that trains a cell, from when it has told that it is at work."""
    job = trained.jobs[index]
    params = json.dumps({"job": job.dump(), "code": stock.code(job)})
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, params],
        cwd=trained.project.root,
        env={**os.environ, "PYTHONPATH": "workflow"},
    )
    try:
        for _ in range(600):
            reports = [report for report in running(trained.store.root) if report["pid"] == process.pid]
            if reports and reports[0]["steps_per_second"]:
                break
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    trained = prepare(tmp_path_factory.mktemp("watched"), GRIDS, seeds=2, budget=100)
    for index in (DONE, STALE, DAMAGED):
        trained.train(index)
    trained.train(BEGUN, seeds=1)
    for record in trained.store.records(trained.jobs[STALE].cell):
        trained.forge(record, code=record.code | {"regrok.models.mlp": "0"})
    spoilt, _ = trained.store.records(trained.jobs[DAMAGED].cell)
    (spoilt.path / "header.json").write_text("{")
    for index in (FAILED, DONE):  # that of a complete cell is of the past
        with suppress(SystemExit), noted(trained.store.root, trained.jobs[index].cell.id, "logs/it.log"):
            sys.exit("no weights today")
    return trained


def status(trained: Trained) -> str:
    result = trained.project.command("status", "--scale", "smoke")
    assert result.returncode == 0, result.stdout
    return result.stdout


def told(said: str, trained: Trained, index: int) -> str:
    """What is said of a cell, whose id stands alone on the line before, whole; empty if nothing is."""
    found = re.search(rf"^\w+: {re.escape(trained.jobs[index].cell.id)}\n    (.+)$", said, re.MULTILINE)
    return found[1] if found else ""


def test_a_line_a_study_and_what_is_wrong(trained):
    before = files(trained.store.root)
    said = status(trained)
    assert files(trained.store.root) == before
    head, row, total = (line.split() for line in said.splitlines()[1:4])
    assert head == ["study", "cells", "done", "running", "waiting", "failed", "stale", "begun", "members"]
    assert row == ["little", "7", "1", "2", "2", "1", "1", "4/14"]
    assert total == ["in", "all", *row[1:]]
    assert "running:" not in said
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d: no weights today; log logs/it.log", told(said, trained, FAILED))
    assert "header.json is damaged" in told(said, trained, DAMAGED)
    assert not told(said, trained, DONE)
    assert re.search(r"^10 members to train, about \d+\.\d core-hours, at most \d+\.\d\.$", said, re.MULTILINE)
    assert re.search(r"2 records are stale \(.+\), because regrok/models/mlp.py changed", said)


def test_what_runs_and_what_was_killed(trained):
    with training(trained, LONG) as process:
        said = status(trained)
        assert process.poll() is None
        accuracy = r"(0\.\d{3}|1\.000)( to (0\.\d{3}|1\.000))?"
        assert re.fullmatch(
            rf"step \d+ of 1000000; 2 members, validation accuracy {accuracy}, training {accuracy}; "
            rf"2 of 2 members left; [\d.e+]+ steps/s, at most [\d.]+ (min|h) to go; "
            rf"process {process.pid} on {re.escape(socket.gethostname())}",
            told(said, trained, LONG),
        )
        assert said.splitlines()[2].split()[1:5] == ["7", "1", "1", "1"]
        assert re.search(r"^At the speed of the 1 jobs that run, done in about .+, at most .+\.$", said, re.MULTILINE)
    said = status(trained)
    assert "running:" not in said
    killed = rf"process {process.pid} on .+ ended at step \d+ without a word: killed, or out of memory"
    assert re.fullmatch(killed, told(said, trained, LONG))
    with training(trained, LONG) as again:
        assert failures(trained.store.root).keys().isdisjoint({trained.jobs[LONG].cell.id})
        again.terminate()
        again.wait()
    assert again.returncode == 143
    assert not told(status(trained), trained, LONG)  # whoever stopped it knows


def test_before_anything_is_trained(tmp_path):
    trained = prepare(tmp_path, GRIDS, seeds=2, budget=100)
    said = status(trained)
    assert said.splitlines()[2].split() == ["little", "7", "7", "0/14"]
    assert "14 members to train; `make plan` tells what that costs." in said
    assert not (tmp_path / "results/store").exists()


def test_eighty_columns_hold_the_shipped_studies(project):
    """On a terminal, which cuts tables; from the longest name to the last column."""
    terminal = "import pty, sys; pty.spawn(sys.argv[1:])"
    call = [sys.executable, "workflow/commands/status.py", "--scale", "cluster"]
    result = project.run(sys.executable, "-c", terminal, *call, TERM="xterm", COLUMNS="80")
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stdout)
    assert "optimizer_sweep_001 " in plain
    assert "members" in plain
    assert "…" not in plain
    assert max(map(len, plain.splitlines())) <= 80


def test_damage_beyond_a_record_gets_one_sentence(trained):
    folder = trained.store.root / "adoptions"
    folder.mkdir()
    (folder / "a-b.json").write_text("{")
    result = trained.project.command("status", "--scale", "smoke")
    (folder / "a-b.json").unlink()
    assert result.returncode == 1
    assert re.fullmatch(r"regrok: .+a-b\.json is damaged; .+\n", result.stdout)
