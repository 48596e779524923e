"""What a user loses when something dies, fills up, rots or is edited: nothing that was finished.

Real commands in a small checkout; what comes out in the end must be the bits of a run that nothing has disturbed.
"""

import os
import pty
import random
import re
import shutil
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from checkout import Project, fill, mounted, slow, small
from tiny import contents, differences, files

from regrok.config import load
from regrok.experiment import Job, jobs
from regrok.store import Record, Store, read_header

COMMAND = (sys.executable, "workflow/commands/reproduce.py", "--scale", "smoke")
BARE = (sys.executable, "-m", "snakemake", "--config", "scale=smoke")
STORE, TABLES = "results/store", "results/smoke/tables"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Project:
    """A checkout in which everything has been built."""
    project = small(tmp_path_factory.mktemp("undisturbed"))
    result = project.run(*COMMAND)
    assert result.returncode == 0, result.stdout
    return project


@pytest.fixture
def done(undisturbed, tmp_path) -> Project:
    """A copy of it."""
    shutil.copytree(undisturbed.root, tmp_path / "done")
    return Project(tmp_path / "done")


@pytest.fixture
def fresh(done) -> Project:
    """A checkout without records, which only trains, ten seconds a cell, and saves all the time."""
    for part in (STORE, ".snakemake", TABLES, "results/smoke/runs", "results/smoke/logs", "figures/smoke"):
        shutil.rmtree(done.root / part)
    done.edit("Snakefile", '        "<results>/tables/data_needed.csv",\n        "<figures>/operations.svg",\n', "")
    slow(done, 0.2, 0.01)
    yield done
    for process in done.processes():
        os.kill(process, signal.SIGKILL)


def planned(project: Project) -> list[Job]:
    return jobs(load(project.root / "config.yaml"), "smoke")


def records(project: Project) -> dict[tuple[str, int], Record]:
    """The records of a checkout; fails where a member has two."""
    found = [Record(path.parent, read_header(path)) for path in (project.root / STORE).glob("*/*/header.json")]
    by_member = {(record.path.parent.name, record.seed): record for record in found}
    assert len(by_member) == len(found)
    return by_member


def assert_same(project: Project, undisturbed: Project) -> None:
    found, expected = records(project), records(undisturbed)
    assert found.keys() == expected.keys()
    for member, record in found.items():
        assert not differences(contents(record), contents(expected[member])), member


def unfinished(project: Project) -> int:
    found = records(project)
    members = [(job, found.get((job.cell.id, seed))) for job in planned(project) for seed in range(job.seeds)]
    return sum(record is None or not record.complete(job.follow) for job, record in members)


def wait(condition, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.1)


def begun(project: Project) -> bool:
    """Whether a training process has saved a record that is not its last."""
    return any((project.root / STORE).glob("*/*/header.json")) and bool(project.processes("train.py"))


def stopped(project: Project) -> str:
    """What a command that fails says, without what it has shown of its progress: one sentence."""
    result = project.run(*COMMAND)
    assert result.returncode == 1
    *_, sentence = result.stdout.strip().splitlines()
    assert sentence.startswith("regrok: ")
    assert result.stdout.count("regrok: ") == 1
    assert "Traceback" not in result.stdout
    return sentence


@contextmanager
def read_all_the_time(store: Store):
    """Read every record again and again; fail if one is not whole."""
    over, failed = threading.Event(), []

    def look() -> None:
        while not over.wait(0.3):
            for path in store.root.glob("*/*/header.json"):
                try:
                    record = Record.read(path.parent)
                    assert record.history()["step"][-1] <= record.step == len(record.step_losses())
                except (ValueError, OSError, AssertionError) as error:
                    failed.append(error)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()
    assert not failed


def kill(project: Project, *words: str) -> int:
    """Kill the processes that have one of `words` in their command line; how many these are."""
    victims = {process for word in words for process in project.processes(word.replace(" ", "\0"))}
    for process in victims:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(victims)


def steps(project: Project) -> int:
    """How far all members are, taken together."""
    return sum(record.step for record in records(project).values())


KILLS = {  # what is killed in the middle of what; in the end its jobs go on beside the next command
    "everything, as when power fails": (BARE, ["-m snakemake", "train.py"]),
    "Snakemake": (COMMAND, ["-m snakemake"]),
    "training": (COMMAND, ["train.py"]),
    "Snakemake and the command": (COMMAND, ["reproduce.py", "snakemake --nolock"]),
}


def test_kill_at_random_moments_and_two_commands_at_once(fresh, undisturbed):
    """A kill leaves no lock; the command that goes on in the end is left alone by others that come."""
    moments = random.Random(5)
    with read_all_the_time(Store(fresh.root / STORE)):
        for call, victims in KILLS.values():
            process, before = fresh.start(*call), steps(fresh)
            wait(lambda: steps(fresh) > before or process.poll() is not None)  # noqa: B023
            time.sleep(moments.uniform(0, 1))
            assert unfinished(fresh) > 0
            assert kill(fresh, *victims) > 0
            process.communicate()
        first = fresh.start(*COMMAND)
        wait(lambda: (fresh.root / "results/.lock").read_text().startswith(f"{first.pid} on"))
        first.send_signal(signal.SIGSTOP)  # it is not to end before they come
        for call in (COMMAND, (*COMMAND, "--paper", "--partial", "1"), BARE):
            second = fresh.run(*call)
            assert second.returncode == 1
            assert re.search(r"nother command .*is at work in this folder; wait for it or stop it\.", second.stdout)
            assert "Traceback" not in second.stdout
        first.send_signal(signal.SIGCONT)
        said, _ = first.communicate()
    assert first.returncode == 0, said
    assert_same(fresh, undisturbed)
    assert not fresh.processes()


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "terminal closed"])
def test_stopping_leaves_no_process_and_loses_nothing(fresh, undisturbed, how):
    call, screen = terminal(fresh)
    wait(lambda: begun(fresh))
    if how == "Ctrl-C":
        os.write(screen, b"\x03")
    elif how == "SIGTERM":
        os.kill(call, signal.SIGTERM)
    else:
        os.close(screen)
    said = "" if how == "terminal closed" else everything(screen)
    code = os.waitstatus_to_exitcode(os.waitpid(call, 0)[1])
    assert code == 128 + {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}.get(how, signal.SIGHUP)
    assert not fresh.processes()
    left = unfinished(fresh)
    assert left > 0
    expected = records(undisturbed)
    for member, record in records(fresh).items():
        common = np.isin(expected[member].history()["step"], record.history()["step"])
        whole = {name: column[common] for name, column in expected[member].history().items()}
        assert not differences(record.history(), whole)
    if said:
        sentence = f"regrok: stopped; {left} members are not finished, what is trained is kept, and the same command"
        assert said.strip().splitlines()[-1] == f"{sentence} goes on from there."
        assert "Traceback" not in said
        assert said.count("regrok: ") == 1


def terminal(project: Project) -> tuple[int, int]:
    """The command in a terminal of its own: its pid and what its screen is read from."""
    call, screen = pty.fork()
    if not call:
        os.chdir(project.root)
        folders = f"{project.root}/workflow/commands:{project.root}/workflow"
        os.execve(sys.executable, COMMAND, {**os.environ, "PYTHONPATH": folders})
    return call, screen


def everything(screen: int) -> str:
    """What appears on a screen until its last process has ended."""
    said = b""
    with suppress(OSError):
        while part := os.read(screen, 4096):
            said += part
    os.close(screen)
    return said.decode()


FULL = {  # folder -> what the sentence may name, and when the disk of the folder fills up
    STORE: (r"results/store/\S+", begun),
    ".snakemake": (r"\.snakemake\S*", lambda project: project.processes("train.py")),
    "results/smoke": (r"results/smoke\S*", lambda project: project.processes("snakemake\0--nolock")),
    "figures/smoke": (r"figures/smoke\S*", lambda project: project.processes("snakemake\0--nolock")),
}


def test_a_full_disk_costs_nothing_that_was_whole(fresh, undisturbed):
    """Of records, of what Snakemake notes, of manifests and tables, of figures; one after the other."""
    fresh.edit("Snakefile", "        RUNS,\n", '        RUNS,\n        "<figures>/operations.svg",\n')
    disks = " && ".join(f"mkdir -p {folder} && mount -t tmpfs -o size=20m tmpfs {folder}" for folder in FULL)
    with mounted(fresh, disks) as inside:
        (inside.root / "results/smoke/claims.json").write_text('{"claims": {}}')
        for folder, (named, when) in FULL.items():
            process = inside.start(*COMMAND)
            wait(lambda: when(inside))  # noqa: B023
            filler = fill(inside.root / folder)
            said, _ = process.communicate()
            sentence = said.strip().splitlines()[-1]
            assert process.returncode == 1, said
            assert re.match(f"regrok: stopped before the end: the disk is full: {named} cannot be written", sentence)
            assert "Traceback" not in said
            for record in records(inside).values():
                contents(record)
            assert said.count("regrok: ") == 1
            assert not inside.processes(sys.executable)
            if folder == STORE:
                at_once = stopped(inside)
                assert f"the disk is full: {folder} cannot be written; nothing has been started" in at_once
            filler.unlink()
        result = inside.run(*COMMAND)
        assert result.returncode == 0, result.stdout
        assert_same(inside, undisturbed)


@pytest.mark.parametrize("folder", ["results", STORE, "figures/smoke", ".snakemake"])
def test_a_read_only_folder_gets_one_sentence_before_any_training(fresh, folder):
    script = f"mkdir -p {folder} && mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    with mounted(fresh, script) as inside:
        sentence = stopped(inside)
        assert re.fullmatch(
            rf"regrok: {folder}\S* cannot be written: read-only file system; nothing has been started.", sentence
        )
    assert not records(fresh)
    assert not (fresh.root / "results/smoke/logs/snakemake.log").exists()


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def test_damage_is_named_and_mended_by_moving_the_folder_away(done, undisturbed, tmp_path):
    """When tables are built, before anything has used it."""
    cell, *_ = [job.cell.id for job in planned(done)]
    shutil.rmtree(done.root / TABLES)
    for seed, part, spoil in ((0, "history", flip), (1, "header", truncate)):
        record = records(done)[cell, seed]
        path = record.path / ("header.json" if part == "header" else record.header[part])
        spoil(path)
        name = path.relative_to(done.root)
        for options in [[], ["--paper"]] if part == "history" else [[]]:
            result = done.run(*COMMAND, *options)
            assert result.returncode == 1
            sentence = result.stdout.strip().splitlines()[-1]
            assert f"{name} is damaged" in sentence
            assert "move its folder out of the store and the member is trained again" in sentence
            assert "Traceback" not in result.stdout
        assert not list((done.root / TABLES).glob("*"))
        record.path.rename(tmp_path / f"{cell}-{part}")
    result = done.run(*COMMAND)
    assert result.returncode == 0, result.stdout
    assert_same(done, undisturbed)
    assert (done.root / TABLES / "operations.csv").exists()


def group(project: Project, first: str) -> tuple[str, ...]:
    """What a cluster job runs that trains all cells one after another, this one first."""
    targets = [f"train:cell={job.cell.id}" for job in planned(project)]
    call = (
        sys.executable,
        "-m",
        "snakemake",
        "--mode",
        "remote",
        "--target-jobs",
        *targets,
        "--allowed-rules",
        "train",
    )
    options = (
        "--cores",
        "1",
        "--jobs",
        "1",
        "--force",
        "--target-files-omit-workdir-adjustment",
        "--no-hooks",
        "--nolock",
    )
    return (*call, *options, "--prioritize", f"results/smoke/runs/{first}.json", "--config", "scale=smoke")


def test_a_damaged_checkpoint_is_not_gone_on_from(done):
    """Nor does it keep other cells from being trained, in one job with it or not."""
    config = done.root / "config.yaml"
    config.write_text(config.read_text().replace("budget: 1_000", "budget: 1_200"))
    first, second, _ = [job.cell.id for job in planned(done)]
    record = records(done)[first, 0]
    flip(record.path / record.header["checkpoint"])
    before = files(record.path)
    result = done.run(*group(done, first))
    assert result.returncode == 1
    assert [record.step for (cell, _), record in records(done).items() if cell == second] == [1200] * 2, result.stdout
    sentence = stopped(done)
    assert f"{(record.path / record.header['checkpoint']).relative_to(done.root)} is damaged" in sentence
    assert files(record.path) == before


def test_the_clock_is_set_back(done):
    """All files are dated a day ahead; then a figure is edited."""
    for path in done.root.rglob("*"):
        os.utime(path, (path.stat().st_mtime + 86_400,) * 2)
    before = files(done.root / STORE)
    done.edit("workflow/regrok/figures/operations.py", "TITLE = ", "EDITED = True\nTITLE = ")
    assert done.planned(scale="smoke") == {"all": 1, "figure": 1}
    result = done.run(*COMMAND)
    assert result.returncode == 0, result.stdout
    assert "the clock has been set back" in result.stdout
    assert "0 trained, 3 reused" in result.stdout
    assert done.planned(scale="smoke") == {}
    assert files(done.root / STORE) == before


def test_records_of_older_code_are_refused_or_told_of(done):
    done.edit("workflow/regrok/training/optimizers.py", "def decayed(", "EDITED = True\n\n\ndef decayed(")
    before = files(done.root / STORE)
    assert "6 records are stale" in stopped(done)
    result = done.run(*COMMAND, "--paper")
    assert result.returncode == 0, result.stdout
    assert "Note: 6 of the records at hand were made by older code." in result.stdout
    assert files(done.root / STORE) == before


def test_a_damaged_adoption_is_named(done):
    Store(done.root / STORE).adopt({"torch": "1.0"}, {"torch": "2.0"}, {"records": 3})
    (adoption,) = (done.root / STORE / "adoptions").iterdir()
    truncate(adoption)
    sentence = stopped(done)
    assert sentence.startswith(f"regrok: {adoption.relative_to(done.root)} is damaged; move it out of the store")
    adoption.unlink()
    assert unfinished(done) == 0


def test_a_typo_leaves_all_records(done):
    done.edit("config.yaml", "modulus: 13", "modulsu: 13")
    before = files(done.root / "results")
    assert "modulsu" in stopped(done)
    assert files(done.root / "results") == before


def test_a_diverged_member_is_recorded_and_shown(undisturbed):
    """Its cell has an absurd learning rate; the others go on to their budget."""
    members = pd.read_parquet(undisturbed.root / TABLES / "members.parquet").set_index("learning_rate")
    bad, good = members.loc[1e30], members.loc[0.01]
    assert list(bad["stop_reason"]) == ["diverged"] * 2
    assert bad["diverged"].all()
    assert not bad["generalised"].any()
    assert (bad["last_step"] < 1000).all()
    assert not good["diverged"].any()
    assert (good["last_step"] == 1000).all()
    for (cell, _), record in records(undisturbed).items():
        assert record.header["diverged"] == (cell in set(bad["cell"]))
