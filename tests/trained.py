"""A checkout of few tiny cells and their records, for tests of the commands that look at them."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from checkout import Project, copy
from tiny import SETTINGS, silent

from regrok import stock
from regrok.config import load
from regrok.experiment import SCALES, Job, jobs
from regrok.store import Record, Store
from regrok.training.train import train


@dataclass
class Trained:
    """project: the checkout; jobs: those of its config, at scale smoke."""

    project: Project
    jobs: list[Job]

    @property
    def store(self) -> Store:
        return Store(self.project.root / "results/store")

    def train(self, index: int, seeds: int | None = None) -> list[Record]:
        """Train `seeds` members of a job, all if None; the records of its cell."""
        job = self.jobs[index]
        part = Job(job.cell, seeds or job.seeds, job.follow)
        train(part, self.store, stock.code(job), silent)
        return self.store.records(job.cell)

    def forge(self, record: Record, history: dict | None = None, **header) -> None:
        """Replace a record by one of other content, with checksums that fit."""
        losses, checkpoint = record.step_losses(), record.checkpoint()
        self.store.save(record.path, record.header | header, history or record.history(), checkpoint, losses)


def prepare(to: Path, grids: list[dict], seeds: int, budget: int) -> Trained:
    """A checkout with one study, `little`, of the cell of tests/tiny.py and these grids."""
    project = copy(to)
    limits = {"seeds": seeds, "budget": budget}
    study = {"report": "000", "question": "Does it work?", "base": "tiny", "stop": "budget", "grids": grids}
    config = {
        "settings": {"tiny": SETTINGS},
        "scales": dict.fromkeys(SCALES, limits),
        "studies": {"little": study},
    }
    (to / "config.yaml").write_text(yaml.dump(config))
    return Trained(project, jobs(load(to / "config.yaml"), "smoke"))
