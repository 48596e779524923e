"""Floor 4. What the store holds of what the jobs of a scale need."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .experiment import Job
from .sources import cell_code, changed, probe_code
from .store import Record, Store, digest, find

NAMED = 5  # places that a sentence names


@cache
def code_of(architecture: str, family: str) -> dict[str, str]:
    return cell_code(architecture, family)


def code(job: Job) -> dict[str, str]:
    """Digests of the code and versions of the libraries that determine the trajectories of a job."""
    return code_of(job.cell.model.architecture, job.cell.task.family)


def code_of_probe(probe: str, job: Job) -> str:
    """Digest of the code that determines what a probe measures on the members of a job."""
    return digest(probe_code(probe, job.cell.model.architecture, job.cell.task.family))


@dataclass(frozen=True)
class Need:
    """One member that a job needs. record: the furthest of today's code; other: the furthest of older code."""

    job: Job
    seed: int
    record: Record | None
    other: Record | None

    @property
    def complete(self) -> bool:
        return self.record is not None and self.record.complete(self.job.follow)

    @property
    def stale(self) -> bool:
        """Whether older code has done what today's code has not."""
        return (
            not self.complete and self.other is not None and self.other.step > (self.record.step if self.record else 0)
        )

    @property
    def at_hand(self) -> Record | None:
        """The record to build tables from without training: a complete one, rather today's; else the furthest."""

        def worth(record: Record) -> tuple[bool, int]:
            complete = record.complete(self.job.follow)
            return complete, 0 if complete else record.step

        return max((record for record in (self.record, self.other) if record), key=worth, default=None)

    @property
    def steps_to_go(self) -> int:
        """Steps that training needs at most."""
        return 0 if self.complete else self.job.follow.budget - (self.record.step if self.record else 0)


def take(jobs: Iterable[Job], store: Store, damaged: dict[Path, str] | None = None) -> list[Need]:
    """A Need for every member of every job. damaged: see `Store.records`."""
    equivalent = {}
    needs = []
    for job in jobs:
        kind = digest(code(job))
        if kind not in equivalent:
            equivalent[kind] = store.equivalent(code(job), damaged)
        records = store.records(job.cell, damaged)
        own = [record for record in records if record.is_of(equivalent[kind])]
        others = [record for record in records if not record.is_of(equivalent[kind])]
        for seed in range(job.seeds):
            needs.append(Need(job, seed, find(own, seed, job.follow), find(others, seed, job.follow)))
    return needs


def damage_sentence(damaged: dict[Path, str]) -> str | None:
    """What to tell a user of damage, path -> sentence: the first, and where the others are; None if there is none."""
    if not damaged:
        return None
    (_, sentence), *others = damaged.items()
    more = [str(path) for path, _ in others[:NAMED]] + ([f"{len(others) - NAMED} more"] if len(others) > NAMED else [])
    return sentence + (f" Damaged too: {', '.join(more)}." if more else "")


def changes(needs: Iterable[Need]) -> list[str]:
    """What differs between the code of stale records and today's, most frequent first, as phrases."""
    found = Counter()
    for need in needs:
        if need.stale:
            found.update(changed(need.other.code, code(need.job)))
    return [phrase for phrase, _ in found.most_common()]


def stale_sentence(needs: list[Need]) -> str | None:
    """What to tell a user before stale records are trained again; None if there are none."""
    stale = [need for need in needs if need.stale]
    if not stale:
        return None
    hours = sum(need.other.header["seconds"]["cpu"] for need in stale) / 3600
    return (
        f"{len(stale)} records are stale ({hours:.1f} core-hours), because {', '.join(changes(stale))}: "
        "say RETRAIN=1 to train them again beside the old ones, or `make adopt` to retrain a sample and, "
        "where it is bit-identical, keep the rest."
    )


def missing_sentence(needs: list[Need]) -> str | None:
    """What to tell a user who wants tables without training; None if every member is at hand."""
    missing = [need for need in needs if not (need.at_hand and need.at_hand.complete(need.job.follow))]
    if not missing:
        return None
    cells = list(dict.fromkeys(need.job.cell.id for need in missing))
    named = ", ".join(cells[:5]) + (f" and {len(cells) - 5} more" if len(cells) > 5 else "")
    return (
        f"{len(missing)} of {len(needs)} records are missing or too short, in {len(cells)} cells: {named}; "
        "train them with `make reproduce`, or go on without them with PARTIAL=1."
    )


def older_sentence(needs: Iterable[Need]) -> str | None:
    """What to tell a user whose tables come from records of older code too; None if there are none."""
    count = sum(need.at_hand is not None and need.at_hand is need.other for need in needs)
    return f"{count} of the records at hand were made by older code." if count else None


def fingerprint(needs: Iterable[Need]) -> list[str]:
    """Checksums of the records at hand: they change when tables built from them may."""
    return [need.at_hand.header["checkpoint_sha256"] for need in needs if need.at_hand]
