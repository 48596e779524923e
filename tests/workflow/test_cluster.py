"""What keeps a run from going through SLURM, told by commands that only pretend to be one."""

import re

import pytest
from pretended import Pretended

CALL = ("--scale", "smoke", "--profile", "slurm")


@pytest.fixture
def slurm(tmp_path) -> Pretended:
    return Pretended(tmp_path / "slurm")


def refusal(project, slurm: Pretended) -> str:
    """The sentence with which a run ends before anything is submitted."""
    result = project.command("reproduce", *CALL, **slurm.settings)
    assert result.returncode == 1
    assert not slurm.submitted()
    assert re.fullmatch(r"regrok: .+\n", result.stdout)
    return result.stdout


def test_a_slurm_that_forgets_jobs_too_soon(project, slurm):
    slurm.answer(age=120)
    assert "forgets jobs 120 s after their end (MinJobAge), and is asked up to 200 s later" in refusal(project, slurm)


@pytest.mark.parametrize("prefix", ["regrok", "mine"])
def test_jobs_that_an_earlier_run_has_left(project, slurm, prefix):
    """Known by the names that the profile gives them; others' and those of another folder are left alone."""
    project.edit("profiles/slurm/profile.yaml", "slurm-jobname-prefix: regrok", f"slurm-jobname-prefix: {prefix}")
    here = project.root
    slurm.answer(f"7|{prefix}_1-2|{here}\n8|other|{here}\n9|{prefix}_3|/elsewhere\n10|{prefix}_4|{here}\n", age=0)
    assert "are still in SLURM's queue (7 10): wait for their end, or say `scancel 7 10`" in refusal(project, slurm)
