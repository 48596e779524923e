"""What the commands share: their options, one-sentence refusals, the lock, a look at the disk."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from regrok import stock
from regrok.config import ConfigError, check_report, check_scale, load
from regrok.experiment import Config, Job, jobs
from regrok.progress import DISK_FULL
from regrok.store import Store, locked, sign

ROOM = 2**18  # bytes that must fit on a disk that has room


def refuse(sentence: str) -> None:
    """End the command with one sentence for the user."""
    sys.exit(f"regrok: {sentence}")


def console() -> Console:
    """The terminal; or what output goes to instead, wide enough for every line."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=200)


@dataclass(frozen=True)
class Request:
    """The scale and the reports that a command is about, and what they need."""

    config: Config
    scale: str
    reports: list[str]
    jobs: list[Job]

    @property
    def needs(self) -> list[stock.Need]:
        """The state of the store now, which is refused if it is damaged."""
        damaged: dict[Path, str] = {}
        needs = self.look(damaged)
        if sentence := stock.damage_sentence(damaged):
            refuse(sentence)
        return needs

    def look(self, damaged: dict[Path, str]) -> list[stock.Need]:
        """The state of the store now, without what is found to be `damaged`."""
        try:
            return stock.take(self.jobs, Store(), damaged)
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
    try:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    except OSError as error:
        refuse(f"{unwritable(path, error)}; nothing has been started.")
    with open(path, "a+") as file:
        if locked(file) is False:
            file.seek(0)
            holder = f"process {said}" if (said := file.read()) else "not known yet"
            refuse(f"another command ({holder}) is at work in this folder; wait for it or stop it.")
        sign(file)
        yield file.fileno()


def unwritable(path: Path | str, error: OSError) -> str:
    """Why nothing can be written there, as a clause."""
    if error.errno in DISK_FULL:
        return f"the disk is full: {path} cannot be written"
    return f"{path} cannot be written: {os.strerror(error.errno).lower()}"


def trouble(folders: Iterable[Path]) -> str | None:
    """A clause on the first of `folders` that cannot be written or is on a full disk; None if all is well."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(ROOM))
        except OSError as error:
            return unwritable(folder, error)
    return None


def bring_back(files: Iterable[Path]) -> int:
    """Date those of `files` that the clock has not reached before all others, in their order; how many there are.

    The clock was set back since: what Snakemake makes now would be older than what it makes it from, which it refuses.
    What another file may have changed since then is so built again.
    """
    now, times = time.time_ns(), {path: path.stat().st_mtime_ns for path in files if path.is_file()}
    ahead = [at for at in times.values() if at > now]
    if ahead:
        shift = max(ahead) - min(now, *times.values()) + 10**9
        for path, at in times.items():
            if at > now:
                os.utime(path, ns=(at - shift, at - shift))
    return len(ahead)


@contextmanager
def signals() -> Iterator[list[int]]:
    """Collect what asks a command to end (Ctrl-C, SIGTERM, a terminal that is closed) instead of dying of it."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: received.append(number))
    yield received
