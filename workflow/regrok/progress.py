"""Floor 4. What a running training job tells whoever watches it, and what its log keeps."""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from .experiment import Job
from .store import write_json

STALE_SECONDS = 120.0


@contextmanager
def reporter(root: Path, job: Job) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that publishes a job's progress ({"step": ..., "members": ...}) until the job ends."""
    path = root / "progress" / f"{job.cell.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fixed = {"cell": job.cell.id, "budget": job.follow.budget, "of": job.seeds, "started": time.time()}
    print(f"{job.seeds} members of {job.cell.id}, up to {job.follow.budget} steps")

    def report(progress: dict[str, Any]) -> None:
        with suppress(OSError):  # a full disk must not end the training that it watches
            write_json(path, {**fixed, **progress, "updated": time.time(), "pid": os.getpid()}, durable=False)

    try:
        yield report
    finally:
        path.unlink(missing_ok=True)


def running(root: Path) -> list[dict[str, Any]]:
    """The latest report of every job that has reported lately, oldest job first."""
    found = []
    for path in root.glob("progress/*.json"):
        try:
            report = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if time.time() - report["updated"] < STALE_SECONDS:
            found.append(report)
    return sorted(found, key=lambda report: report["started"])


@contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send what is printed, and the traceback of an exception, to the file `path`; print the last line also."""
    with open(path, "w", buffering=1) as log:
        try:
            with redirect_stdout(log), redirect_stderr(log):
                yield
        except Exception as error:
            traceback.print_exc(file=log)
            sys.exit(f"{type(error).__name__}: {error} (traceback in {path})")
