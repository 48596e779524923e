"""What SLURM is asked for, told by commands that only note it."""

import re
import sys
from types import SimpleNamespace

import pytest
import yaml
from checkout import ROOT, small
from pretended import Pretended

from regrok import cost, stock
from regrok.config import load
from regrok.experiment import jobs
from regrok.store import Store

pytest.importorskip("snakemake_executor_plugin_slurm", reason="pip install -r envs/slurm.txt")


def submitted(to, **config: object) -> list[dict[str, str]]:
    """The jobs of a small checkout, all of which fail: the first attempts, the second, the third."""
    project, slurm = small(to), Pretended(to / "slurm")
    project.edit("profiles/slurm/profile.yaml", "longest: 1440", "longest: 20")
    call = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", "--until", "train"]
    settings = [f"{key}={value}" for key, value in {"scale": "smoke", **config}.items()]
    impatient = ["--slurm-init-seconds-before-status-checks", "1"]
    result = project.run(*call, *impatient, "--config", *settings, **slurm.settings)
    assert result.returncode == 1
    assert len(slurm.submitted()) == 3, result.stdout
    return slurm.submitted()


def test_every_attempt_asks_for_more_up_to_the_longest_limit(tmp_path):
    """Three cells share a job."""
    attempts = submitted(tmp_path)
    found = jobs(load(tmp_path / "config.yaml"), "smoke")
    seconds = cost.by_cell(stock.take(found, Store(tmp_path / "results/store")))
    wanted = [sum(cost.minutes(each, attempt) for each in seconds.values()) for attempt in (1, 2, 3)]
    assert wanted[1] < 20 < wanted[2]
    assert [int(job["-t"]) for job in attempts] == [*wanted[:2], 20]
    most = [max(cost.cluster_memory(job, attempt) for job in found) for attempt in (1, 2, 3)]
    assert [int(job["--mem"]) for job in attempts] == most
    assert most[0] < most[1] < most[2]


def test_what_the_profile_shows_in_comments_is_taken_by_the_plugin():
    """It refuses options of sbatch that have a name of their own."""
    from snakemake_executor_plugin_slurm.validation import validate_slurm_extra

    text = (ROOT / "profiles/slurm/profile.yaml").read_text()
    profile = yaml.safe_load(re.sub(r"^#( +\w+:)", r"\1", text, flags=re.MULTILINE))
    asked = [profile["default-resources"], *profile["set-resources"].values()]
    assert {"slurm_partition", "slurm_account", "qos", "slurm_extra"} <= asked[0].keys()
    assert "train" in profile["set-resources"]
    for resources in asked:
        validate_slurm_extra(SimpleNamespace(resources=SimpleNamespace(**resources)))
