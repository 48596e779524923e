"""What keeps a run from going through SLURM, told by stand-ins for its commands."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/commands"))

import slurm


@pytest.fixture
def commands(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def stand_in(folder: Path, name: str, does: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{does}\n")
    (folder / name).chmod(0o755)


def test_commands_that_are_not_there_are_named(commands):
    stand_in(commands, "sbatch", "")
    assert slurm.obstacle("slurm") == (
        "PROFILE=slurm needs squeue, scancel and scontrol on this machine; start it on a login node of SLURM."
    )


@pytest.mark.parametrize(
    ("squeue", "said"),
    [
        ("exec /bin/sleep 20", "SLURM does not answer: squeue was silent for 1 s."),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", "SLURM does not answer: Unable to contact"),
        ("exit 0", None),
    ],
)
def test_what_squeue_says(commands, monkeypatch, squeue, said):
    monkeypatch.setattr(slurm, "PATIENCE_SECONDS", 1)
    for name, does in {"sbatch": "", "scancel": "", "scontrol": "", "squeue": squeue}.items():
        stand_in(commands, name, does)
    found = slurm.obstacle("slurm")
    assert found is None if said is None else said in found
