"""Follow the members of a cell as far as a job asks, leaving a record of each in the store."""

import os
import platform
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from .. import sources
from ..cell import Cell
from ..events import Event, Follow, evaluation_steps, generalisation, last_step, snapshot_steps
from ..experiment import Job
from ..store import Overtaken, Record, Store, find
from .stack import METRICS, SIGNALS, Stack

CHECKPOINT_SECONDS = 60.0
REPORT_SECONDS = 1.0
STACK_LIMIT = {"cpu": 10, "cuda": 64}  # members at a time: enough to amortise the optimiser's call, or to fill a GPU
STACK_BYTES = 256e6  # of their parameters, gradients and moments: what keeps a job within its memory
STEP_LOSSES = 10_000  # steps whose batch loss is kept: the spectral analyses of early training read no more

SECONDS = ("wall", "cpu", "evaluation_cpu", "overhead_cpu")  # cpu holds the two after it

TRAIN_LOSS, TRAIN_ACC, VAL_ACC = (1 + METRICS.index(name) for name in ("train_loss", "train_acc", "val_acc"))  # of rows

Progress = Callable[[dict[str, Any]], None]


class Interrupted(Exception):
    """A signal asked for the end; everything trained so far is in the store."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@contextmanager
def postponed_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying of them."""
    received: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@dataclass
class Member:
    """What is known of one member while it is trained."""

    seed: int
    record: Record | None
    rows: list[tuple[float, ...]] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    signals: list[tuple[float, ...]] = field(default_factory=list)
    snapshots: dict[int, np.ndarray] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SECONDS, 0.0))

    def __post_init__(self):
        if self.record:
            history = self.record.history()
            self.rows = list(zip(*(history[name].tolist() for name in ("step", *METRICS)), strict=True))
            self.step_losses = self.record.step_losses().tolist()
            if "signals" in self.record.parts:
                signals = self.record.signals()
                self.signals = list(zip(*(signals[name].tolist() for name in SIGNALS), strict=True))
            if "snapshots" in self.record.parts:
                self.snapshots = dict(zip(*self.record.snapshots(), strict=True))
            self.spent |= self.record.header["seconds"]

    @property
    def diverged(self) -> bool:
        return bool(self.rows) and not np.isfinite(self.rows[-1][TRAIN_LOSS])

    def t4(self, grid: set[int]) -> Event:
        """Read off the evaluations on `grid` alone, so that it does not depend on what else was evaluated."""
        rows = [row for row in self.rows if row[0] in grid]
        return generalisation(np.array([row[0] for row in rows]), np.array([row[VAL_ACC] for row in rows]))

    def history(self) -> dict[str, np.ndarray]:
        columns = np.array(self.rows, dtype=np.float64).reshape(len(self.rows), 1 + len(METRICS)).T
        return {
            "step": columns[0].astype(np.int64),
            **{name: column.astype(np.float32) for name, column in zip(METRICS, columns[1:], strict=True)},
        }

    def on_demand(self, follow: Follow) -> dict[str, Any]:
        """What `follow` asks for beside a history, as `Store.save` takes it."""
        found: dict[str, Any] = {}
        if follow.signals:
            columns = np.array(self.signals, dtype=np.float64).reshape(len(self.signals), len(SIGNALS)).T
            steps = np.arange(1, len(self.signals) + 1)
            found["signals"] = {"step": steps, **dict(zip(SIGNALS, columns, strict=True))}
        if follow.snapshots:
            found["snapshots"] = np.array(list(self.snapshots)), np.stack(list(self.snapshots.values()))
        return found


class Clock:
    """Wall and CPU seconds since the last reading, shared equally among the members that were trained."""

    def __init__(self):
        self.last = time.perf_counter(), 0.0  # process_time begins with the interpreter

    def charge(self, members: list[Member], *purposes: str) -> None:
        now = time.perf_counter(), time.process_time()
        wall, cpu = (b - a for a, b in zip(self.last, now, strict=True))
        self.last = now
        for member in members:
            member.spent["wall"] += wall / len(members)
            for purpose in ("cpu", *purposes):
                member.spent[purpose] += cpu / len(members)


CLOCK = Clock()  # of the process: its start and imports count too


class Run:
    """Some members of a job's cell that stand at the same step, trained on as one stack."""

    def __init__(self, job: Job, members: list[Member], store: Store, code: dict[str, str], device: str):
        self.job, self.members, self.store, self.code = job, members, store, code
        self.stack = Stack(job.cell, [member.seed for member in members], device)
        if members[0].record:
            states = [member.record.checkpoint() for member in members]
            self.stack.restore(self.stack.seeds, states, members[0].record.step)
            for member in members:
                member.record.held.clear()
        self.grid = set(evaluation_steps(job.follow.budget, job.follow.dense).tolist())
        self.common_grid = set(evaluation_steps(job.follow.budget).tolist())
        self.snapshot_grid = set(snapshot_steps(job.follow.budget, job.follow.snapshots).tolist())
        CLOCK.charge(self.members, "overhead_cpu")

    def evaluate(self) -> None:
        metrics = self.stack.evaluate()
        for index, member in enumerate(self.members):
            member.rows.append((self.stack.step, *(float(np.float32(metrics[name][index])) for name in METRICS)))
        CLOCK.charge(self.members, "evaluation_cpu")

    def keep_snapshots(self) -> None:
        if self.stack.step in self.snapshot_grid:
            for index, member in enumerate(self.members):
                member.snapshots[self.stack.step] = self.stack.weights(index)

    def advance(self) -> None:
        if self.stack.step < self.job.follow.signals:
            signals = self.stack.watched_advance()
            losses = signals["loss"]
            for member, *row in zip(self.members, *(signals[name].tolist() for name in SIGNALS), strict=True):
                member.signals.append(tuple(row))
        else:
            losses = self.stack.advance()
        if self.stack.step <= STEP_LOSSES:
            for member, loss in zip(self.members, losses.tolist(), strict=True):
                member.step_losses.append(loss)
        self.keep_snapshots()

    def save(self, index: int) -> None:
        """Write one member's record as it stands."""
        member, cell = self.members[index], self.job.cell
        data, t4 = self.stack.data[index], member.t4(self.common_grid)
        header = {
            "cell": cell.model_dump(),
            "cell_id": cell.id,
            "seed": member.seed,
            "last_step": self.stack.step,
            "t4": [t4.after, t4.at] if t4.reached else [None, None],
            "diverged": member.diverged,
            "dense": [list(stretch) for stretch in self.job.follow.dense],
            "snapshots_at": [list(stretch) for stretch in self.job.follow.snapshots],
            "signals_until": self.job.follow.signals,
            "examples": {side: int(getattr(data, side).sum()) for side in ("train", "validation")},
            "evaluated": {side: int(getattr(data, side)[data.seen].sum()) for side in ("train", "validation")},
            "seconds": {purpose: round(seconds, 3) for purpose, seconds in member.spent.items()},
            "flops": cell.flops_per_step * self.stack.step,
            "code": self.code,
            "machines": stretches(member.record, self.stack.step, machine(self.stack.device)),
        }
        path = self.store.path(cell, member.seed, self.code, self.job.follow)
        losses = np.array(member.step_losses, dtype=np.float32)
        on_demand = member.on_demand(self.job.follow)
        self.store.save(path, header, member.history(), self.stack.state(index), losses, **on_demand)

    def save_all(self) -> None:
        CLOCK.charge(self.members)
        for index in range(len(self.members)):
            self.save(index)
        CLOCK.charge(self.members, "overhead_cpu")

    def leave(self) -> None:
        """Save the members that have been followed far enough and take them off the stack."""
        done = [
            index
            for index, member in enumerate(self.members)
            if member.diverged or self.stack.step >= last_step(member.t4(self.common_grid), self.job.follow)
        ]
        for index in done:
            self.save(index)
        rest = [index for index in range(len(self.members)) if index not in done]
        if done and rest:
            self.stack.keep(rest)
        self.members = [self.members[index] for index in rest]
        if done:
            CLOCK.charge(self.members, "overhead_cpu")

    def progress(self, step: int, seconds: float) -> dict[str, Any]:
        """How far the members still here are, as their last evaluation found them; `step` was `seconds` ago."""
        return {
            "step": self.stack.step,
            "members": len(self.members),
            "seeds": [member.seed for member in self.members],
            "steps_per_second": (self.stack.step - step) / seconds if seconds else 0.0,
            "train_acc": [member.rows[-1][TRAIN_ACC] for member in self.members],
            "val_acc": [member.rows[-1][VAL_ACC] for member in self.members],
        }

    def follow(self, received: list[int], report: Progress) -> None:
        """Train until every member has left. Raises Interrupted, after saving, once a signal is `received`."""
        if not self.stack.step:
            self.evaluate()
            self.keep_snapshots()
        first, began = self.stack.step, time.monotonic()
        saved = reported = began
        report(self.progress(first, 0.0))
        while self.members:
            self.advance()
            if self.stack.step in self.grid:
                CLOCK.charge(self.members)
                self.evaluate()
                self.leave()
            now = time.monotonic()
            if now - reported > REPORT_SECONDS:
                reported = now
                report(self.progress(first, now - began))
            if self.members and (received or now - saved > CHECKPOINT_SECONDS):
                saved = now
                self.save_all()
            if received:
                raise Interrupted(received[0])


def cpu_model() -> str:
    with open("/proc/cpuinfo") if os.path.exists("/proc/cpuinfo") else open(os.devnull) as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


def machine(device: str) -> dict[str, Any]:
    """What beside the code a trajectory's last bits may depend on, and the Python that ran it."""
    return {
        "device": device,
        "cpu": cpu_model(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(terse=True),
        "python": platform.python_version(),
        **sources.versions(),
    }


def stretches(before: Record | None, step: int, here: dict[str, Any]) -> list[dict[str, Any]]:
    """The kinds of machine that trained a member: those of the record that it goes on from, and this one up to `step`,
    as one if they are equal."""
    earlier = before.machines if before else []
    if earlier and {**earlier[-1], "until": step} == {"until": step, **here}:
        earlier = earlier[:-1]
    return [*earlier, {"until": step, **here}]


def runs(job: Job, store: Store, codes: set[str], limit: int) -> list[list[Member]]:
    """The members that `job` still needs, in groups that can be one stack: at one step, at most `limit`."""
    records = [record for record in store.records(job.cell) if record.is_of(codes)]
    groups: dict[int, list[Member]] = {}
    for seed in range(job.seeds):
        record = find(records, seed, job.follow)
        if record and not record.complete(job.follow):
            record = Record.read(record.path)
        if record is None or not record.complete(job.follow):
            groups.setdefault(record.step if record else 0, []).append(Member(seed, record))
    return [
        members[first : first + limit]
        for _, members in sorted(groups.items())
        for first in range(0, len(members), limit)
    ]


def stack_limit(cell: Cell, device: str) -> int:
    """Members of a cell that may be one stack."""
    return int(max(1, min(STACK_LIMIT[device], STACK_BYTES // (4 * 4 * cell.parameters))))


def train(job: Job, store: Store, code: dict[str, str], report: Progress, device: str = "cpu") -> None:
    """Do what `job` asks and the store does not hold yet, on `device` ("cpu", with one thread, or "cuda").

    Raises Busy if another process trains the cell, Interrupted on SIGINT or SIGTERM after saving every member.
    """
    with store.lease(job.cell), postponed_signals() as received:
        while True:
            try:
                for members in runs(job, store, store.equivalent(code), stack_limit(job.cell, device)):
                    Run(job, members, store, code, device).follow(received, report)
                return
            except Overtaken:  # on a file system without locks; what is there is gone on from
                if received:
                    raise Interrupted(received[0]) from None
