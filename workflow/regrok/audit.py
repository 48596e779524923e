"""Floor 5. Retrain members alone and compare them with their records: in every bit where that can be asked for.

It can where code, versions of libraries and the kind of machine are the record's. Elsewhere sums round differently,
and training is chaotic: the difference grows until two runs differ as much as two of one seed can. How much that is was
measured by training the same members with other kernels (MKL's and PyTorch's without AVX, against AVX-512): 19 of the
literal settings of both reports (perceptron modulo 97 at fractions 0.35 and 0.5, Transformer modulo 41) and 50 of tiny
ones modulo 13. Batch losses agreed to 2e-6 in the first ten steps and to 7e-4 at step 200. Of the literal settings t2
moved by at most 7 %, t4 by at most 18 %, and in two members t4 came by the end of one run alone; of the tiny ones t2 by
none, t4 by at most 6 %, and once it came at step 2250 of one run but not by 3000 of the other. Accuracies at the end
differed by up to 0.3 in members that had not settled, and by less than 0.01 in those that had.

So the first batch losses must agree, events must come at about the same step, and accuracies agree where a member has
settled; a member that is still learning has no accuracy to compare, and one near chance no step of leaving it. A forger
who stays within all that is found by a machine of the record's kind alone. A record ends soon after its last event: a
member that has not had it by then is trained on until it should have.
"""

import math
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import sources
from .cell import Cell
from .events import CONFIRMATIONS, LEAST_GAP, NEVER, Event, Follow, evaluation_steps, events, generalisation
from .experiment import Job
from .store import Record, Store, event_rule
from .training.stack import METRICS
from .training.train import Member, Run, machine, postponed_signals

KIND = ("device", "cpu", "capability", "threads", *sources.LIBRARIES)  # what bits depend on beside the code
EARLY_STEPS = 10  # before differences in rounding have grown
EARLY_LOSS = 1e-3  # relative; measured were 2e-6
EVENT_FACTOR = 2.0  # between the steps of an event; measured was 1.2, and once more than 1.3
FINAL_ACCURACY = 0.05  # between medians of the last evaluations; measured was 0.01

IDENTICAL, WITHIN, DIFFERS, DAMAGED = "identical", "within tolerance", "differs", "damaged"


@dataclass(frozen=True)
class Contents:
    """What a record held when it was read; a job that goes on with the member may replace its files."""

    header: dict[str, Any]
    step: int
    history: dict[str, np.ndarray]
    step_losses: np.ndarray
    checkpoint: dict[str, np.ndarray]

    @property
    def common(self) -> dict[str, np.ndarray]:
        """The history at the evaluations that every member of its cell has, from which events are read off."""
        common = np.isin(self.history["step"], evaluation_steps(2 * self.step))
        return {name: column[common] for name, column in self.history.items()}

    @property
    def follow(self) -> Follow:
        """As far as it goes, with its evaluations."""
        return Follow(0, self.step, tuple(map(tuple, self.header.get("dense", ()))))

    @classmethod
    def of(cls, record: Record) -> "Contents":
        """Of a record that is in memory."""
        return cls(record.header, record.step, record.history(), record.step_losses(), record.checkpoint())


@dataclass(frozen=True)
class Finding:
    """What an audit has found of a member. detail: in what it differs, or why bits were not asked for; seconds: CPU
    time of its training; record: as it was compared, if it could be."""

    verdict: str
    detail: str = ""
    seconds: float = 0.0
    record: Record | None = None


def audit(cell: Cell, record: Record, code: dict[str, str], codes: set[str], received: list[int]) -> Finding:
    """Compare a record of `cell` with the same member trained by today's `code`; `codes` count as made by it.

    Raises Interrupted once a signal is `received`.
    """
    try:
        record = Record.read(record.path)
        old = Contents.of(record)
    except (ValueError, OSError) as error:
        return Finding(DAMAGED, str(error))
    begun, reason = time.process_time(), unlike(record, codes)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        new = retrained(cell, record.seed, old.follow, code, received, store)
        different = bit_difference(old, new)
        if different and reason and (further := owed(old, new, cell)):
            new = retrained(cell, record.seed, further, code, received, store)
    seconds = time.process_time() - begun
    if not different:
        return Finding(IDENTICAL, "", seconds, record)
    if reason and not (different := event_difference(old, new, cell) or header_difference(old, new)):
        return Finding(WITHIN, reason, seconds, record)
    return Finding(DIFFERS, f"{different} ({reason})" if reason else different, seconds, record)


def unlike(record: Record, codes: set[str]) -> str:
    """Why a member retrained here need not have the record's bits; empty if it must."""
    if not record.is_of(codes):
        return "older code"
    here, kinds = machine("cpu"), {tuple(stretch.get(key) for key in KIND) for stretch in record.machines}
    if len(kinds) > 1:
        return "trained on several kinds of machine"
    (kind,) = kinds
    other = [key for key, value in zip(KIND, kind, strict=True) if value != here[key]]
    return f"another {' and '.join(other)}" if other else ""


def difference(record: Record, code: dict[str, str]) -> str | None:
    """How the member, trained alone by today's code as far as its record goes, differs from it; None if in no bit.

    Raises Interrupted on SIGINT or SIGTERM, ValueError if the record is damaged.
    """
    old, cell = Contents.of(Record.read(record.path)), Cell.model_validate(record.header["cell"])
    with postponed_signals() as received, tempfile.TemporaryDirectory() as folder:
        return bit_difference(old, retrained(cell, record.seed, old.follow, code, received, Store(Path(folder))))


def retrained(
    cell: Cell, seed: int, follow: Follow, code: dict[str, str], received: list[int], store: Store
) -> Contents:
    """A member trained alone, by today's code, on from what `store` holds of it."""
    before = next(iter(store.records(cell)), None)
    Run(Job(cell, 1, follow), [Member(seed, before)], store, code, "cpu").follow(received, lambda progress: None)
    (fresh,) = store.records(cell)
    return Contents.of(Record.read(fresh.path))


def bit_difference(old: Contents, new: Contents) -> str | None:
    return (
        history_difference(old, new)
        or step_loss_difference(old, new)
        or checkpoint_difference(old, new)
        or grid_difference(old, new)
        or header_difference(old, new)
    )


def history_difference(old: Contents, new: Contents) -> str | None:
    old, new = old.history, new.history
    _, in_old, in_new = np.intersect1d(old["step"], new["step"], return_indices=True)
    for name in METRICS:
        unequal = differing(old[name][in_old], new[name][in_new])
        if len(unequal):
            return f"{name} at step {old['step'][in_old[unequal[0]]]}"
    return None


def step_loss_difference(old: Contents, new: Contents) -> str | None:
    old, new = old.step_losses, new.step_losses
    common = min(len(old), len(new))
    unequal = differing(old[:common], new[:common])
    return f"batch loss of step {unequal[0] + 1}" if len(unequal) else None


def differing(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Where two series are not equal; what is undefined in both is equal, as in members that have diverged."""
    return np.flatnonzero((old != new) & ~(np.isnan(old) & np.isnan(new)))


def checkpoint_difference(old: Contents, new: Contents) -> str | None:
    if new.step != old.step:
        return f"it ends at step {new.step} instead of {old.step}"
    unequal = [
        name
        for name in old.checkpoint | new.checkpoint
        if name not in old.checkpoint
        or name not in new.checkpoint
        or not np.array_equal(old.checkpoint[name], new.checkpoint[name], equal_nan=True)
    ]
    return f"{unequal[0]} at step {old.step}" if unequal else None


def grid_difference(old: Contents, new: Contents) -> str | None:
    """Evaluations that were left out or put in, which would move events. Whoever is retrained alone sees its end."""
    steps = np.setdiff1d(np.setxor1d(old.history["step"], new.history["step"]), [old.step])
    return f"whether step {steps[0]} was evaluated" if len(steps) else None


def header_difference(old: Contents, new: Contents) -> str | None:
    """What a header says of its own history, and of the data, which is drawn alike everywhere."""
    for name in ("examples", "evaluated"):
        if old.header.get(name, new.header[name]) != new.header[name]:
            return f"the numbers of examples in its header ({name})"
    if old.header["diverged"] != diverged(old).reached:
        return "whether it diverged, by its header"
    t4 = generalisation(old.common["step"], old.common["val_acc"])
    stated = [t4.after, t4.at] if t4.reached else [None, None]
    if old.header["event_rule"] == event_rule() and old.header["t4"] != stated:
        return "t4 in its header, which is not its history's"
    return None


def event_difference(old: Contents, new: Contents, cell: Cell) -> str | None:
    """What of a member is not within the tolerances above."""
    early = min(EARLY_STEPS, len(old.step_losses), len(new.step_losses))
    close = np.isclose(old.step_losses[:early], new.step_losses[:early], rtol=EARLY_LOSS, atol=0, equal_nan=True)
    if not close.all():
        return f"batch loss of step {np.flatnonzero(~close)[0] + 1}, before rounding can show"
    found = [happened(contents, cell) for contents in (old, new)]
    for name in found[0]:
        ours, theirs = (events[name] for events in found)
        settled = {"t1": "t2", "t3": "t4"}.get(name)  # a member near chance leaves it by accident
        if settled and not all(events[settled].reached for events in found):
            continue
        if apart(ours, old.step, theirs, new.step):
            return f"{name} {told(ours)}, retrained {told(theirs)}"
    for name, event in (("train_acc", "t2"), ("val_acc", "t4")):
        if all(events[event].reached for events in found):
            ours, theirs = (float(np.median(contents.common[name][-CONFIRMATIONS:])) for contents in (old, new))
            if abs(ours - theirs) > FINAL_ACCURACY:
                return f"{name} at its end: {ours:.3f}, retrained {theirs:.3f}"
    return None


def owed(old: Contents, new: Contents, cell: Cell) -> Follow | None:
    """How far a member retrained is to be followed until what its record has would come too late; None if it has it.

    To the last of the evaluations that would confirm it.
    """
    ours, theirs = (happened(contents, cell) for contents in (old, new))
    lacking = [name for name in ("divergence", "t2", "t4") if ours[name].reached and not theirs[name].reached]
    if not lacking or theirs["divergence"].reached:
        return None
    latest = EVENT_FACTOR * max(ours[name].at for name in lacking)
    grid = evaluation_steps(math.ceil(2 * latest) + CONFIRMATIONS * LEAST_GAP)
    until = int(grid[np.searchsorted(grid, latest, "right") + CONFIRMATIONS - 1])
    event, budget = (until, new.step) if lacking == ["t4"] else (0, until)
    return replace(old.follow, until_event=event, until_budget=budget)


def happened(contents: Contents, cell: Cell) -> dict[str, Event]:
    """Divergence and t1..t4 of a member."""
    sizes = contents.header.get("evaluated", contents.header["examples"])
    seen = (sizes[side] for side in ("train", "validation"))
    return {"divergence": diverged(contents), **events(contents.common, *seen, 1 / cell.task.chance)}


def diverged(contents: Contents) -> Event:
    steps, losses = contents.history["step"], contents.history["train_loss"]
    return NEVER if np.isfinite(losses[-1]) else Event(float(steps[-2:][0]), float(steps[-1]))


def apart(ours: Event, our_end: int, theirs: Event, their_end: int) -> bool:
    """Whether an event's steps are further apart than tolerated. What has not happened may happen after the end."""
    spans = (
        (event.after, event.at) if event.reached else (end, np.inf)
        for event, end in ((ours, our_end), (theirs, their_end))
    )
    (_, first), (after, _) = sorted(spans, key=lambda span: span[1])
    return after > EVENT_FACTOR * first


def told(event: Event) -> str:
    return f"at step {event.at:g}" if event.reached else "never"


def cost_sentence(records: Iterable[Record]) -> str:
    """What to tell a user before `records` are retrained."""
    seconds = sum(record.header["seconds"]["cpu"] for record in records)
    return f"Their records took {seconds:.0f} CPU seconds, in stacks; alone, a member may take twice as long."


def draw(costs: list[float], size: int, rng: np.random.Generator) -> list[int]:
    """At most `size` members' indices, in order, drawn without replacement. costs: CPU seconds; a member's chance in a
    draw is inversely proportional to them, from a second on, so that about equal time goes to cheap and costly ones."""
    chances = 1 / np.maximum(costs, 1.0)
    size = min(size, len(costs))
    return sorted(rng.choice(len(costs), size, replace=False, p=chances / chances.sum()).tolist())


def sample(records: Iterable[Record], size: int, rng: np.random.Generator) -> list[Record]:
    """At most `size` of `records`, drawn at random without replacement."""
    records = list(records)
    return [records[index] for index in rng.permutation(len(records))[:size]]
