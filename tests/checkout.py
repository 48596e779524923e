"""Checkouts of the project for tests that run its commands."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from regrok.config import load
from regrok.experiment import jobs

ROOT = Path(__file__).parents[1]
PARTS = (
    "Snakefile",
    "Makefile",
    "config.yaml",
    "claims.yaml",
    "pyproject.toml",
    "workflow",
    "profiles",
    "envs",
    "paper",
)
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", "laptop", "desk", "cluster", "smoke")


@dataclass
class Project:
    """A checkout to run commands in.

    root: where its files are found; before: what to put before every command; home: where its commands see it.
    """

    root: Path
    before: tuple[str, ...] = ()
    home: Path | None = None

    def __post_init__(self):
        self.home = self.home or self.root

    def start(self, *call: str, **settings: str) -> subprocess.Popen:
        """A command in a session of its own, with stdout and stderr as one text."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            "PYTHONPATH": f"{self.home}/workflow/commands:{self.home}/workflow",
            **settings,
        }
        return subprocess.Popen(
            [*self.before, *call],
            cwd=self.home,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, *call: str, **settings: str) -> subprocess.CompletedProcess:
        """The finished process of a command."""
        with self.start(*call, **settings) as process:
            said, _ = process.communicate()
        return subprocess.CompletedProcess(call, process.returncode, said)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new, 1))

    def processes(self, word: str = "") -> list[int]:
        """Processes that are at work in the checkout and have `word` in their command line."""
        return [
            int(folder.name)
            for folder in Path("/proc").glob("[0-9]*")
            if at(folder) == str(self.home) and word in (folder / "cmdline").read_text()
        ]

    def snakemake(self, *options: str, **config: object) -> subprocess.CompletedProcess:
        settings = [f"{key}={value}" for key, value in config.items()]
        return self.run(sys.executable, "-m", "snakemake", *options, "--config", *settings)

    def command(self, name: str, *options: str, **settings: str) -> subprocess.CompletedProcess:
        return self.run(sys.executable, f"workflow/commands/{name}.py", *options, **settings)

    def planned(self, **config: object) -> dict[str, int]:
        """Rule -> number of jobs that Snakemake would run now."""
        settings = [f"{key}={value}" for key, value in config.items()]
        call = [sys.executable, "-m", "snakemake", "--dry-run", "--workflow-profile", "none", "--cores", "2"]
        result = self.run(*call, "--config", *settings)
        assert result.returncode == 0, result.stdout
        if "Nothing to be done" in result.stdout:
            return {}
        table = result.stdout.partition("job ")[2].partition("total")[0].splitlines()[2:]
        return {name: int(count) for name, count in (line.split() for line in table if line.strip())}


def at(process: Path) -> str | None:
    """The working folder of a process in /proc; None if it is nobody's to see, or has ended."""
    try:
        return os.readlink(process / "cwd")
    except OSError:
        return None


def copy(to: Path) -> Project:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, to / part, ignore=IGNORED)
        else:
            shutil.copy2(source, to / part)
    return Project(to)


def asked(scale: str = "smoke", *reports: str) -> tuple[int, int]:
    """Cells and members that the shipped config asks for, for all or some reports."""
    found = jobs(load(ROOT / "config.yaml"), scale, reports)
    return len(found), sum(job.seeds for job in found)


SMALL = """
settings:
  small:
    task: {operation: add, modulus: 13}
    split: {fraction: 0.8, pairs: ordered}
    model: {architecture: mlp, embedding: 16, hidden: 32, layers: 2, embedding_std: 1.0}
    optimizer:
      {name: adamw, learning_rate: 0.01, weight_decay: 1.0, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-8, decays: all}
    schedule: {shape: constant, warmup: 10}
    batches: {size: 20, order: shuffled, last: keep}
    loss: {precision: float32}
scales:
  smoke: {seeds: 2, budget: 1_000}
  laptop: {seeds: 2, budget: 1_000}
  desk: {seeds: 2, budget: 1_000}
  cluster: {seeds: 2, budget: 1_000}
studies:
  operations:
    report: "000"
    question: What does a fault leave?
    base: small
    stop: budget
    grids:
      - axes: {task.operation: [add, subtract]}
      - cases: [{optimizer.learning_rate: 1.0e+30}]
"""
SMALL_TARGETS = """rule all:
    default_target: True
    input:
        RUNS,
        "<results>/tables/data_needed.csv",
        "<figures>/operations.svg",
"""


def small(to: Path) -> Project:
    """A checkout with three cells of a second each, one of which diverges, two tables and a figure."""
    project = copy(to)
    (to / "config.yaml").write_text(SMALL)
    claim = (to / "claims.yaml").read_text().partition("\n- id: ")[2].partition("\n\n- id: ")[0]
    (to / "claims.yaml").write_text(f"- id: {claim}\n")
    (to / "Snakefile").write_text((to / "Snakefile").read_text().partition("rule all:")[0] + SMALL_TARGETS)
    (to / "results/smoke").mkdir(parents=True)
    (to / "results/smoke/claims.json").write_text('{"claims": {}}')
    return project


def slow(project: Project, checkpoint_seconds: float, step_seconds: float = 0.0) -> None:
    """Have the checkout's training jobs save their records more often, and rest at every step."""
    engine = "workflow/regrok/training/train.py"
    project.edit(engine, "CHECKPOINT_SECONDS = 60.0", f"CHECKPOINT_SECONDS = {checkpoint_seconds}")
    project.edit(
        engine, "        self.advance()\n", f"        self.advance()\n            time.sleep({step_seconds})\n"
    )


@contextmanager
def mounted(project: Project, script: str) -> Iterator[Project]:
    """The checkout with what a shell script has mounted in it, for commands of the project it gives and below its
    root alone. Skips the test where nobody may mount anything."""
    call = ["unshare", "--map-root-user", "--mount", "sh", "-c", f"{script} && echo mounted && exec sleep 1000"]
    holder = subprocess.Popen(call, cwd=project.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        if (said := holder.stdout.readline()) != "mounted\n":
            pytest.skip(f"nothing can be mounted here: {said.strip()}")
        enter = ["nsenter", f"--target={holder.pid}", "--user", "--mount", "--preserve-credentials"]
        inside = ["sh", "-c", f"cd '{project.root}' && exec \"$@\"", "sh"]
        yield Project(Path(f"/proc/{holder.pid}/root{project.root}"), (*enter, *inside), project.home)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def fill(folder: Path) -> Path:
    """A file that takes all the room that a small disk has left."""
    filler = folder / "filler"
    with suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return filler
