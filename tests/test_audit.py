"""Retraining members alone: nothing to report of an honest record, the place of any difference in others."""

from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest
from tiny import CODE, SGD, files, job, silent
from tiny import OLDER as OTHER

from regrok.audit import difference, sample
from regrok.store import Record, Store
from regrok.training import train as engine
from regrok.training.train import Interrupted, train

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


def test_samples():
    records = [Record(None, {"seed": seed}) for seed in range(20)]
    draw = partial(sample, records, 5)
    first = draw(np.random.default_rng(0))
    assert len({record.seed for record in first}) == 5
    assert first == draw(np.random.default_rng(0)) != draw(np.random.default_rng(1))
    assert sorted(record.seed for record in sample(iter(records), 50, np.random.default_rng(0))) == list(range(20))
    assert sample([], 3, np.random.default_rng(0)) == []
