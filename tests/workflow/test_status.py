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

WITHOUT_LOCKS = """
import errno, fcntl, runpy, sys

def refuse(*args):
    raise OSError(errno.ENOSYS, "no locks")

fcntl.flock = refuse
runpy.run_path("workflow/commands/status.py", run_name="__main__")
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


def status(trained: Trained, *call: str) -> str:
    result = trained.project.run(sys.executable, *(call or ["workflow/commands/status.py"]), "--scale", "smoke")
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
    assert re.search(
        r"^10 members to train, about [\d.]+ (s|min|h) of one core, at most [\d.]+ (s|min|h)\.$", said, re.MULTILINE
    )
    assert re.search(r"2 records are stale \(.+\), because regrok/models/mlp.py changed", said)


def test_what_runs_and_what_was_killed(trained):
    with training(trained, LONG) as process:
        said = status(trained)
        assert process.poll() is None
        accuracy = r"(0\.\d{3}|1\.000)( to (0\.\d{3}|1\.000))?"
        assert re.fullmatch(
            rf"step \d+ of 1000000; 2 members, validation accuracy {accuracy}, training {accuracy}; "
            rf"2 of 2 members left; [\d.e+]+ steps/s, at most [\d.]+ (s|min|h) to go; "
            rf"process {process.pid} on {re.escape(socket.gethostname())}",
            told(said, trained, LONG),
        )
        assert said.splitlines()[2].split()[1:5] == ["7", "1", "1", "1"]
        assert re.search(r"^At the speed of the 1 jobs that run, done in about .+, at most .+\.$", said, re.MULTILINE)
    said = status(trained)
    assert "running:" not in said
    killed = rf"process {process.pid} on .+ ended at step \d+ without a word: killed, or out of memory"
    assert re.fullmatch(killed, told(said, trained, LONG))
    unsure = told(status(trained, "-c", WITHOUT_LOCKS), trained, LONG)
    assert unsure.endswith(f"on {socket.gethostname()}; or ended since: the file system has no locks to tell")
    with training(trained, LONG) as again:
        assert failures(trained.store.root).keys().isdisjoint({trained.jobs[LONG].cell.id})
        again.terminate()
        again.wait()
    assert again.returncode == 143
    said = status(trained)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d: by SIGTERM; log log", told(said, trained, LONG))
    assert f"stopped: {trained.jobs[LONG].cell.id}" in said


UNSEEN = """
import os, signal, sys
from pathlib import Path
import common, reproduce

asked = common.request(common.parser("").parse_args(["--scale", "smoke"]))
reader, writer = os.pipe()
os.close(reader)
codes = []
for output in (os.open("/dev/full", os.O_WRONLY), writer):
    os.dup2(output, 1)
    call = ["sh", "-c", "sleep 2; exit 7"]
    codes.append(reproduce.run(asked, call, Path("log"), output, True, [], signal.SIGTERM))
    reproduce.say("done", sys.stdout)
print(codes, file=sys.stderr)
"""


def test_a_run_goes_on_whoever_reads_what_it_shows(trained):
    """To a full disk, or to a reader who has left."""
    result = trained.project.run(sys.executable, "-c", UNSEEN)
    assert (result.returncode, result.stdout) == (0, "[7, 7]\n")


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


def test_a_damaged_adoption_is_named_beside_all_else(trained):
    folder = trained.store.root / "adoptions"
    folder.mkdir()
    (folder / "a-b.json").write_text("{")
    said = status(trained)
    (folder / "a-b.json").unlink()
    assert said.splitlines()[2].split()[:3] == ["little", "7", "1"]
    assert re.match(r".+a-b\.json is damaged; .+", said.splitlines()[-1])
