"""Retraining members alone: nothing to report of an honest record, the place of any difference in others; and what is
held against one whose bits cannot be asked for."""

from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest
from tiny import CODE, SGD, files, job, silent, tiny
from tiny import OLDER as OTHER

from regrok.audit import (
    DAMAGED,
    DIFFERS,
    EVENT_FACTOR,
    IDENTICAL,
    WITHIN,
    Contents,
    Finding,
    audit,
    difference,
    draw,
    event_difference,
    sample,
)
from regrok.store import Record, Store, digest
from regrok.training import train as engine
from regrok.training.stack import Stack
from regrok.training.train import Interrupted, train

GROKS = job(seeds=1, event=2000)
TASK = job(seeds=3, budget=60, dense=((9, 50),), overrides={"optimizer.decays": "no_biases"})


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Three members trained as one stack, and one interrupted between two evaluations."""
    store = Store(tmp_path_factory.mktemp("store"))
    train(TASK, store, CODE, silent)
    return store


def forged(record: Record, folder, history=None, checkpoint=None, step_losses=None, **header) -> Record:
    """A copy of a record with some of its content replaced, saved with checksums that fit."""
    store = Store(folder)
    store.save(
        folder / "cell" / "record",
        {**record.header, **header},
        history or record.history(),
        checkpoint or record.checkpoint(),
        record.step_losses() if step_losses is None else step_losses,
    )
    (copy,) = store.all()
    return copy


@pytest.mark.parametrize("index", range(3))
def test_an_honest_record_of_a_stack(store, index):
    before = files(store.root)
    assert difference(store.records(TASK.cell)[index], CODE) is None
    assert (
        difference(store.records(TASK.cell)[index], OTHER) is None
    )  # the bits are compared, not the names of the code
    assert files(store.root) == before


def test_an_honest_record_of_an_interrupted_member(tmp_path, monkeypatch):
    """Its last step is on no evaluation grid."""
    monkeypatch.setattr(engine, "REPORT_SECONDS", -1.0)

    def stop(progress: dict) -> None:
        if progress["step"] == 37:
            engine.signal.raise_signal(engine.signal.SIGTERM)

    store = Store(tmp_path)
    with pytest.raises(Interrupted):
        train(TASK, store, CODE, stop)
    record = store.records(TASK.cell)[1]
    assert record.step == 37
    assert difference(record, CODE) is None


def test_an_honest_record_of_a_diverged_member(tmp_path):
    """Its losses are undefined; that is no difference."""
    task = job(seeds=1, budget=200, overrides={"optimizer": SGD | {"learning_rate": 1e4}})
    train(task, Store(tmp_path / "a"), CODE, silent)
    (record,) = Store(tmp_path / "a").records(task.cell)
    assert np.isnan(record.history()["train_loss"][-1])
    assert difference(record, CODE) is None
    finite = {name: np.nan_to_num(column) for name, column in record.history().items()}
    found = difference(forged(record, tmp_path / "b", history=finite), CODE)
    assert found == f"train_loss at step {record.step}"


def flip(array: np.ndarray, index: int) -> np.ndarray:
    """A copy with the lowest bit of one number flipped."""
    copy = array.copy()
    copy.view(np.uint32)[index] ^= 1
    return copy


@pytest.mark.parametrize("name", ["train_loss", "val_loss", "train_acc", "val_acc", "weight_norm"])
def test_a_flipped_bit_of_a_history(store, tmp_path, name):
    record = store.records(TASK.cell)[0]
    history = record.history()
    row = history["step"].tolist().index(45)
    copy = forged(record, tmp_path, history={**history, name: flip(history[name], row)})
    assert difference(copy, CODE) == f"{name} at step 45"


@pytest.mark.parametrize("name", ["decayed.value", "decayed.exp_avg", "undecayed.exp_avg_sq", "undecayed.value"])
def test_a_flipped_bit_of_a_checkpoint(store, tmp_path, name):
    record = store.records(TASK.cell)[2]
    checkpoint = record.checkpoint()
    copy = forged(record, tmp_path, checkpoint={**checkpoint, name: flip(checkpoint[name], 3)})
    assert difference(copy, CODE) == f"{name} at step 60"


def test_an_array_too_few_or_too_many(store, tmp_path):
    record = store.records(TASK.cell)[0]
    checkpoint = record.checkpoint()
    more = forged(record, tmp_path / "more", checkpoint={**checkpoint, "third": np.zeros(1)})
    fewer = forged(
        record, tmp_path / "fewer", checkpoint={k: v for k, v in checkpoint.items() if k != "decayed.exp_avg"}
    )
    assert difference(more, CODE) == "third at step 60"
    assert difference(fewer, CODE) == "decayed.exp_avg at step 60"


def test_a_flipped_bit_of_a_batch_loss(store, tmp_path):
    record = store.records(TASK.cell)[0]
    copy = forged(record, tmp_path, step_losses=flip(record.step_losses(), 16))
    assert difference(copy, CODE) == "batch loss of step 17"


def test_the_record_of_another_seed(store, tmp_path):
    record = store.records(TASK.cell)[0]
    assert difference(forged(record, tmp_path, seed=1), CODE) == "train_loss at step 0"


def test_a_record_that_claims_more_steps(store, tmp_path):
    record = store.records(TASK.cell)[0]
    assert difference(forged(record, tmp_path, last_step=70), CODE) == "decayed.value at step 70"


def test_a_record_that_claims_to_have_survived(tmp_path):
    task = job(seeds=1, budget=200, overrides={"optimizer": SGD | {"learning_rate": 1e4}})
    train(task, Store(tmp_path / "a"), CODE, silent)
    (record,) = Store(tmp_path / "a").records(task.cell)
    copy = forged(record, tmp_path / "b", last_step=200, diverged=False)
    assert difference(copy, CODE) == f"it ends at step {record.step} instead of 200"


def test_a_damaged_record_is_no_difference_but_an_error(store, tmp_path):
    copy = forged(store.records(TASK.cell)[0], tmp_path)
    path = copy.path / copy.header["history"]
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(ValueError, match="is damaged"):
        difference(copy, CODE)


def test_evaluations_that_were_left_out_or_put_in(store, tmp_path):
    """Either moves events, with every number that is left being right."""
    record = store.records(TASK.cell)[0]
    history = record.history()
    fewer = forged(
        record, tmp_path / "a", history={name: column[history["step"] != 45] for name, column in history.items()}
    )
    more = {name: np.insert(column, -1, column[-1]) for name, column in history.items()}
    more["step"][-2] = 55
    assert difference(fewer, CODE) == "whether step 45 was evaluated"
    assert difference(forged(record, tmp_path / "b", history=more), CODE) == "whether step 55 was evaluated"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ({"t4": [20.0, 50.0]}, "t4 in its header, which is not its history's"),
        ({"diverged": True}, "whether it diverged, by its header"),
        ({"examples": {"train": 7, "validation": 8}}, "the numbers of examples in its header (examples)"),
    ],
)
def test_a_header_that_says_what_is_not_so(store, tmp_path, header, found):
    record = store.records(TASK.cell)[0]
    assert difference(forged(record, tmp_path, **header), CODE) == found


def found(record: Record, codes: set[str] | None = None) -> Finding:
    return audit(TASK.cell, record, CODE, codes or {digest(CODE)}, [])


def test_bits_are_asked_for_on_the_same_kind_of_machine_alone(store, tmp_path):
    record = store.records(TASK.cell)[0]
    (here,) = record.machines
    losses = record.history()
    losses = {**losses, "val_loss": flip(losses["val_loss"], 5)}
    where = f"val_loss at step {losses['step'][5]}"
    abacus = here | {"cpu": "an abacus", "capability": "fingers"}
    cases = {
        "same": ({}, None, DIFFERS, where),
        "kernel": ({"machines": [here | {"platform": "another", "python": "3.99"}]}, None, DIFFERS, where),
        "cpu": ({"machines": [abacus]}, None, WITHIN, "another cpu and capability"),
        "torch": ({"machines": [here | {"torch": "1.0"}]}, None, WITHIN, "another torch"),
        "old": ({"machines": [{**here, "until": 30}, abacus]}, None, WITHIN, "trained on several kinds of machine"),
        "code": ({}, {digest(OTHER)}, WITHIN, "older code"),
    }
    for name, (header, codes, verdict, detail) in cases.items():
        told = found(forged(record, tmp_path / name, history=losses, **header), codes)
        assert (told.verdict, told.detail) == (verdict, detail)
    assert found(record, {digest(OTHER)}).verdict == IDENTICAL


def test_the_record_of_another_cell(store):
    """A record is asked for the cell that it is kept under, whatever its header says."""
    other = job(budget=60, dense=((9, 50),), overrides={"optimizer.learning_rate": 0.02}).cell
    told = audit(other, store.records(TASK.cell)[0], CODE, {digest(CODE)}, [])
    assert told.verdict == DIFFERS


def test_a_damaged_record_is_found_so(store, tmp_path):
    copy = forged(store.records(TASK.cell)[0], tmp_path)
    (copy.path / copy.header["checkpoint"]).unlink()
    told = found(copy)
    assert told.verdict == DAMAGED
    assert copy.header["checkpoint"] in told.detail


def test_a_record_that_a_job_goes_on_with_is_compared_as_it_is_then(tmp_path):
    """What an audit draws it may compare hours later."""
    store = Store(tmp_path)
    train(job(seeds=1, budget=50), store, CODE, silent)
    (drawn,) = store.records(tiny())
    train(job(seeds=1, budget=100), store, CODE, silent)
    told = audit(tiny(), drawn, CODE, {digest(CODE)}, [])
    assert (told.verdict, told.record.step) == (IDENTICAL, 100)
    train(job(seeds=1, budget=150), store, CODE, silent)
    assert difference(drawn, CODE) is None


def test_an_audit_ends_by_a_signal(store):
    with pytest.raises(Interrupted):
        audit(TASK.cell, store.records(TASK.cell)[0], CODE, {digest(CODE)}, [15])


STEPS = [0, 1, 2, 5, 10, 20, *range(50, 1301, 50)]


def course(t2=200, t4=600, end=(1.0, 1.0), steps=(1000,), losses=(2.0,) * 10, loss=1.0) -> Contents:
    """A member that memorises at t2 and generalises at t4 and ends with accuracies `end`."""
    steps = np.array([step for step in STEPS if step <= steps[-1]])
    train, val = (np.where(steps >= at, 1.0, 0.5 * (steps >= 50)) for at in (t2, t4))
    for accuracy, last in zip((train, val), end, strict=True):
        accuracy[-3:] = np.minimum(accuracy[-3:], last)
    history = {
        "step": steps,
        "train_acc": train,
        "val_acc": val,
        "train_loss": np.append(np.ones(len(steps) - 1), loss),
    }
    header = {"examples": {"train": 5000, "validation": 5000}}
    return Contents(header, int(steps[-1]), history, np.array(losses), {})


NEVER = 10**6


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"t2": 100}, None),
        ({"t2": 400}, None),
        ({"t2": 450}, None),  # which happened after 400
        ({"t2": 500}, "t2 at step 200, retrained at step 500"),
        ({"t4": 300}, None),
        ({"t4": 250}, "t4 at step 600, retrained at step 250"),
        ({"t4": NEVER}, None),  # it may at 1050: see below
        ({"t4": NEVER, "steps": [1250]}, "t4 at step 600, retrained never"),
        ({"t2": NEVER, "t4": NEVER}, "t2 at step 200, retrained never"),
        ({"losses": [2.0] * 9 + [2.001]}, None),
        ({"losses": [2.0] * 9 + [2.003]}, "batch loss of step 10, before rounding can show"),
        ({"losses": [np.nan] * 10}, "batch loss of step 1, before rounding can show"),
        ({"end": (1.0, 0.96)}, None),
        ({"end": (1.0, 0.9)}, "val_acc at its end: 1.000, retrained 0.900"),
        ({"end": (0.9, 1.0)}, "train_acc at its end: 1.000, retrained 0.900"),
        ({"t4": NEVER, "end": (1.0, 0.0)}, None),  # still learning
        ({"steps": [300], "loss": np.nan}, "divergence never, retrained at step 300"),
        ({"steps": [500], "loss": np.nan, "t4": NEVER}, None),
    ],
)
def test_tolerances(changes, expected):
    assert event_difference(course(), course(**changes), tiny()) == expected


def test_what_happened_to_neither_is_no_difference():
    nothing = course(t2=NEVER, t4=NEVER)
    assert event_difference(nothing, course(t2=NEVER, t4=NEVER, end=(0.0, 0.0)), tiny()) is None


@pytest.fixture(scope="module")
def generalised(tmp_path_factory) -> Record:
    """Of a member that generalises, from one evaluation to the next, at step 700 or so."""
    store = Store(tmp_path_factory.mktemp("generalised"))
    train(GROKS, store, CODE, silent)
    (record,) = store.records(GROKS.cell)
    return record


def test_another_kernel_is_within_tolerance(generalised, tmp_path, monkeypatch):
    """A member that begins one bit away, as if rounded by another machine, to its generalisation."""
    place = Stack.place

    def nudged(self, seeds):
        place(self, seeds)
        load = self.parameters.load
        self.parameters.load = lambda index, values: load(index, {k: v * (1 + 2**-23) for k, v in values.items()})

    monkeypatch.setattr(Stack, "place", nudged)
    foreign = forged(generalised, tmp_path, machines=[generalised.machines[0] | {"cpu": "an abacus"}])
    told = audit(GROKS.cell, foreign, CODE, {digest(CODE)}, [])
    assert (told.verdict, told.detail) == (WITHIN, "another cpu")
    assert audit(GROKS.cell, generalised, CODE, {digest(CODE)}, []).verdict == DIFFERS


def claiming(record: Record, folder, t4: int) -> Record:
    """A copy, as of another machine, that ends soon after this step and says that the member had generalised at it."""
    history, last = record.history(), t4 + 200
    kept = {name: column[history["step"] <= last] for name, column in history.items()}
    kept["val_acc"] = np.where(kept["step"] >= t4, np.float32(1), np.minimum(kept["val_acc"], np.float32(0.9)))
    return forged(
        record,
        folder,
        history=kept,
        step_losses=record.step_losses()[:last],
        last_step=last,
        t4=[t4 - 50.0, float(t4)],
        machines=[record.machines[0] | {"cpu": "an abacus"}],
    )


def test_who_has_not_generalised_when_its_record_ends_is_trained_on(generalised, tmp_path):
    """Until it does, or should have."""
    at = int(generalised.t4.at)
    early, far_too_early = at - 250, 50 * (at // 100 - 2)
    assert early + 200 < at
    assert far_too_early * EVENT_FACTOR < generalised.t4.after
    told = audit(GROKS.cell, claiming(generalised, tmp_path / "a", early), CODE, {digest(CODE)}, [])
    assert (told.verdict, told.detail) == (WITHIN, "another cpu")
    told = audit(GROKS.cell, claiming(generalised, tmp_path / "b", far_too_early), CODE, {digest(CODE)}, [])
    assert told.verdict == DIFFERS
    assert told.detail == f"t4 at step {far_too_early}, retrained never (another cpu)"


def test_who_is_said_to_have_diverged_is_trained_on(generalised, tmp_path):
    history = generalised.history()
    history["train_loss"] = np.where(history["step"] == generalised.step, np.nan, history["train_loss"])
    machines = [generalised.machines[0] | {"cpu": "an abacus"}]
    copy = forged(generalised, tmp_path, history=history, diverged=True, machines=machines)
    told = audit(GROKS.cell, copy, CODE, {digest(CODE)}, [])
    assert (told.verdict, told.detail) == (
        DIFFERS,
        f"divergence at step {generalised.step}, retrained never (another cpu)",
    )


def test_draws_prefer_what_is_cheap():
    costs = [1.0] * 10 + [100.0] * 10
    draws = [draw(costs, 3, np.random.default_rng(seed)) for seed in range(300)]
    assert all(len(set(chosen)) == 3 for chosen in draws)
    costly = sum(index >= 10 for chosen in draws for index in chosen)
    assert 0 < costly < 0.03 * 900
    assert draws[0] == draw(costs, 3, np.random.default_rng(0))
    assert draw([0.0, 5.0], 7, np.random.default_rng(0)) == [0, 1]


def test_samples():
    records = [Record(None, {"seed": seed}) for seed in range(20)]
    draw = partial(sample, records, 5)
    first = draw(np.random.default_rng(0))
    assert len({record.seed for record in first}) == 5
    assert first == draw(np.random.default_rng(0)) != draw(np.random.default_rng(1))
    assert sorted(record.seed for record in sample(iter(records), 50, np.random.default_rng(0))) == list(range(20))
    assert sample([], 3, np.random.default_rng(0)) == []
