"""What a running job tells and what its log keeps."""

import json
import os
import sys
import time

import pytest
from tiny import job

from regrok.progress import STALE_SECONDS, logged, reporter, running

TASK = job(seeds=3, event=1000, budget=400)


def test_a_report_lives_as_long_as_its_job(tmp_path):
    assert running(tmp_path) == []
    with reporter(tmp_path, TASK) as report:
        assert running(tmp_path) == []
        report({"step": 7, "members": 3})
        report({"step": 9, "members": 2})
        (told,) = running(tmp_path)
        assert told["cell"] == TASK.cell.id
        assert (told["step"], told["members"], told["of"], told["budget"]) == (9, 2, 3, 1000)
        assert told["pid"] == os.getpid()
        assert told["started"] <= told["updated"] <= time.time()
    assert running(tmp_path) == []
    assert not list(tmp_path.glob("progress/*"))


@pytest.mark.parametrize("ending", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_a_job_that_fails_takes_its_report_along(tmp_path, ending):
    def fail() -> None:
        with reporter(tmp_path, TASK) as report:
            report({"step": 1, "members": 1})
            assert len(running(tmp_path)) == 1
            raise ending

    with pytest.raises(ending):
        fail()
    assert running(tmp_path) == []


def test_jobs_in_the_order_they_began(tmp_path):
    tasks = [job(budget=50, overrides={"model.hidden": hidden}) for hidden in (9, 5, 7)]
    with (
        reporter(tmp_path, tasks[0]) as first,
        reporter(tmp_path, tasks[1]) as second,
        reporter(tmp_path, tasks[2]) as third,
    ):
        for report in (third, first, second):
            report({"step": 1, "members": 1})
        assert [told["cell"] for told in running(tmp_path)] == [task.cell.id for task in tasks]


def test_a_killed_job_is_forgotten(tmp_path, monkeypatch):
    with reporter(tmp_path, TASK) as report:
        report({"step": 1, "members": 1})
        then = time.time()
        monkeypatch.setattr(time, "time", lambda: then + STALE_SECONDS - 1)
        assert len(running(tmp_path)) == 1
        monkeypatch.setattr(time, "time", lambda: then + STALE_SECONDS + 1)
        assert running(tmp_path) == []


def test_what_is_no_report_is_passed_over(tmp_path):
    with reporter(tmp_path, TASK) as report:
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
    with reporter(tmp_path, TASK) as report:
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
