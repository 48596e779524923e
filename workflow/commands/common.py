"""What the commands share: their options, one-sentence refusals, the lock."""

import argparse
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from regrok import stock
from regrok.config import ConfigError, check_report, check_scale, load
from regrok.experiment import Config, Job, jobs
from regrok.store import Store


def refuse(sentence: str) -> None:
    """End the command with one sentence for the user."""
    sys.exit(f"regrok: {sentence}")


@dataclass(frozen=True)
class Request:
    """The scale and the reports that a command is about, and what they need."""

    config: Config
    scale: str
    reports: list[str]
    jobs: list[Job]

    @property
    def needs(self) -> list[stock.Need]:
        """The state of the store now."""
        try:
            return stock.take(self.jobs, Store())
        except (ValueError, OSError) as error:
            refuse(str(error))


def parser(description: str) -> argparse.ArgumentParser:
    """Options that every command takes."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--scale", default="laptop")
    options.add_argument("--report", default="", help="reports by number, separated by blanks; all if empty")
    return options


def request(options: argparse.Namespace) -> Request:
    """What the options ask for, checked."""
    reports = options.report.split()
    try:
        config = load("config.yaml")
    except ConfigError as error:
        refuse(str(error))
    for mistake in (check_scale(options.scale), *(check_report(config, report) for report in reports)):
        if mistake:
            refuse(mistake if mistake.endswith((".", "?")) else f"{mistake}.")
    return Request(config, options.scale, reports, jobs(config, options.scale, reports))


@contextmanager
def lock() -> Iterator[int]:
    """Keep a second command out, as long as the file descriptor that this gives is open in any process.

    (Snakemake's own lock would be removed by a second Snakemake on other targets, and left behind by a kill -9.)
    """
    path = Path("results/.lock")
    path.parent.mkdir(exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            refuse("another command is at work in this folder; wait for it or stop it.")
        yield file.fileno()
