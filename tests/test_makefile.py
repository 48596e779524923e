"""What make passes on, and what it refuses, with a stand-in for Python that shows what it was given."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAND_IN = """#!/bin/sh
trap 'touch stopped; exit 143' TERM
echo "$@" > begun
while [ -e wait ]; do sleep 0.05; done
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("envs/lock.txt", "envs/slurm.txt", "pyproject.toml", ".venv/ready", ".venv/slurm", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".venv/bin/python").write_text(STAND_IN)
    (tmp_path / ".venv/bin/python").chmod(0o755)
    return tmp_path


def start(folder: Path, *words: str) -> subprocess.Popen:
    outer = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")  # of `make test`
    inner = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.Popen(["make", *words], cwd=folder, env=inner, stderr=subprocess.PIPE, text=True)


def test_a_signal_to_make_reaches_the_command_and_make_waits_for_it(folder):
    (folder / "wait").touch()
    make = start(folder, "reproduce")
    while not (folder / "begun").exists():
        time.sleep(0.02)
    make.send_signal(signal.SIGTERM)
    make.communicate(timeout=20)
    assert make.returncode != 0
    assert (folder / "stopped").exists()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("reproduce PROFIL=slurm", "PROFIL"),
        ("reproduce STUDY=depth", "STUDY"),
        ("audit n=3", "n"),
        ("paper scale=smoke", "scale"),
    ],
)
def test_a_variable_that_a_target_does_not_take_is_refused(folder, words, name):
    make = start(folder, *words.split())
    _, said = make.communicate()
    assert make.returncode == 2
    assert f"regrok: `make {words.split()[0]}` takes no {name}; it takes SCALE REPORT PYTHON" in said
    assert len(said.splitlines()) == 1
    assert not (folder / "begun").exists()


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["reproduce", "SCALE=smoke", "PROFILE=slurm", "REPORT=000 001"], "--report 000 001"),
        (["audit", "N=3", "SEED=7"], "--number 3 --all  --seed 7"),
        (["pack", "STUDY=depth width", "FILE=a.tar"], "--study depth width --file a.tar"),
    ],
)
def test_what_a_target_takes_is_passed_on(folder, words, given):
    make = start(folder, *words)
    make.communicate()
    assert make.returncode == 0
    assert given in (folder / "begun").read_text()


def test_an_unknown_profile_installs_nothing(folder):
    (folder / ".venv/slurm").unlink()
    start(folder, "reproduce", "PROFILE=slrum").communicate()
    assert "--profile slrum" in (folder / "begun").read_text()
    assert not (folder / ".venv/slurm").exists()
