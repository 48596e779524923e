"""make audit and make adopt on a small store: what is found of honest, forged and damaged records."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from tiny import files
from trained import Trained, prepare

from regrok import stock
from regrok.store import Record

CELLS = [{"axes": {"optimizer.learning_rate": [0.01, 0.02]}}]
SMOKE = ("--scale", "smoke")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Trained:
    """Six members, all honest. Tests that forge put back what they have replaced."""
    trained = prepare(tmp_path_factory.mktemp("audited"), CELLS, seeds=3, budget=100)
    for index in range(2):
        trained.train(index)
    return trained


@pytest.fixture
def trained(shared) -> Trained:
    before = files(shared.store.root)
    yield shared
    for path in files(shared.store.root).keys() - before.keys():
        (shared.store.root / path).unlink()
    for path, content in before.items():
        (shared.store.root / path).write_bytes(content)


def audited(trained: Trained, *options: str) -> tuple[int, str]:
    """The exit code and the output of an audit, which must leave the store as it is."""
    before = files(trained.store.root)
    result = trained.project.command("audit", *SMOKE, *options)
    assert files(trained.store.root) == before
    assert "Traceback" not in result.stdout
    return result.returncode, result.stdout


def changed(record: Record, name: str, step: int) -> dict:
    """A record's history with one of its values a little larger."""
    history = record.history()
    factor = np.where(history["step"] == step, 1.001, 1)
    return {**history, name: (history[name] * factor).astype(np.float32)}


def test_honest_records(trained):
    code, said = audited(trained, "--all", "1")
    assert code == 0, said
    assert re.search(r"Auditing all 6 members\. Their records took \d+ CPU seconds", said)
    assert said.count(": identical\n") == 6
    assert "6 of 6 compared: 6 identical." in said
    for job in trained.jobs:
        assert re.search(rf"│ {re.escape(job.cell.id)} +│ 2 +│ +100 │ .+\(cpu\) +│ identical +│", said)


def test_forged_damaged_and_foreign_records_beside_honest_ones(trained):
    forged, foreign, damaged = trained.store.records(trained.jobs[0].cell)
    lost, _, honest = trained.store.records(trained.jobs[1].cell)
    trained.forge(forged, changed(forged, "val_loss", 50))
    machines = [{**foreign.machines[0], "cpu": "an abacus"}]
    trained.forge(foreign, changed(foreign, "val_loss", 100), machines=machines)
    path = damaged.path / damaged.header["checkpoint"]
    path.write_bytes(path.read_bytes()[:-1])
    (lost.path / "header.json").write_text("{")
    (trained.store.root / "adoptions").mkdir(exist_ok=True)
    (trained.store.root / "adoptions/a-b.json").write_text("{")
    code, said = audited(trained, "--all", "1")
    assert code == 1
    first, second = (job.cell.id for job in trained.jobs)
    assert f"{first} seed 0: differs in val_loss at step 50\n" in said
    assert f"{first} seed 1: within tolerance: another cpu\n" in said
    assert re.search(rf"{first} seed 2: damaged: .*checkpoint-100-\w+\.npz is damaged", said)
    assert re.search(rf"{second} seed {lost.path.name}: damaged: .*header\.json is damaged", said)
    assert f"{second} seed {honest.seed}: identical\n" in said
    assert "an abacus (cpu)" in said
    assert re.search(r"adoptions seed a-b\.json: damaged: .*a-b\.json is damaged", said)
    assert "7 of 7 compared: 2 identical, 1 within tolerance, 1 differs, 3 damaged." in said


def test_records_of_older_code_are_held_to_tolerances(trained):
    """Which a record that is not of this member does not meet."""
    same, near, far = trained.store.records(trained.jobs[0].cell)
    older = same.code | {"regrok.training.stack": "0"}
    trained.forge(same, code=older)
    trained.forge(near, changed(near, "train_loss", 50), code=older)
    history, losses = far.history(), far.step_losses() * 1.01
    trained.store.save(far.path, far.header | {"code": older}, history, far.checkpoint(), losses)
    code, said = audited(trained, "--all", "1")
    cell = trained.jobs[0].cell.id
    assert code == 1
    assert f"{cell} seed 0: identical\n" in said
    assert f"{cell} seed 1: within tolerance: older code\n" in said
    assert f"{cell} seed 2: differs in batch loss of step 1, before rounding can show (older code)\n" in said


def test_a_draw_is_told_and_can_be_repeated(trained):
    code, said = audited(trained, "--number", "2")
    assert code == 0, said
    (seed,) = re.findall(r"Auditing 2 of 6 members \(SEED=(\d+); cheap ones with a greater chance", said)
    again = audited(trained, "--number", "2", "--seed", seed)[1]
    chosen = re.findall(r".+ seed \d: identical\n", said)
    assert len(chosen) == 2
    assert chosen == re.findall(r".+ seed \d: identical\n", again)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--number", "some"], "N must be a whole number of at least 1, not 'some'."),
        (["--seed", "x"], "SEED must be a whole number of at least 0, not 'x'."),
    ],
)
def test_a_slip_gets_one_sentence(trained, options, sentence):
    code, said = audited(trained, *options)
    assert (code, said) == (1, f"regrok: {sentence}\n")


def test_nothing_to_audit(tmp_path):
    trained = prepare(tmp_path, CELLS, seeds=1, budget=50)
    result = trained.project.command("audit", *SMOKE)
    assert (result.returncode, result.stdout) == (
        1,
        "regrok: there is no record to audit; `make reproduce` makes some.\n",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_has_been_compared(trained, number):
    first, second, *_ = trained.store.records(trained.jobs[0].cell)
    trained.forge(second, last_step=10**6)  # which takes minutes
    process = subprocess.Popen(
        [sys.executable, "workflow/commands/audit.py", *SMOKE, "--all", "1"],
        cwd=trained.project.root,
        env={**os.environ, "PYTHONPATH": "workflow/commands:workflow"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        for line in process.stdout:
            if line.endswith("seed 0: identical\n"):
                process.send_signal(number)
                break
        said = process.communicate()[0]
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert "1 of 6 compared: 1 identical." in said
    assert re.search(rf"│ {re.escape(trained.jobs[0].cell.id)} +│ {first.seed} +│", said)
    assert "Traceback" not in said


def test_adopting_tells_what_it_will_cost(trained):
    for record in trained.store.records(trained.jobs[0].cell):
        trained.forge(record, code=stock.code(trained.jobs[0]) | {"regrok.training.stack": "0"})
    result = trained.project.command("adopt", *SMOKE)
    assert result.returncode == 0, result.stdout
    assert re.match(r"Retraining 1 members of 3\. Their records took \d+ CPU seconds, in stacks", result.stdout)
    assert "all 3 count as made by today's code" in result.stdout
