"""Floor 4. What a training job tells whoever watches it, what it leaves when it fails, and what its log keeps.

Whether a job is alive is asked of the lease of its cell, never of a clock: nodes' clocks differ, and may be set back.
Where the file system has no locks, it counts as alive until it says otherwise, and that this is not sure is said.
"""

import errno
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from .experiment import Job
from .store import Store, write_json

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
SIGNALLED = 128  # and the number of the signal: the exit code of a job that one has ended


@contextmanager
def reporter(root: Path, job: Job) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that publishes a job's progress ({"step": ..., "members": ...}) until the job ends.

    To be called with the lease of the job's cell alone.
    """
    path = root / "progress" / f"{job.cell.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    process = {"started": time.time(), "pid": os.getpid(), "host": socket.gethostname()}
    fixed = {"cell": job.cell.id, "budget": job.follow.budget, "of": job.seeds, **process}
    reported = False

    def report(progress: dict[str, Any]) -> None:
        nonlocal reported
        reported = True
        with suppress(OSError):  # a full disk must not end the training that it watches
            write_json(path, {**fixed, **progress}, durable=False)

    try:
        yield report
    finally:
        if reported:
            path.unlink(missing_ok=True)


def forget(root: Path, cell_id: str) -> None:
    """Take away the report of a job that was killed. To be called by who holds the lease of the cell."""
    (root / "progress" / f"{cell_id}.json").unlink(missing_ok=True)


def running(root: Path) -> list[dict[str, Any]]:
    """The latest report of every job that is alive, oldest job first; in each "sure": whether that is known."""
    told = [(report, Store(root).leased(report["cell"])) for report in read(root / "progress")]
    alive = [report | {"sure": leased is True} for report, leased in told if leased is not False]
    return sorted(alive, key=lambda report: report["started"])


@contextmanager
def noted(root: Path, cell_id: str, log: str | Path) -> Iterator[None]:
    """Leave a note of what ends a job, a sentence or a signal, and take away the note of an earlier end."""
    path = root / "ends" / f"{cell_id}.json"
    with suppress(OSError):
        path.unlink()
    try:
        yield
    except SystemExit as end:
        signalled = isinstance(end.code, int) and end.code > SIGNALLED
        if signalled or isinstance(end.code, str):
            what = f"by {signal.Signals(end.code - SIGNALLED).name}" if signalled else end.code
            when = time.strftime("%Y-%m-%d %H:%M")
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, {"cell": cell_id, "stopped": signalled, "what": what, "when": when, "log": str(log)})
        raise


def stops(root: Path) -> dict[str, str]:
    """Cell -> the signal that ended its last job, which had saved what it had, for cells that no job is at again.

    A time limit, somebody's cancelling, preemption: a job is not told which.
    """
    return notes(root, stopped=True)


def notes(root: Path, stopped: bool) -> dict[str, str]:
    """Cell -> what ended its last job, by a signal or otherwise."""
    found = {note["cell"]: note for note in read(root / "ends") if note["stopped"] is stopped}
    told = {cell: f"{note['when']}: {note['what']}; log {note['log']}" for cell, note in found.items()}
    return {cell: what for cell, what in told.items() if not Store(root).leased(cell)}


def failures(root: Path) -> dict[str, str]:
    """Cell -> how its last job failed, in a sentence, for cells that no job is at again.

    A job that was killed or lost with its node has left its last report.
    """
    found = notes(root, stopped=False)
    for report in read(root / "progress"):
        if Store(root).leased(report["cell"]) is False:
            job = f"process {report.get('pid')} on {report.get('host')}"
            found[report["cell"]] = f"{job} ended at step {report['step']} without a word: killed, or out of memory"
    return found


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """The JSON files in a folder that can be read, by name."""
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError):
            yield json.loads(path.read_text())


@contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send what is printed, the traceback of an exception and the sentence of an exit to the file `path`; end with one
    sentence also."""
    log = open(path, "w", buffering=1)  # noqa: SIM115
    try:
        with redirect_stdout(log), redirect_stderr(log):
            yield
    except SystemExit as end:
        if isinstance(end.code, str):
            with suppress(OSError):
                print(end.code, file=log)
        raise
    except Exception as error:
        with suppress(OSError):
            traceback.print_exc(file=log)
        sys.exit(sentence(error, path))
    finally:
        with suppress(OSError):  # of a full disk, which must not hide what has ended the job
            log.close()


def sentence(error: Exception, log: str | Path) -> str:
    """What ended a job whose traceback is in `log`."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        what = f"{error.filename} could not be written" if error.filename else "no room is left"
        return f"The disk is full: {what}; make room and say the same again."
    return f"{type(error).__name__}: {error} (traceback in {log})"
