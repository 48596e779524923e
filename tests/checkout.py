"""Checkouts of the project for tests that run its commands."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

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
    """A checkout to run commands in."""

    root: Path

    def run(self, *call: str, **settings: str) -> subprocess.CompletedProcess:
        """The finished process of a command, with stdout and stderr as one text."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            "PYTHONPATH": f"{self.root}/workflow/commands:{self.root}/workflow",
            **settings,
        }
        return subprocess.run(
            call, cwd=self.root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def snakemake(self, *options: str, **config: object) -> subprocess.CompletedProcess:
        settings = [f"{key}={value}" for key, value in config.items()]
        return self.run(sys.executable, "-m", "snakemake", *options, "--config", *settings)

    def command(self, name: str, *options: str) -> subprocess.CompletedProcess:
        return self.run(sys.executable, f"workflow/commands/{name}.py", *options)

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


def copy(to: Path) -> Project:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, to / part, ignore=IGNORED)
        else:
            shutil.copy2(source, to / part)
    return Project(to)


def asked(scale: str = "smoke") -> tuple[int, int]:
    """Cells and members that the shipped config asks for."""
    found = jobs(load(ROOT / "config.yaml"), scale)
    return len(found), sum(job.seeds for job in found)
