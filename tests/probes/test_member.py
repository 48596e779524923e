"""A record as a probe sees it: cut where its scale stops, whatever a bigger scale has added."""

import numpy as np
import pytest
import torch
from tiny import CODE, LSTM, RESIDUAL, TRANSFORMER, by_seed, differences, job, silent
from torch.nn import functional

from regrok.probes.member import Member
from regrok.store import Store
from regrok.training.train import train

MEASURED = {"snapshots": ((20, 60),), "signals": 70}


def member(store: Store, budget: int, **settings) -> Member:
    task = job(seeds=2, budget=budget, **MEASURED, **settings)
    train(task, store, CODE, silent)
    return Member(task, by_seed(store, task.cell)[1])


def test_a_bigger_scale_changes_nothing(tmp_path):
    store = Store(tmp_path)
    task, small = job(seeds=2, budget=50, **MEASURED), member(store, 50)
    seen = {**small.history(), **small.signals(), "losses": small.step_losses(), "weights": small.snapshots().rows}
    large = member(store, 200)
    assert large.record.path == small.record.path
    assert large.last_step == 200
    cut = Member(task, large.record)
    assert cut.last_step == 50
    assert not differences(
        seen, {**cut.history(), **cut.signals(), "losses": cut.step_losses(), "weights": cut.snapshots().rows}
    )
    assert cut.snapshots().steps.tolist() == [0, 1, 2, 5, 10, 20, 40, 50]
    assert len(large.signals()["step"]) == 70


@pytest.mark.parametrize("model", [None, TRANSFORMER, LSTM, RESIDUAL])
def test_a_snapshot_is_the_network_that_was_evaluated(tmp_path, model):
    one = member(Store(tmp_path), 100, overrides={"model": model} if model else {})
    history, snapshots = one.history(), one.snapshots()
    for index in (0, len(snapshots.steps) - 1):
        (row,) = np.flatnonzero(history["step"] == snapshots.steps[index])
        plain = snapshots.module(index, torch.float64)
        for side in ("train", "val"):
            tokens, answers = snapshots.examples("train" if side == "train" else "validation")
            logits = plain(tokens)
            assert logits.dtype == torch.float64
            loss = functional.cross_entropy(logits, answers).item()
            assert loss == pytest.approx(history[f"{side}_loss"][row], rel=1e-4)
            accuracy = (logits.argmax(1) == answers).double().mean().item()
            assert accuracy == pytest.approx(history[f"{side}_acc"][row], abs=1e-3)


def test_without_snapshots_it_says_so(tmp_path):
    task = job(seeds=1, budget=50)
    train(task, Store(tmp_path), CODE, silent)
    (record,) = Store(tmp_path).records(task.cell)
    with pytest.raises(ValueError, match="has no snapshots: its study asks for none"):
        Member(task, record).snapshots()
    with pytest.raises(ValueError, match="has no signals"):
        Member(task, record).signals()
