"""Real processes that train, ended by real signals; what they leave is gone on from as if nothing had happened."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import by_seed, contents, differences, files, job, silent

from regrok import stock
from regrok.progress import failures, running
from regrok.store import PARTS, Busy, Store
from regrok.training.train import train

SCRIPT = Path(__file__).parents[2] / "workflow/scripts/train.py"
OVERRIDES = {"optimizer.decays": "no_biases", "batches.size": 11}
TASK = job(seeds=2, budget=600, dense=((7, 100),), overrides=OVERRIDES)
LAST = {"signal": None, "at": None, "checkpoint_seconds": 60.0, "pause": 0.0, "log": "log"}
DRIVER = '''
"""Run the training script as Snakemake does, and tell on descriptor 1 what has been done."""
import json, os, runpy, sys, time
from types import SimpleNamespace

options = json.loads(sys.argv[1])
snakemake = SimpleNamespace(log=[options["log"]], output=["manifest"], params=SimpleNamespace(**options["params"]))
snakemake.resources = SimpleNamespace(gpu=0)
if options["checkpoint_seconds"] is not None:
    from regrok.store import PARTS, Store
    from regrok.training import train
    from regrok.training.stack import Stack

    train.CHECKPOINT_SECONDS = options["checkpoint_seconds"]
    save, advance = Store.save, Stack.advance

    def telling_save(self, path, header, *rest):
        save(self, path, header, *rest)
        os.write(1, f"saved {header['seed']} {header['last_step']}\\n".encode())

    def telling_advance(self):
        losses = advance(self)
        os.write(1, f"step {self.step} 0\\n".encode())
        if self.step == options["at"]:
            os.kill(os.getpid(), options["signal"])
        time.sleep(options["pause"])
        return losses

    Store.save, Stack.advance = telling_save, telling_advance
runpy.run_path(options["script"], init_globals={"snakemake": snakemake})
os.write(1, f"torch {int('torch' in sys.modules)} 0\\n".encode())
'''

KILLER = '''
"""Train in a process that is killed at a random moment, again and again; tell what each has saved and left."""
import json, os, random, signal, sys, time
from pathlib import Path

import torch

from regrok.experiment import Job
from regrok.store import Record, Store
from regrok.training import train

options = json.loads(sys.argv[1])
torch.set_num_threads(1)
train.CHECKPOINT_SECONDS = -1.0
job, store, moments = Job.load(options["job"]), Store(Path("results/store")), random.Random(0)
# Everything is loaded once.
train.train(Job(job.cell, 1, train.Follow(0, 50)), Store(Path("elsewhere")), options["code"], lambda progress: None)
save, rounds = Store.save, []


def telling_save(self, path, header, *rest, **more):
    save(self, path, header, *rest, **more)
    os.write(writer, f"{header['seed']} {header['last_step']}\\n".encode())


Store.save = telling_save
for _ in range(options["kills"]):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        train.train(job, store, options["code"], lambda progress: None)
        os._exit(0)
    os.close(writer)
    told = os.read(reader, 100) if len(rounds) < 2 else b""  # there is a record from the first on
    time.sleep(moments.uniform(0, 0.3))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with open(reader, "rb") as rest:
        saved = [list(map(int, line.split())) for line in (told + rest.read()).splitlines()]
    records = [Record.read(record.path) for record in store.records(job.cell)]
    for record in records:
        assert len(record.step_losses()) == record.step >= record.history()["step"][-1]
        record.checkpoint()
    steps = {record.seed: record.step for record in records}
    files = sum(path.is_file() and path.name != ".lease" for path in store.root.rglob("*"))
    rounds.append({"signal": os.WTERMSIG(status), "steps": [steps.get(0, 0), steps.get(1, 0)], "saved": saved,
                   "files": files})
print(json.dumps(rounds))
'''


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> dict[int, dict]:
    """The records of an uninterrupted run, by seed."""
    store = Store(tmp_path_factory.mktemp("uninterrupted"))
    train(TASK, store, stock.code(TASK), silent)
    return {record.seed: contents(record) for record in store.records(TASK.cell)}


@pytest.fixture
def start(tmp_path):
    """Start a process that trains TASK in tmp_path. None that is left outlives the test."""
    (tmp_path / "driver.py").write_text(DRIVER)
    processes = []

    def started(**options) -> subprocess.Popen:
        params = {"job": TASK.dump(), "code": stock.code(TASK)}
        options = {**LAST, "script": str(SCRIPT), "params": params, **options}
        process = subprocess.Popen(
            [sys.executable, "driver.py", json.dumps(options)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def told(process: subprocess.Popen) -> Iterator[tuple[str, int, int]]:
    """(word, first number, second number) of each line that a process has yet to tell."""
    for line in process.stdout:
        word, first, second = line.split()
        yield word, int(first), int(second)


def rest(process: subprocess.Popen) -> list[tuple[str, int, int]]:
    """What a process tells until it has ended."""
    lines = list(told(process))
    process.wait()
    return lines


def go_on(folder: Path, expected: dict[int, dict]) -> None:
    """Train to the end in this process; what comes out must be as if never interrupted."""
    store = Store(folder / "results/store")
    train(TASK, store, stock.code(TASK), silent)
    records = by_seed(store, TASK.cell, stock.code(TASK))
    assert records.keys() == expected.keys()
    for seed, record in records.items():
        assert not differences(contents(record), expected[seed])
        assert {"header.json", *(record.header[part] for part in PARTS)} <= files(record.path).keys()


@pytest.mark.parametrize(("number", "step"), [(signal.SIGTERM, 37), (signal.SIGINT, 151)])
def test_a_signal_loses_nothing(start, tmp_path, expected, number, step):
    """With a minute between checkpoints, the one at the signal is the first."""
    process = start(signal=number, at=step)
    lines = rest(process)
    assert process.returncode == 128 + number
    assert lines[-3:] == [("step", step, 0), ("saved", 0, step), ("saved", 1, step)]
    store = Store(tmp_path / "results/store")
    assert [record.step for record in store.records(TASK.cell)] == [step, step]
    assert not (tmp_path / "manifest").exists()
    assert not list(tmp_path.glob("results/store/progress/*"))
    go_on(tmp_path, expected)


def until(process: subprocess.Popen, step: int) -> None:
    """Read what a process tells until it is at `step`."""
    for line in told(process):
        if line[:2] == ("step", step):
            return


def waits(folder: Path, log: str, holder: int) -> bool:
    """Whether a log comes to name the process that its own waits for, within a minute."""
    expected = f"Waiting, as another process ({holder} on {socket.gethostname()}) is training {TASK.cell.id}.\n"
    for _ in range(600):
        if (folder / log).exists() and (folder / log).read_text() == expected:
            return True
        time.sleep(0.1)
    return False


def test_a_second_job_waits_and_goes_on_where_the_first_was_stopped(start, tmp_path, expected):
    first = start(pause=0.02)
    until(first, 20)
    store = Store(tmp_path / "results/store")
    with pytest.raises(Busy, match=rf"another process \({first.pid} on .+\) is training {TASK.cell.id}"):
        train(TASK, store, stock.code(TASK), silent)
    second = start(log="second")
    assert waits(tmp_path, "second", first.pid)
    assert [report["pid"] for report in running(store.root)] == [first.pid]
    first.terminate()
    lines = rest(first)
    assert first.returncode == 143
    last = max((step for word, step, _ in lines if word == "step"), default=20)
    assert last < TASK.follow.budget
    lines = rest(second)
    assert second.returncode == 0
    assert [step for word, step, _ in lines if word == "step"] == list(range(last + 1, TASK.follow.budget + 1))
    assert len(json.loads((tmp_path / "manifest").read_text())["members"]) == 2
    go_on(tmp_path, expected)


def test_a_second_job_trains_nothing_where_the_first_has_done_all(start, tmp_path, expected):
    first = start(pause=0.005)
    until(first, 20)
    second = start(log="second", checkpoint_seconds=None)
    assert waits(tmp_path, "second", first.pid)
    rest(first)
    before = files(tmp_path / "results/store")
    assert rest(second) == [("torch", 0, 0)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert files(tmp_path / "results/store") == before
    go_on(tmp_path, expected)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_waits_ends_at_once(start, tmp_path, number):
    with Store(tmp_path / "results/store").lease(TASK.cell):
        process = start()
        assert waits(tmp_path, "log", os.getpid())
        process.send_signal(number)
        assert rest(process) == []
        assert process.returncode == 128 + number
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_job_that_fails_leaves_a_note_and_the_next_takes_it_away(start, tmp_path):
    store = Store(tmp_path / "results/store")
    train(job(seeds=1, budget=50, dense=TASK.follow.dense, overrides=OVERRIDES), store, stock.code(TASK), silent)
    (record,) = store.records(TASK.cell)
    checkpoint = record.path / record.header["checkpoint"]
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:-9])
    process = start()
    rest(process)
    assert process.returncode == 1
    (told,) = failures(store.root).values()
    assert re.search(r"checkpoint-50-\w+\.npz is damaged", told)
    assert told.endswith("(traceback in log); log log")
    checkpoint.write_bytes(whole)
    process = start()
    rest(process)
    assert process.returncode == 0
    assert failures(store.root) == {}


def test_kill_at_random_moments(tmp_path, expected):
    """A checkpoint at every step, so that most moments lie within a save. No more is lost than what came after the
    last whole one, and the store can be read at all times."""
    (tmp_path / "killer.py").write_text(KILLER)
    params = {"job": TASK.dump(), "code": stock.code(TASK), "kills": 30}
    call = [sys.executable, "killer.py", json.dumps(params)]
    rounds = json.loads(subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
    left, before = 0, [0, 0]
    assert [each["signal"] for each in rounds] == [signal.SIGKILL] * 30
    for each in rounds:
        for seed, step in enumerate(each["steps"]):
            saved = [there for who, there in each["saved"] if who == seed] or [before[seed]]
            assert step in (saved[-1], saved[-1] + 1)
        left += each["files"] > 2 * (1 + len(PARTS))
        before = each["steps"]
    assert left > 5
    assert 10 < min(before) < TASK.follow.budget
    go_on(tmp_path, expected)


def test_a_complete_cell_needs_no_torch_and_names_its_records(start, tmp_path):
    store = Store(tmp_path / "results/store")
    train(TASK, store, stock.code(TASK), silent)
    before = files(store.root)
    process = start(checkpoint_seconds=None)
    assert rest(process) == [("torch", 0, 0)]
    assert process.returncode == 0
    assert files(store.root) == before
    manifest = json.loads((tmp_path / "manifest").read_text())
    assert manifest["cell"] == TASK.cell.id
    assert [member["seed"] for member in manifest["members"]] == [0, 1]
    for member in manifest["members"]:
        assert member["last_step"] == 600
        header = json.loads((store.root / member["record"] / "header.json").read_text())
        assert (header["seed"], header["checkpoint_sha256"]) == (member["seed"], member["checkpoint_sha256"])
