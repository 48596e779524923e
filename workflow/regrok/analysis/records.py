"""The base tables: cells, designs, members, histories, built from the jobs of a scale and the records at hand.

A history is cut where this scale stops following its member, so the tables of a scale are the same
whether or not a bigger scale has taken the member further.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from ..events import GROKKING_DELAY, evaluation_steps, events, generalisation, last_step
from ..experiment import Design, Job
from ..store import Record
from . import factors

CELL = {"cell": ("", "id of the cell")}
EVENT_MEANINGS = {
    "t1": "training accuracy leaves chance",
    "t2": "training accuracy reaches 99 %",
    "t3": "validation accuracy leaves chance",
    "t4": "validation accuracy reaches 99 %: steps to grokking",
}
HISTORY = {
    "train_loss": ("nats", "mean cross-entropy on the training set"),
    "val_loss": ("nats", "mean cross-entropy on the validation set"),
    "train_acc": ("1", "accuracy on the training set"),
    "val_acc": ("1", "accuracy on the validation set"),
    "weight_norm": ("1", "Euclidean norm of all parameters"),
    "zero_loss_share": ("1", "share of training examples whose loss is exactly 0"),
}
COLUMNS = {
    "cells": {
        **CELL,
        **factors.COLUMNS,
        "n_parameters": ("1", "trainable parameters of a member"),
        "steps_per_epoch": ("steps", "optimisation steps in which the training set is seen once"),
        "flops_per_step": ("FLOP", "least floating-point operations of a member's training step"),
    },
    "designs": {
        "study": ("", "name of the study in config.yaml"),
        "report": ("", "source report"),
        **CELL,
        "varied": ("", "settings that the study's grid varies"),
        "seeds": ("1", "members the study asks for"),
        "budget": ("steps", "how far the study follows a member at most"),
        "stop": ("", "'event': members stop after t4; 'budget': at the budget"),
        "reference": ("", "whether speed-ups of the study are relative to this cell"),
    },
    "members": {
        **CELL,
        **factors.COLUMNS,
        "n_parameters": ("1", "trainable parameters"),
        "seed": ("", "seed of the member's random streams"),
        "n_train": ("1", "training examples"),
        "n_val": ("1", "validation examples"),
        "evaluated_train": ("1", "training examples that accuracies and losses are measured on"),
        "evaluated_val": ("1", "validation examples that accuracies and losses are measured on"),
        "steps_per_epoch": ("steps", "optimisation steps in which the training set is seen once"),
        "family": ("", "family of the task: the file in tasks/"),
        "symbol": ("", "operation as printed"),
        "symmetric": ("", "whether the two operands of every example may be exchanged"),
        "chance": ("1", "accuracy of always giving the most frequent answer"),
        "budget": ("steps", "how far this scale follows the member at most"),
        "last_step": ("steps", "how far it was followed"),
        "stop_reason": ("", "event, budget or diverged"),
        **{
            column: ("steps", meaning)
            for event, text in EVENT_MEANINGS.items()
            for column, meaning in ((f"{event}_after", f"last evaluation before {event}"), (event, text))
        },
        "generalised": ("", "whether t4 was reached"),
        "delay": ("steps", "t4 - t2"),
        "delay_ratio": ("1", "t4 / t2"),
        "grokked": ("", f"whether t4 was reached at least {GROKKING_DELAY} steps after t2"),
        "diverged": ("", "whether the loss became infinite or undefined"),
        "final_train_acc": ("1", "accuracy on the training set at the last step"),
        "final_val_acc": ("1", "accuracy on the validation set at the last step"),
        "final_train_loss": ("nats", "training loss at the last step"),
        "final_val_loss": ("nats", "validation loss at the last step"),
        "best_val_acc": ("1", "highest validation accuracy"),
        "zero_loss_share": ("1", "share of training examples whose loss is exactly 0 at the last step"),
        "zero_loss_half_step": ("steps", "first evaluation at which half of the training examples have loss 0"),
        "wall_seconds": ("s", "the member's share of the time that its stack trained"),
        "cpu_seconds": ("s", "the member's share of CPU time"),
        "evaluation_cpu_seconds": ("s", "the part of it spent on evaluation"),
        "overhead_cpu_seconds": ("s", "the part of it spent on starting, imports, set-up, and writing records"),
        "flops": ("FLOP", "least floating-point operations of its training steps"),
    },
    "provenance": {
        "device": ("", "kind of device that trained"),
        "cpu": ("", "model of the processor"),
        "capability": ("", "vector instructions that PyTorch used"),
        "torch": ("", "version of PyTorch"),
        "numpy": ("", "version of NumPy"),
        "numba": ("", "version of Numba"),
        "members": ("1", "members trained there, at least for a part of their steps"),
    },
    "throughput": {
        **CELL,
        "repetition": ("", "timings of one repetition follow one another, so that a shared machine slows all alike"),
        "steps_per_second": ("1/s", "optimisation steps of members a second of one core"),
    },
    "histories": {**CELL, "seed": ("", "seed of the member"), "step": ("steps", "optimisation step"), **HISTORY},
}


def build(designs: list[Design], records: Iterable[tuple[Job, Record]]) -> dict[str, pd.DataFrame]:
    """The base tables: name -> frame with the columns of COLUMNS[name]."""
    cells = {design.cell.id: design.cell for design in designs}
    members, histories, origins = [], [], Counter()
    for job, record in records:
        history = cut(record, job)
        members.append(member(job, record, history))
        origins.update(origins_of(record))
        key = {"cell": job.cell.id, "seed": record.seed, "step": history["step"]}
        histories.append(pd.DataFrame(key | {name: history[name] for name in HISTORY}))
    return {
        "cells": frame(
            "cells",
            [
                {
                    "cell": cell_id,
                    **factors.of(cell),
                    "n_parameters": cell.parameters,
                    "steps_per_epoch": cell.steps_per_epoch,
                    "flops_per_step": cell.flops_per_step,
                }
                for cell_id, cell in cells.items()
            ],
        ),
        "designs": frame(
            "designs",
            [
                {
                    **{
                        key: getattr(design, key) for key in ("study", "report", "seeds", "budget", "stop", "reference")
                    },
                    "cell": design.cell.id,
                    "varied": ",".join(design.varied),
                }
                for design in designs
            ],
        ),
        "members": frame("members", members),
        "provenance": frame("provenance", [dict(where) | {"members": n} for where, n in origins.most_common()]),
        "histories": pd.concat(
            [frame("histories", []).astype(dict.fromkeys(HISTORY, "float32")), *histories], ignore_index=True
        ),
    }


def origins_of(record: Record) -> set[tuple[tuple[str, str], ...]]:
    """The machines and library versions that made a record: for each, the columns of `provenance` but the last."""
    columns = [column for column in COLUMNS["provenance"] if column != "members"]
    return {tuple((column, machine.get(column, "")) for column in columns) for machine in record.machines}


def cut(record: Record, job: Job) -> dict[str, np.ndarray]:
    """The rows of a record's history that `job` asks for."""
    history = record.history()
    wanted = np.isin(history["step"], evaluation_steps(job.follow.budget, job.follow.dense))
    common = np.isin(history["step"], evaluation_steps(job.follow.budget))
    t4 = generalisation(history["step"][common], history["val_acc"][common])
    wanted &= history["step"] <= last_step(t4, job.follow)
    return {name: column[wanted] for name, column in history.items()}


def member(job: Job, record: Record, history: dict[str, np.ndarray]) -> dict:
    """A row of `members` from a cut history. Events are read off the evaluations that every cell has: additional ones
    would date them earlier, and cells that are compared must be measured alike."""
    sizes = record.header["examples"], record.header.get("evaluated", record.header["examples"])
    (n_train, n_val), seen = ([sides[side] for side in ("train", "validation")] for sides in sizes)
    standard = np.isin(history["step"], evaluation_steps(job.follow.budget))
    alike = {name: column[standard] for name, column in history.items()}
    found = events(alike, *seen, 1 / job.cell.task.chance)
    t2, t4 = found["t2"], found["t4"]
    diverged = not np.isfinite(history["train_loss"][-1])
    last = int(history["step"][-1])
    share, half = last / max(record.step, 1), np.flatnonzero(history["zero_loss_share"] >= 0.5)
    seconds = record.header["seconds"]
    return {
        "cell": job.cell.id,
        **factors.of(job.cell),
        "n_parameters": job.cell.parameters,
        "seed": record.seed,
        "n_train": n_train,
        "n_val": n_val,
        "evaluated_train": seen[0],
        "evaluated_val": seen[1],
        "steps_per_epoch": job.cell.steps_per_epoch,
        **{name: getattr(job.cell.task, name) for name in ("family", "symbol", "symmetric", "chance")},
        "budget": job.follow.budget,
        "last_step": last,
        "stop_reason": "diverged" if diverged else "event" if t4.reached and last < job.follow.budget else "budget",
        **{f"{name}_after": event.after for name, event in found.items()},
        **{name: event.at for name, event in found.items()},
        "generalised": t4.reached,
        "delay": t4.at - t2.at,
        "delay_ratio": t4.at / t2.at if t2.at else np.nan,
        "grokked": t4.at - t2.at >= GROKKING_DELAY,
        "diverged": diverged,
        **{f"final_{name}": history[name][-1] for name in ("train_acc", "val_acc", "train_loss", "val_loss")},
        "best_val_acc": history["val_acc"].max(),
        "zero_loss_share": history["zero_loss_share"][-1],
        "zero_loss_half_step": history["step"][half[0]] if len(half) else np.nan,
        "wall_seconds": share * seconds["wall"],
        "cpu_seconds": share * seconds["cpu"],
        "evaluation_cpu_seconds": share * seconds["evaluation_cpu"],
        "overhead_cpu_seconds": share * seconds.get("overhead_cpu", np.nan),
        "flops": job.cell.flops_per_step * last,
    }


def dtype(column: str, unit: str) -> str:
    if column in factors.FACTORS:
        return factors.FACTORS[column][1]
    if column in ("generalised", "grokked", "diverged", "reference", "symmetric"):
        return "bool"
    if column in ("seed", "seeds", "step", "budget", "last_step", "members", "repetition"):
        return "int64"
    if column in ("n_train", "n_val", "evaluated_train", "evaluated_val", "n_parameters", "steps_per_epoch"):
        return "int64"
    return "float64" if unit else "str"


def frame(name: str, rows: list[dict]) -> pd.DataFrame:
    """Base table `name` of `rows`, with its dtypes even if there are none."""
    columns = COLUMNS[name]
    return pd.DataFrame(rows, columns=list(columns)).astype(
        {column: dtype(column, unit) for column, (unit, _) in columns.items()}
    )
