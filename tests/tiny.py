"""Cells small enough to train for thousands of steps in a test, and what to compare of what they leave."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from regrok.cell import Cell
from regrok.events import Follow
from regrok.experiment import Job, override
from regrok.store import Record, Store

SETTINGS = {  # generalises after some 700 steps
    "task": {"operation": "add", "modulus": 13},
    "split": {"fraction": 0.8, "pairs": "ordered"},
    "model": {"architecture": "mlp", "embedding": 16, "hidden": 32, "layers": 2, "embedding_std": 1.0},
    "optimizer": {
        "name": "adamw",
        "learning_rate": 1e-2,
        "weight_decay": 1.0,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "decays": "all",
    },
    "schedule": {"shape": "constant", "warmup": 10},
    "batches": {"size": 20, "order": "shuffled", "last": "keep"},
    "loss": {"precision": "float32"},
}
SGD = {"name": "sgd", "learning_rate": 0.05, "weight_decay": 1e-2, "momentum": 0.9, "decays": "all"}
ODD = {"batches.size": 7, "model.embedding": 5, "model.hidden": 9}
TRANSFORMER = {"architecture": "transformer", "width": 12, "layers": 2, "heads": 3, "norm": "post", "dropout": 0.0}
TIED = TRANSFORMER | {"architecture": "tied_transformer", "embedding_std": 0.3}
SHARED = {"architecture": "shared_mlp", "embedding": 16, "hidden": 32, "layers": 2, "embedding_std": 1.0}
LSTM = {"architecture": "lstm", "width": 7, "hidden": 9, "layers": 2, "dropout": 0.0}
RESIDUAL = {
    "architecture": "residual_mlp",
    "width": 5,
    "layers": 2,
    "hidden": 9,
    "positions": "flatten",
    "dropout": 0.0,
}
SEQUENCE = SHARED | {"architecture": "sequence_mlp", "embedding": 5}
REVERSE = {"task": {"operation": "reverse", "length": 3, "letters": 3}}
SUMS = {"task": {"operation": "sum", "modulus": 5, "terms": 3}}
RMSPROP = {
    "name": "rmsprop",
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
    "momentum": 0.5,
    "alpha": 0.99,
    "epsilon": 1e-8,
    "decays": "all",
}
VARIANTS = {  # what a trajectory may look like; none may show what else is in the stack
    "base": {},
    "odd sizes": ODD,
    "one example": {"batches.size": 1, "model.embedding": 1, "model.hidden": 3},
    "wide": {"task.modulus": 31, "model.embedding": 24, "model.hidden": 64, "batches.size": 100},
    "one layer": {"model.layers": 1},
    "three layers": {"model.layers": 3, "task.operation": "divide"},
    "shared mlp": {"model": SHARED},
    "shared mlp, full batch, embeddings spared": {
        "model": SHARED | {"layers": 1, "embedding": 5},
        "batches.size": "full",
        "optimizer.decays": "no_embeddings",
    },
    "float64 loss": {"loss.precision": "float64"},
    "float64 loss, odd sizes": {"loss.precision": "float64", **ODD},
    "adam": {"optimizer.name": "adam", "optimizer.weight_decay": 1e-2},
    "sgd": {"optimizer": SGD},
    "sgd without momentum": {"optimizer": SGD | {"momentum": 0.0}},
    "sgd, biases spared": {"optimizer": SGD | {"decays": "no_biases"}, **ODD},
    "transformer": {"model": TRANSFORMER},
    "transformer, pre-norm, float64 loss": {
        "model": TRANSFORMER | {"norm": "pre", "layers": 3},
        "loss.precision": "float64",
    },
    "tied transformer": {"model": TIED},
    "tied transformer, pre-norm, dropout, full batch": {
        "model": TIED | {"norm": "pre", "dropout": 0.3},
        "batches.size": "full",
    },
    "lstm": {"model": LSTM},
    "transformer, dropout": {"model": TRANSFORMER | {"dropout": 0.3}},
    "transformer, three terms": {"model": TRANSFORMER, **SUMS},
    "lstm, dropout, three terms": {"model": LSTM | {"dropout": 0.2}, **SUMS},
    "residual mlp": {"model": RESIDUAL},
    "residual mlp, summed, dropout": {"model": RESIDUAL | {"positions": "sum", "dropout": 0.5}},
    "sequence mlp": {"model": SEQUENCE, **SUMS},
    "sequence mlp, three places, float64 loss": {"model": SEQUENCE, "loss.precision": "float64", **REVERSE},
    "transformer, three places": {"model": TRANSFORMER, **REVERSE},
    "lstm, three places, dropout": {"model": LSTM | {"dropout": 0.2}, **REVERSE},
    "group": {"task": {"operation": "x y x^-1", "group": "S3"}},
    "rmsprop": {"optimizer": RMSPROP},
    "rmsprop without momentum": {"optimizer": RMSPROP | {"momentum": 0.0}, **ODD},
    "unordered": {"split.pairs": "unordered"},
    "biases spared": {"optimizer.decays": "no_biases"},
    "embeddings spared": {"optimizer.decays": "no_embeddings", **ODD},
    "short batch dropped": {"batches.last": "drop"},
    "replacement": {"batches.order": "replacement"},
    "cosine": {"schedule": {"shape": "cosine", "warmup": 3, "horizon": 40}},
    "staircase": {"schedule": {"shape": "staircase", "warmup": 0, "factor": 0.5, "every": 7}},
}
CODE = {"engine": "today"}
OLDER = {"engine": "yesterday"}


def tiny(overrides: dict | None = None) -> Cell:
    return Cell.model_validate(override(SETTINGS, overrides or {}))


def job(
    seeds: int = 2, event: int = 0, budget: int = 0, dense: tuple = (), overrides: dict | None = None, **measured
) -> Job:
    return Job(tiny(overrides), seeds, Follow(event, budget, dense, **measured))


def silent(progress: dict) -> None:
    pass


def differences(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> list[str]:
    """Names of the arrays that are not the same bits, or in one of the two alone."""

    def same(a: np.ndarray, b: np.ndarray) -> bool:
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()

    return [name for name in left | right if name not in left or name not in right or not same(left[name], right[name])]


def contents(record: Record) -> dict[str, np.ndarray]:
    """Everything that a record has measured and would go on from."""
    return {
        **{f"history.{name}": column for name, column in record.history().items()},
        **{f"checkpoint.{name}": array for name, array in record.checkpoint().items()},
        "step_losses": record.step_losses(),
        **(record.signals() if "signals" in record.parts else {}),
        **(dict(zip(("kept", "weights"), record.snapshots(), strict=True)) if "snapshots" in record.parts else {}),
    }


def by_seed(store: Store, cell: Cell, code: dict = CODE) -> dict[int, Record]:
    """The records that `code` itself has made; fails where a seed has two."""
    records = [record for record in store.records(cell) if record.code == code]
    assert len({record.seed for record in records}) == len(records)
    return {record.seed: record for record in records}


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder but leases."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lease"
    }


@contextmanager
def done_to(monkeypatch) -> Iterator[list[tuple[str, str]]]:
    """What is done to files meanwhile: ("renamed" or "removed", name), and ("settled", "") where names are flushed."""
    found, replace, unlink, fsync = [], os.replace, Path.unlink, os.fsync

    def settled(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            found.append(("settled", ""))
        fsync(descriptor)

    def renamed(source, target):
        found.append(("renamed", target.name))
        replace(source, target)

    def removed(path, **options):
        found.append(("removed", path.name))
        unlink(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", settled)
        patched.setattr(os, "replace", renamed)
        patched.setattr(Path, "unlink", removed)
        yield found
