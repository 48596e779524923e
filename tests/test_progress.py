"""What a running job tells, what a failed one leaves, and what its log keeps."""

import errno
import fcntl
import json
import os
import signal
import socket
import sys
import time
from contextlib import contextmanager

import pytest
from tiny import job

from regrok.progress import failures, forget, logged, noted, reporter, running, stops
from regrok.store import Store

TASK = job(seeds=3, event=1000, budget=400)


@contextmanager
def reporting(root, task=TASK):
    """A job at work, as far as others can see."""
    with Store(root).lease(task.cell), reporter(root, task) as report:
        yield report


def test_a_report_lives_as_long_as_its_job(tmp_path):
    assert running(tmp_path) == []
    with reporting(tmp_path) as report:
        assert running(tmp_path) == []
        report({"step": 7, "members": 3})
        report({"step": 9, "members": 2})
        (told,) = running(tmp_path)
        assert told["cell"] == TASK.cell.id
        assert (told["step"], told["members"], told["of"], told["budget"]) == (9, 2, 3, 1000)
        assert told["sure"]
        assert (told["pid"], told["host"]) == (os.getpid(), socket.gethostname())
    assert running(tmp_path) == []
    assert not list(tmp_path.glob("progress/*"))


@pytest.mark.parametrize("ending", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_a_job_that_fails_takes_its_report_along(tmp_path, ending):
    def fail() -> None:
        with reporting(tmp_path) as report:
            report({"step": 1, "members": 1})
            assert len(running(tmp_path)) == 1
            raise ending

    with pytest.raises(ending):
        fail()
    assert running(tmp_path) == []


def test_jobs_in_the_order_they_began(tmp_path):
    tasks = [job(budget=50, overrides={"model.hidden": hidden}) for hidden in (9, 5, 7)]
    with (
        reporting(tmp_path, tasks[0]) as first,
        reporting(tmp_path, tasks[1]) as second,
        reporting(tmp_path, tasks[2]) as third,
    ):
        for report in (third, first, second):
            report({"step": 1, "members": 1})
        assert [told["cell"] for told in running(tmp_path)] == [task.cell.id for task in tasks]


@pytest.mark.parametrize("hours", [-48, 48])
def test_no_clock_says_who_is_alive(tmp_path, monkeypatch, hours):
    """Set back or forward, or another node's."""
    then = time.time()
    with reporting(tmp_path) as report:
        report({"step": 1, "members": 1})
        monkeypatch.setattr(time, "time", lambda: then + 3600 * hours)
        assert len(running(tmp_path)) == 1
        assert failures(tmp_path) == {}


def test_a_job_that_waits_does_not_take_away_the_report_of_the_one_at_work(tmp_path):
    with reporting(tmp_path) as report:
        report({"step": 1, "members": 1})
        with reporter(tmp_path, TASK):
            pass
        assert len(running(tmp_path)) == 1


def test_a_killed_job_is_known_by_the_report_it_leaves(tmp_path):
    pid = os.fork()
    if not pid:
        with reporting(tmp_path) as report:
            report({"step": 41, "members": 1})
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert running(tmp_path) == []
    host = socket.gethostname()
    told = f"process {pid} on {host} ended at step 41 without a word: killed, or out of memory"
    assert failures(tmp_path) == {TASK.cell.id: told}
    left = next(tmp_path.glob("progress/*"))
    content = left.read_text()
    forget(tmp_path, TASK.cell.id)
    assert failures(tmp_path) == {}
    left.write_text(content)
    with reporting(tmp_path) as report:
        assert failures(tmp_path) == {}
        report({"step": 42, "members": 1})
    assert failures(tmp_path) == {}


def test_without_locks_nobody_is_said_to_have_ended(tmp_path, monkeypatch):
    """Nor is it said that a job still runs; but what a job has left a note of is known."""

    def refuse(*args):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with reporting(tmp_path) as report:
        report({"step": 1, "members": 1})
        assert [told["sure"] for told in running(tmp_path)] == [False]
        assert failures(tmp_path) == {}
    with pytest.raises(SystemExit), noted(tmp_path, TASK.cell.id, "logs/a.log"):
        sys.exit("no weights today")
    assert failures(tmp_path).keys() == {TASK.cell.id}
    assert running(tmp_path) == []


def test_a_failure_is_noted_until_the_cell_is_trained_again(tmp_path):
    with pytest.raises(SystemExit, match="no weights"), noted(tmp_path, "a cell", "logs/a.log"):
        sys.exit("no weights today")
    (told,) = failures(tmp_path).values()
    assert told.endswith(": no weights today; log logs/a.log")
    with noted(tmp_path, "a cell", "logs/a.log"):
        assert failures(tmp_path) == {}
    assert failures(tmp_path) == {}


def test_a_job_that_was_stopped_has_not_failed(tmp_path):
    with pytest.raises(SystemExit), noted(tmp_path, TASK.cell.id, "logs/a.log"):
        sys.exit(143)
    assert failures(tmp_path) == {}
    (told,) = stops(tmp_path).values()
    assert told.endswith(": by SIGTERM; log logs/a.log")
    with reporting(tmp_path):
        assert stops(tmp_path) == {}
    with noted(tmp_path, TASK.cell.id, "logs/a.log"):
        assert stops(tmp_path) == {}
    assert stops(tmp_path) == {}


def test_what_is_no_report_is_passed_over(tmp_path):
    with reporting(tmp_path) as report:
        report({"step": 1, "members": 1})
        (tmp_path / "progress" / "other.json").write_text('{"cell": "half a rep')
        (tmp_path / "progress" / "gone.json").symlink_to(tmp_path / "nowhere")
        assert len(running(tmp_path)) == 1


def test_reports_are_replaced_whole(tmp_path, monkeypatch):
    """A reader never sees half of one, and no report waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda file: pytest.fail("synced"))
    seen, replace = [], os.replace

    def watched(source, target):
        seen.extend(told["step"] for told in running(tmp_path))
        replace(source, target)
        json.loads(target.read_text())

    monkeypatch.setattr(os, "replace", watched)
    with reporting(tmp_path) as report:
        for step in range(4):
            report({"step": step, "members": 1})
    assert seen == [0, 1, 2]


def test_a_log_keeps_what_is_printed(tmp_path, capsys):
    with logged(tmp_path / "log"):
        print("hello")
        print("there", file=sys.stderr)
        assert (tmp_path / "log").read_text() == "hello\nthere\n"  # at once, for whoever watches
    print("afterwards")
    assert (tmp_path / "log").read_text() == "hello\nthere\n"
    assert capsys.readouterr().out == "afterwards\n"


def test_a_log_keeps_the_traceback_and_the_exit_tells_where(tmp_path):
    path = tmp_path / "log"

    def fail() -> None:
        with logged(path):
            print("so far")
            raise ValueError("no such thing")

    with pytest.raises(SystemExit) as stopped:
        fail()
    assert stopped.value.code == f"ValueError: no such thing (traceback in {path})"
    assert path.read_text().startswith("so far\nTraceback (most recent call last)")
    assert "test_progress.py" in path.read_text()


def test_exit_codes_pass(tmp_path):
    with pytest.raises(SystemExit) as stopped, logged(tmp_path / "log"):
        sys.exit(143)
    assert stopped.value.code == 143
    assert (tmp_path / "log").read_text() == ""


def test_a_log_keeps_the_sentence_of_an_exit(tmp_path):
    """A cluster's job says it on a terminal that nobody sees."""
    with pytest.raises(SystemExit) as stopped, logged(tmp_path / "log"):
        sys.exit("There is no GPU.")
    assert stopped.value.code == "There is no GPU."
    assert (tmp_path / "log").read_text() == "There is no GPU.\n"


def test_a_full_disk_is_said_in_a_sentence(tmp_path):
    path = tmp_path / "log"
    with pytest.raises(SystemExit) as stopped, logged(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/store/a/history-5.parquet")
    assert stopped.value.code == (
        "The disk is full: results/store/a/history-5.parquet could not be written; make room and say the same again."
    )
    assert "No space left" in path.read_text()


def test_a_log_that_cannot_be_written_hides_nothing():
    """On the device that is always full."""
    with pytest.raises(SystemExit) as stopped, logged("/dev/full"):
        print("hello")
    assert stopped.value.code == "The disk is full: no room is left; make room and say the same again."
    with pytest.raises(SystemExit) as stopped, logged("/dev/full"):
        raise ValueError("no such thing")
    assert stopped.value.code == "ValueError: no such thing (traceback in /dev/full)"
