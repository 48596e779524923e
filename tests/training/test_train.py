"""Following members as far as a job asks, whatever comes in between."""

import errno
import fcntl
import json
import os
import signal
import socket
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tiny import CODE, OLDER, SETTINGS, SGD, VARIANTS, by_seed, contents, differences, files, job, silent, tiny

from regrok import events
from regrok.events import evaluation_steps, generalisation, last_step
from regrok.store import Busy, Record, Store, find
from regrok.training import train as engine
from regrok.training.stack import METRICS, SIGNALS, Stack
from regrok.training.train import Clock, Interrupted, Member, Run, machine, runs, stretches, train

EXPLOSIVE = {"optimizer": SGD | {"learning_rate": 1e4}}


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def fresh(tmp_path):
    """Train a job in an empty store of its own: seed -> contents of the record."""
    counter = iter(range(100))

    def trained(task, code=CODE) -> dict[int, dict[str, np.ndarray]]:
        store = Store(tmp_path / f"fresh{next(counter)}")
        train(task, store, code, silent)
        return {seed: contents(record) for seed, record in by_seed(store, task.cell, code).items()}

    return trained


@pytest.fixture
def each_step(monkeypatch):
    """Have progress reported at each step."""
    monkeypatch.setattr(engine, "REPORT_SECONDS", -1.0)


@pytest.fixture
def no_locks(monkeypatch):
    """A file system that has none."""

    def refuse(*args):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture
def early_event(monkeypatch):
    """An accuracy that members pass within some hundred steps counts as generalisation."""
    monkeypatch.setattr(events, "THRESHOLD", 0.15)


def at_step(step: int, progress: dict, number: int = signal.SIGTERM) -> None:
    """A report that sends a signal once the stack stands at `step`."""
    if progress["step"] == step:
        signal.raise_signal(number)


def assert_holds(store: Store, task, expected: dict[int, dict], code: dict = CODE) -> None:
    held = by_seed(store, task.cell, code)
    assert held.keys() == expected.keys()
    for seed, record in held.items():
        assert not differences(contents(record), expected[seed]), seed


def test_a_record_holds_what_happened(store):
    """Against a stack that is advanced and evaluated by hand."""
    task = job(seeds=2, budget=130)
    train(task, store, CODE, silent)
    stack = Stack(task.cell, [0, 1])
    losses, evaluations = [], [(0, stack.evaluate())]
    for step in range(1, 131):
        losses.append(stack.advance().numpy())
        if step in (1, 2, 5, 10, 20, 50, 100, 130):
            evaluations.append((step, stack.evaluate()))
    for seed, record in by_seed(store, task.cell).items():
        history = record.history()
        assert list(history) == ["step", *METRICS]
        assert history["step"].tolist() == [step for step, _ in evaluations]
        for name in METRICS:
            assert history[name].tolist() == [np.float32(metrics[name][seed]) for _, metrics in evaluations]
        assert record.step_losses().tolist() == [loss[seed] for loss in losses]
        assert not differences(record.checkpoint(), stack.state(seed))
        header = record.header
        assert (record.step, header["diverged"], header["t4"]) == (130, False, [None, None])
        assert header["examples"] == {"train": 135, "validation": 34}
        assert header["flops"] == 130 * task.cell.flops_per_step
        assert header["cell_id"] == task.cell.id
        assert header["cell"] == task.cell.model_dump()
        assert header["seconds"]["wall"] > 0
        assert 0 < header["seconds"]["evaluation_cpu"] < header["seconds"]["cpu"]
        assert 0 < header["seconds"]["overhead_cpu"] < header["seconds"]["cpu"]


@pytest.mark.parametrize(
    "variant", ["base", "float64 loss, odd sizes", "sgd, biases spared", "unordered", "short batch dropped", "cosine"]
)
def test_interruptions_leave_no_trace(store, fresh, each_step, variant):
    """Stopped and taken up again at arbitrary steps, on the evaluation grid and off it, and right after a start."""
    task = job(seeds=3, budget=120, dense=((15, 60),), overrides=VARIANTS[variant])
    expected = fresh(task)
    for step in (1, 7, 8, 50, 51, 100, 119):
        with pytest.raises(Interrupted) as stopped:
            train(task, store, CODE, partial(at_step, step))
        assert stopped.value.exit_code == 143
        assert [record.step for record in store.records(task.cell)] == [step] * 3
        for record in store.records(task.cell):
            assert not record.complete(task.follow)
            assert record.history()["step"].max() == max(s for s in (*range(0, 61, 15), 1, 2, 5, 50, 100) if s <= step)
    train(task, store, CODE, silent)
    assert_holds(store, task, expected)


@pytest.mark.parametrize(
    ("seeds", "budget", "again"),
    [
        (1, 50, [*range(121), *range(50, 121)]),
        (2, 50, list(range(50, 121))),
        (2, 200, []),
    ],
)
def test_a_duplicate_job_whom_no_lock_keeps_apart(store, fresh, each_step, no_locks, monkeypatch, seeds, budget, again):
    """Before this one saves at step 20, it takes one of the members further, or both: this one goes on from there."""
    task, steps = job(seeds=2, budget=120), []

    def report(progress: dict) -> None:
        steps.append(progress["step"])
        if steps == list(range(21)):
            train(job(seeds=seeds, budget=budget), store, CODE, silent)
        monkeypatch.setattr(engine, "CHECKPOINT_SECONDS", -1.0 if steps == list(range(21)) else 60.0)

    train(task, store, CODE, report)
    assert steps == [*range(21), *again]
    assert_holds(store, task, fresh(job(seeds=2, budget=max(budget, 120))))


def test_a_duplicate_job_keeps_no_signal_from_ending_this_one(store, each_step, no_locks):
    def report(progress: dict) -> None:
        if progress["step"] == 20:
            train(job(seeds=2, budget=60), store, CODE, silent)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted):
        train(job(seeds=2, budget=120), store, CODE, report)
    assert [record.step for record in store.records(tiny())] == [60, 60]


def test_a_record_that_is_replaced_before_it_is_gone_on_from(store, fresh, monkeypatch):
    """By the same duplicate, between its header and its files."""
    train(job(seeds=1, budget=50), store, CODE, silent)
    found = engine.find

    def replaced(records, *wanted):
        record = found(records, *wanted)
        if record and record.step == 50:
            part, path = job(seeds=1, budget=100), store.records(tiny())[0].path
            Run(part, [Member(0, Record.read(path))], store, CODE, "cpu").follow([], silent)
        return record

    monkeypatch.setattr(engine, "find", replaced)
    train(job(seeds=1, budget=120), store, CODE, silent)
    assert_holds(store, job(seeds=1), fresh(job(seeds=1, budget=120)))


def test_interruption_while_members_leave(store, fresh, each_step, early_event):
    """One member has left, the others have not: they are taken up again without it."""
    task = job(seeds=4, event=1500)
    expected = fresh(task)
    ends = sorted(int(record["history.step"][-1]) for record in expected.values())
    assert ends[0] < ends[-1] < 1500
    for step in (ends[0] + 1, ends[-1] - 1):
        with pytest.raises(Interrupted):
            train(task, store, CODE, partial(at_step, step))
        assert sorted(record.step for record in store.records(task.cell)) == [min(end, step) for end in ends]
    train(task, store, CODE, silent)
    assert_holds(store, task, expected)


def test_keyboard_interrupt(store, each_step):
    task = job(budget=100)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match="SIGINT") as stopped:
        train(task, store, CODE, partial(at_step, 30, number=signal.SIGINT))
    assert stopped.value.exit_code == 130
    assert [record.step for record in store.records(task.cell)] == [30, 30]
    assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))


def test_checkpoints_on_the_way(store, fresh, monkeypatch):
    """A checkpoint at every step, each a whole record, and none of them in the result."""
    task = job(seeds=2, budget=20)
    expected = fresh(task)
    saved = []
    save = Store.save

    def watched(self, path: Path, header: dict, *rest) -> None:
        save(self, path, header, *rest)
        record = by_seed(store, task.cell)[header["seed"]]
        assert set(record.history()["step"]) == {s for s in (0, 1, 2, 5, 10, 20) if s <= record.step}
        assert len(record.step_losses()) == record.step
        record.checkpoint()
        saved.append((header["seed"], record.step))

    monkeypatch.setattr(engine, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(Store, "save", watched)
    train(task, store, CODE, silent)
    assert saved == [(seed, step) for step in range(1, 21) for seed in (0, 1)]
    assert_holds(store, task, expected)


def test_progress(store, each_step, early_event):
    """One report at the start and one a step, with the members still in the stack and what they have come to."""
    task, reports = job(seeds=4, event=1500), []
    train(task, store, CODE, reports.append)
    ends = [record.step for record in store.records(task.cell)]
    told = [(report["step"], report["members"]) for report in reports]
    assert told == [(s, sum(end > s for end in ends)) for s in range(max(ends) + 1)]
    history = store.records(task.cell)[0].history()
    for report in (reports[0], reports[60], reports[100]):
        (row,) = np.flatnonzero(history["step"] == report["step"] // 50 * 50)
        for name in ("train_acc", "val_acc"):
            assert len(report[name]) == 4
            assert report[name][0] == history[name][row]
    assert reports[0]["steps_per_second"] == 0 < reports[1]["steps_per_second"]


def test_members_stop_where_they_have_generalised(store):
    """Real grokking, no patches: each at the first evaluation 10 % and 200 steps beyond its t4; and as if alone."""
    task = job(seeds=3, event=2000)
    train(task, store, CODE, silent)
    records = by_seed(store, task.cell)
    for record in records.values():
        history = record.history()
        t4 = generalisation(history["step"], history["val_acc"])
        assert (t4.after, t4.at) == tuple(record.header["t4"])
        expected = next(s for s in evaluation_steps(2000) if s >= t4.at + max(200, 0.1 * t4.at)) if t4.reached else 2000
        assert record.step == history["step"][-1] == expected
        assert record.complete(task.follow)
    assert min(record.step for record in records.values()) < 2000
    assert len({record.step for record in records.values()}) > 1
    last = max(records, key=lambda seed: records[seed].step)
    alone = Store(store.root / "alone")
    Run(task, [Member(last, None)], alone, CODE, "cpu").follow([], silent)
    assert not differences(contents(alone.records(task.cell)[0]), contents(records[last]))


def test_a_budget_outlasts_the_event(store, early_event):
    task = job(seeds=2, event=800, budget=600)
    train(task, store, CODE, silent)
    for record in store.records(task.cell):
        assert record.t4.reached
        assert record.step == 600 == last_step(record.t4, task.follow)


def test_an_event_near_the_budget_is_followed_to_it(store, early_event):
    """The margin does not fit any more."""
    train(job(seeds=1, event=2000), store, CODE, silent)
    (record,) = store.records(tiny())
    budget = int(record.t4.at) + 150
    other = Store(store.root / "other")
    train(job(seeds=1, event=budget), other, CODE, silent)
    (short,) = other.records(tiny())
    assert short.t4 == record.t4
    assert short.step == budget < record.step


def test_divergence_ends_a_member(store, monkeypatch):
    task = job(seeds=2, budget=1000, overrides=EXPLOSIVE)
    train(task, store, CODE, silent)
    for record in store.records(task.cell):
        losses = record.history()["train_loss"]
        assert np.isfinite(losses[:-1]).all()
        assert not np.isfinite(losses[-1])
        assert record.step < 1000
        assert record.header["diverged"]
        assert record.complete(job(budget=10**6).follow)
    monkeypatch.setattr(engine, "Run", None)
    train(job(seeds=2, budget=5000, overrides=EXPLOSIVE), store, CODE, silent)


def test_who_is_complete_is_left_alone(store, monkeypatch, early_event):
    task = job(seeds=2, event=1500)
    train(task, store, CODE, silent)
    before = files(store.root)
    monkeypatch.setattr(engine, "Run", None)
    for satisfied in (task, job(seeds=1, event=1500), job(seeds=2, event=900), job(seeds=2, budget=300)):
        train(satisfied, store, CODE, silent)
    assert files(store.root) == before


def test_more_seeds_add_members(store, fresh):
    """Those at hand are not touched, and the new ones are what they would have been from the start."""
    train(job(seeds=2, budget=100), store, CODE, silent)
    before = files(store.root)
    task = job(seeds=5, budget=100)
    train(task, store, CODE, silent)
    assert before.items() <= files(store.root).items()
    assert_holds(store, task, fresh(task))


@pytest.mark.parametrize("variant", ["base", "sgd, biases spared"])
def test_a_bigger_budget_goes_on(store, fresh, monkeypatch, variant):
    """From where the smaller one stopped, to what an uninterrupted run gives."""
    overrides = VARIANTS[variant]
    train(job(seeds=2, budget=100, overrides=overrides), store, CODE, silent)
    task = job(seeds=2, budget=250, overrides=overrides)
    expected = fresh(task)
    advance, steps = Stack.advance, []
    monkeypatch.setattr(Stack, "advance", lambda self: steps.append(self.step) or advance(self))
    train(task, store, CODE, silent)
    assert steps == list(range(100, 250))
    assert_holds(store, task, expected)


def test_every_machine_is_named_until_where_it_trained(store, monkeypatch):
    """Once each as long as it is the same one; the older key, of the last machine alone, is read and kept."""
    here = machine("cpu")
    assert {"cpu", "capability", "threads", "device", "python", "torch", "numpy", "numba"} <= here.keys()
    assert socket.gethostname() not in json.dumps(here).split('"')
    for budget in (50, 100):
        train(job(seeds=1, budget=budget), store, CODE, silent)
    assert store.records(tiny())[0].header["machines"] == [{"until": 100, **here}]
    there = here | {"cpu": "an abacus"}
    monkeypatch.setattr(engine, "machine", lambda device: there)
    train(job(seeds=2, budget=150), store, CODE, silent)
    first, second = store.records(tiny())
    assert first.machines == first.header["machines"] == [{"until": 100, **here}, {"until": 150, **there}]
    assert second.machines == [{"until": 150, **there}]
    monkeypatch.undo()
    train(job(seeds=2, budget=200), store, CODE, silent)
    first, second = store.records(tiny())
    assert [(stretch["until"], stretch["cpu"] == here["cpu"]) for stretch in first.machines] == [
        (100, True),
        (150, False),
        (200, True),
    ]
    code = {"engine": "0", "torch": "2.0", "numba": "0.1"}
    old = Record(None, {"last_step": 70, "code": code, "machine": {"cpu": "a slide rule", "device": "cpu"}})
    expected = {"until": 70, "cpu": "a slide rule", "device": "cpu", "torch": "2.0", "numba": "0.1"}
    assert old.machines == [expected]
    assert stretches(old, 90, here) == [expected, {"until": 90, **here}]


def test_seconds_add_up(store, monkeypatch):
    """Over what came before; a stack's time is shared by its members."""
    now = iter(range(10**9))
    monkeypatch.setattr("time.perf_counter", lambda: 6.0 * next(now))
    monkeypatch.setattr("time.process_time", lambda: 0.0)
    monkeypatch.setattr("regrok.training.train.CLOCK", Clock())
    train(job(seeds=2, budget=50), store, CODE, silent)
    spent = [record.header["seconds"]["wall"] for record in store.records(tiny())]
    train(job(seeds=3, budget=100), store, CODE, silent)
    more = [record.header["seconds"]["wall"] for record in store.records(tiny())]
    assert spent[0] > 0
    assert more[0] > spent[0]
    assert sum(more) <= 6 * next(now)


def test_a_clock_shares_what_has_passed(monkeypatch):
    wall, cpu = iter([100.0, 106.0, 107.0]), iter([3.0, 3.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(wall))
    monkeypatch.setattr("time.process_time", lambda: next(cpu))
    clock, members = Clock(), [Member(seed, None) for seed in range(3)]
    clock.charge(members)
    clock.charge(members[:1], "evaluation_cpu")
    assert members[1].spent == members[2].spent == {"wall": 2.0, "cpu": 1.0, "evaluation_cpu": 0.0, "overhead_cpu": 0.0}
    assert members[0].spent == {"wall": 3.0, "cpu": 1.5, "evaluation_cpu": 0.5, "overhead_cpu": 0.0}


def test_members_at_different_steps_go_on_in_groups(store, fresh, monkeypatch):
    """Of what stands at one step, and of no more than the limit."""
    train(job(seeds=2, budget=50), store, CODE, silent)
    train(job(seeds=1, budget=100), store, CODE, silent)
    monkeypatch.setitem(engine.STACK_LIMIT, "cpu", 2)
    task = job(seeds=5, budget=150)
    groups = [[member.seed for member in members] for members in runs(task, store, store.equivalent(CODE), limit=2)]
    assert groups == [[2, 3], [4], [1], [0]]
    train(task, store, CODE, silent)
    monkeypatch.undo()
    assert_holds(store, task, fresh(task))


def test_a_stack_fits_into_its_memory():
    """Parameters, gradients and two moments of 4 bytes each."""
    assert engine.stack_limit(tiny(), "cpu") == 10
    large = tiny({"model": {"architecture": "lstm", "width": 128, "hidden": 512, "layers": 2, "dropout": 0.0}})
    assert engine.stack_limit(large, "cpu") == 256_000_000 // (16 * large.parameters) == 4
    assert engine.stack_limit(tiny({"model": {**SETTINGS["model"], "hidden": 10_000}}), "cpu") == 1


def test_step_losses_are_kept_for_the_first_steps(store, each_step, monkeypatch, fresh):
    task = job(seeds=2, budget=100)
    everything = fresh(task)
    monkeypatch.setattr(engine, "STEP_LOSSES", 40)
    for step in (30, 60):
        with pytest.raises(Interrupted):
            train(task, store, CODE, partial(at_step, step))
    train(task, store, CODE, silent)
    for seed, record in by_seed(store, task.cell).items():
        assert record.step_losses().tolist() == everything[seed]["step_losses"][:40].tolist()


MEASURED = {"snapshots": ((15, 60),), "signals": 70}


def test_signals_and_snapshots_are_what_happened(store):
    """Against a stack that is advanced by hand, in float64; the last layer is that of the plain form."""
    task = job(seeds=2, budget=120, **MEASURED)
    train(task, store, CODE, silent)
    stack = Stack(task.cell, [0, 1])
    rows = [stack.weights(1).astype(np.float64)]
    gradients, losses, last = [], [], []
    for _ in range(120):
        losses.append(stack.advance()[1].item())
        gradients.append(np.concatenate([buffer[1].numpy() for buffer in stack.parameters.gradient_buffers]))
        rows.append(stack.weights(1).astype(np.float64))
        last.append(stack.parameters.values["linears.2.weight"][1].numpy().astype(np.float64).copy())
    record = by_seed(store, task.cell)[1]
    steps, weights = record.snapshots()
    assert steps.tolist() == [0, 1, 2, 5, 10, 15, 20, 30, 45, 50, 60, 100]
    assert weights.dtype == np.float32
    assert weights.tolist() == [rows[step].astype(np.float32).tolist() for step in steps]
    signals = record.signals()
    assert list(signals) == ["step", *SIGNALS]
    assert signals["step"].tolist() == list(range(1, 71))
    assert signals["loss"].tolist() == losses[:70]
    size = np.linalg.norm
    for index in range(70):
        old, new = rows[index], rows[index + 1]
        expected = {
            "grad_norm": size(gradients[index].astype(np.float64)),
            "update_norm": size(new - old),
            "cosine_distance": 1 - old @ new / (size(old) * size(new)),
            "weight_norm": size(new),
            "last_layer_norm": size(last[index]),
        }
        for name, value in expected.items():
            assert signals[name][index] == pytest.approx(value, rel=1e-6, abs=1e-12), name


def test_measuring_leaves_no_trace_in_the_trajectory(fresh):
    plain, measured = fresh(job(seeds=2, budget=120)), fresh(job(seeds=2, budget=120, **MEASURED))
    for seed, held in plain.items():
        assert not differences(held, {name: measured[seed][name] for name in held})


def test_measurements_survive_interruptions_and_stacks(store, fresh, each_step):
    task = job(seeds=3, budget=120, **MEASURED)
    expected = fresh(task)
    assert not differences(expected[0], fresh(job(seeds=1, budget=120, **MEASURED))[0])
    for step in (1, 45, 46, 69, 70, 71, 100):
        with pytest.raises(Interrupted):
            train(task, store, CODE, partial(at_step, step))
    train(task, store, CODE, silent)
    assert_holds(store, task, expected)


def test_who_asks_for_more_measurements_trains_again(store):
    for measured in ({}, {"signals": 30}, MEASURED, {"signals": 20, "snapshots": ((30, 60),)}):
        train(job(seeds=1, budget=100, **measured), store, CODE, silent)
    records = [record.header for record in store.records(job().cell)]
    assert sorted((header["signals_until"], len(header["snapshots_at"])) for header in records) == [
        (0, 0),
        (30, 0),
        (70, 1),
    ]


def test_one_writer_a_cell(store):
    task = job(budget=50)
    with store.lease(task.cell):
        with pytest.raises(Busy, match=task.cell.id):
            train(task, store, CODE, silent)
        train(job(budget=50, overrides={"model.hidden": 8}), store, CODE, silent)
        assert not store.records(task.cell)
    train(task, store, CODE, silent)
    assert len(store.records(task.cell)) == 2


def test_a_failure_gives_the_lease_back(store):
    task = job(budget=50)

    def fail(progress: dict) -> None:
        raise RuntimeError("no")

    engine_seconds, engine.REPORT_SECONDS = engine.REPORT_SECONDS, -1.0
    try:
        with pytest.raises(RuntimeError, match="no"):
            train(task, store, CODE, fail)
    finally:
        engine.REPORT_SECONDS = engine_seconds
    train(task, store, CODE, silent)
    assert len(store.records(task.cell)) == 2


def test_denser_evaluation_is_a_record_of_its_own(store, fresh):
    """Beside the old one, on the same trajectory; and it serves whoever asks for less."""
    coarse, dense = job(seeds=2, budget=100), job(seeds=2, budget=100, dense=((4, 40),))
    train(coarse, store, CODE, silent)
    before = files(store.root)
    train(dense, store, CODE, silent)
    assert before.items() <= files(store.root).items()
    records = store.records(coarse.cell)
    assert len(records) == 4
    for seed in (0, 1):
        old, new = sorted(
            (record for record in records if record.seed == seed), key=lambda record: len(record.history()["step"])
        )
        assert new is find(records, seed, dense.follow)
        assert {4, 8, 36, 40} <= set(new.history()["step"])
        assert not differences(old.checkpoint(), new.checkpoint())
        common = np.isin(new.history()["step"], old.history()["step"])
        assert not differences(old.history(), {name: column[common] for name, column in new.history().items()})
    only = Store(store.root / "only")
    train(dense, only, CODE, silent)
    unchanged = files(only.root)
    train(coarse, only, CODE, silent)
    assert files(only.root) == unchanged


def test_newer_code_trains_beside_older_records(store, fresh):
    """What older code has made is not used, not replaced, not removed."""
    task = job(seeds=2, budget=100)
    train(task, store, OLDER, silent)
    before = files(store.root)
    train(task, store, CODE, silent)
    assert before.items() <= files(store.root).items()
    assert_holds(store, task, fresh(task))
    train(job(seeds=2, budget=150), store, CODE, silent)
    assert before.items() <= files(store.root).items()


def test_adopted_records_count_and_go_on(store, fresh, monkeypatch):
    """The records of adopted code are not trained again; a longer budget continues them under today's name."""
    train(job(seeds=2, budget=100), store, OLDER, silent)
    store.adopt(OLDER, CODE, {"records": 2})
    before = files(store.root)
    with monkeypatch.context() as patched:
        patched.setattr(engine, "Run", None)
        train(job(seeds=2, budget=100), store, CODE, silent)
    task = job(seeds=2, budget=150)
    train(task, store, CODE, silent)
    assert before.items() <= files(store.root).items()
    assert_holds(store, task, fresh(task))


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damaged", ["header truncated", "header changed"])
def test_a_damaged_header_is_not_trained_over(store, fresh, damaged):
    """Nor taken for that of another member; with its folder out of the way the member is trained again."""
    task = job(seeds=2, budget=100)
    train(task, store, CODE, silent)
    _, lost = (record.path for record in store.records(task.cell))
    if damaged == "header truncated":
        truncate(lost / "header.json")
    else:
        (lost / "header.json").write_text((lost / "header.json").read_text().replace('"seed": 1', '"seed": 0'))
    before = files(store.root)
    with pytest.raises(ValueError, match=r"header\.json is damaged"):
        train(task, store, CODE, silent)
    assert files(store.root) == before
    lost.rename(store.root / "damaged")
    train(task, store, CODE, silent)
    assert_holds(store, task, fresh(task))


@pytest.mark.parametrize("spoil", [damage, truncate])
@pytest.mark.parametrize("part", ["checkpoint", "history", "step_loss"])
def test_a_damaged_record_is_not_gone_on_from(store, part, spoil):
    """It is refused, by name, and stays as it is."""
    train(job(seeds=2, budget=100), store, CODE, silent)
    record = store.records(tiny())[1]
    spoil(record.path / record.header[part])
    before = files(store.root)
    with pytest.raises(ValueError, match=record.header[part]):
        train(job(seeds=2, budget=150), store, CODE, silent)
    assert files(store.root) == before


def test_a_missing_checkpoint_is_not_started_over(store):
    train(job(seeds=2, budget=100), store, CODE, silent)
    record = store.records(tiny())[0]
    (record.path / record.header["checkpoint"]).unlink()
    with pytest.raises(ValueError, match=r"checkpoint-100.* is missing"):
        train(job(seeds=2, budget=150), store, CODE, silent)


def test_where_a_member_leaves_depends_on_the_job_alone(store, fresh, monkeypatch):
    """A record with dense evaluations goes on for a job that asks for none."""
    task = job(seeds=1, event=400)
    sees = generalisation

    def dense_sees_more(steps, val_acc):
        """As if validation accuracy had been high from step 11 to 14 only."""
        return sees(steps, np.isin(steps, (11, 12, 13, 14)))

    monkeypatch.setattr(engine, "generalisation", dense_sees_more)
    expected = fresh(task)
    train(job(seeds=1, budget=100, dense=((1, 30),)), store, CODE, silent)
    train(task, store, CODE, silent)
    assert max(record.step for record in store.records(task.cell)) == 400 == expected[0]["history.step"][-1]
