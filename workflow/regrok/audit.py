"""Floor 5. Retrain members alone and compare with their records, bit for bit."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .cell import Cell
from .events import Follow
from .experiment import Job
from .store import Record, Store
from .training.stack import METRICS
from .training.train import Member, Run, postponed_signals


def difference(record: Record, code: dict[str, str]) -> str | None:
    """How the member, trained alone by today's code as far as its record goes, differs from it; None if in no bit."""
    dense = tuple(tuple(stretch) for stretch in record.header["dense"])
    job = Job(Cell.model_validate(record.header["cell"]), 1, Follow(0, record.step, dense))
    with tempfile.TemporaryDirectory() as folder, postponed_signals() as received:
        store = Store(Path(folder))
        Run(job, [Member(record.seed, None)], store, code, "cpu").follow(received, lambda progress: None)
        (fresh,) = store.records(job.cell)
        return (
            history_difference(record, fresh)
            or step_loss_difference(record, fresh)
            or checkpoint_difference(record, fresh)
        )


def history_difference(record: Record, fresh: Record) -> str | None:
    old, new = record.history(), fresh.history()
    _, in_old, in_new = np.intersect1d(old["step"], new["step"], return_indices=True)
    for name in METRICS:
        unequal = differing(old[name][in_old], new[name][in_new])
        if len(unequal):
            return f"{name} at step {old['step'][in_old[unequal[0]]]}"
    return None


def step_loss_difference(record: Record, fresh: Record) -> str | None:
    old, new = record.step_losses(), fresh.step_losses()
    common = min(len(old), len(new))
    unequal = differing(old[:common], new[:common])
    return f"batch loss of step {unequal[0] + 1}" if len(unequal) else None


def differing(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Where two series are not equal; what is undefined in both is equal, as in members that have diverged."""
    return np.flatnonzero((old != new) & ~(np.isnan(old) & np.isnan(new)))


def checkpoint_difference(record: Record, fresh: Record) -> str | None:
    old, new = record.checkpoint(), fresh.checkpoint()
    if fresh.step != record.step:
        return f"it ends at step {fresh.step} instead of {record.step}"
    unequal = [
        name
        for name in old | new
        if name not in old or name not in new or not np.array_equal(old[name], new[name], equal_nan=True)
    ]
    return f"{unequal[0]} at step {record.step}" if unequal else None


def sample(records: Iterable[Record], size: int, rng: np.random.Generator) -> list[Record]:
    """At most `size` of `records`, drawn at random without replacement."""
    records = list(records)
    return [records[index] for index in rng.permutation(len(records))[:size]]
