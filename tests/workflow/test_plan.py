"""What Snakemake plans, and what it refuses to start with."""

import pytest
from checkout import ROOT, asked

from regrok import sources
from regrok.analysis.catalogue import derived
from regrok.config import load
from regrok.experiment import jobs

FIGURES = [
    name
    for name in sources.modules("regrok.figures")
    if name.count(".") == 2 and "ALT" in sources.source(name).read_text()
]


@pytest.mark.parametrize("scale", ["smoke", "laptop", "desk"])
def test_every_scale_plans_its_jobs(project, scale):
    planned = project.planned(scale=scale)
    assert planned["train"] == len(jobs(load(ROOT / "config.yaml"), scale))
    assert planned["table"] == len(derived())
    assert planned["figure"] == len(FIGURES)
    assert planned["paper"] == planned["numbers"] == planned["base_tables"] == 1


@pytest.mark.parametrize("report", ["000", "001"])
def test_one_report_plans_its_own_jobs(project, report):
    """A number such as 001 comes through YAML as 1."""
    planned = project.planned(scale="smoke", report=report)
    assert planned["train"] == len(jobs(load(ROOT / "config.yaml"), "smoke", [report]))


def test_paper_never_trains(project):
    assert "train" not in project.planned(scale="smoke", train=0, partial=1)


def test_paper_names_what_is_missing_and_stops(project):
    result = project.command("reproduce", "--scale", "smoke", "--paper")
    assert result.returncode != 0
    assert "{1} of {1} records are missing".format(*asked()) in result.stdout
    assert "PARTIAL=1" in result.stdout
    assert not (project.root / "results" / "smoke" / "tables").exists()


MISTAKES = {
    "unknown scale": (None, None, ["--scale", "latop"], "'latop' is no scale"),
    "unknown device": (None, None, ["--device", "gpu"], "DEVICE must be cpu or cuda, not 'gpu'"),
    "unknown profile": (None, None, ["--profile", "slrum"], "PROFILE: profiles/ has no folder 'slrum'"),
    "no GPU": (None, None, ["--device", "cuda"], "DEVICE=cuda: PyTorch sees no GPU on this machine"),
    "unknown report": (None, None, ["--report", "009"], "'009' is no report"),
    "unknown key": ("    question: How does", "    qestion: How does", [], "studies.data_fraction.qestion"),
    "composite modulus": ("modulus: 97", "modulus: 96", [], "96 is not prime"),
    "fraction": ("split.fraction: [0.35]", "split.fraction: [1.35]", [], "1.35"),
    "no seed": ("smoke: {seeds: 2,", "smoke: {seeds: 0,", [], "scales.smoke.seeds"),
    "broken YAML": ("settings:\n", "settings: [\n", [], "config.yaml"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_sentence_and_nothing_runs(project, mistake, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    before, after, options, expected = MISTAKES[mistake]
    if before:
        text = (project.root / "config.yaml").read_text()
        assert before in text
        (project.root / "config.yaml").write_text(text.replace(before, after, 1))
    result = project.command("reproduce", "--scale", "smoke", *options)
    assert result.returncode != 0
    assert expected in result.stdout
    assert len(result.stdout.strip().splitlines()) == 1
    assert "Traceback" not in result.stdout
    assert not (project.root / "results" / "store").exists()


def test_a_mistake_in_a_claim_gets_one_sentence_and_nothing_runs(project):
    path = project.root / "claims.yaml"
    path.write_text(path.read_text().replace("reference: adamw", "reference: adamv"))
    result = project.command("reproduce", "--scale", "smoke")
    assert result.returncode != 0
    right = "000-C2d.parameters.reference must be 'adamw', 'adam', 'sgd' or 'rmsprop', not 'adamv'."
    assert result.stdout == f"regrok: claims.yaml: {right}\n"
    assert not (project.root / "results" / "store").exists()


def test_bare_snakemake_says_the_same(project):
    text = (project.root / "config.yaml").read_text()
    (project.root / "config.yaml").write_text(text.replace("batches: {size: 512", "batches: {size: 51200", 1))
    result = project.snakemake("-n", scale="smoke")
    assert result.returncode != 0
    assert "batches.size" in result.stdout
    assert "Traceback" not in result.stdout


def test_there_is_no_report_on_nothing(project):
    result = project.command("report", "--scale", "smoke")
    assert result.returncode != 0
    assert result.stdout.strip() == (
        "regrok: there is no paper/smoke/regrok.pdf to report on yet; say `make reproduce` or `make paper` first."
    )


def test_two_commands_at_once(project):
    from fcntl import LOCK_EX, flock

    (project.root / "results").mkdir()
    with open(project.root / "results" / ".lock", "w") as lock:
        flock(lock, LOCK_EX)
        result = project.command("reproduce", "--scale", "smoke")
    assert result.returncode != 0
    assert "another command (not known yet) is at work" in result.stdout
