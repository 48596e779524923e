"""Scale smoke from nothing to the PDF, and what is run again after an edit. The tests build on one another's checkout
but leave it as they found it."""

import json
import os
import re
import shutil
from contextlib import contextmanager

import pandas as pd
import pyarrow.parquet as pq
from checkout import ROOT, asked

from regrok.analysis.catalogue import derived
from regrok.config import load
from regrok.experiment import jobs
from regrok.store import Store

SMOKE = {"scale": "smoke"}
CELLS, MEMBERS = asked()


@contextmanager
def edited(path, old, new):
    """The file with a replacement, for a while; its times are restored with its content."""
    text, times = path.read_text(), path.stat()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_everything_comes_out(reproduced):
    root = reproduced.root
    pdf = root / "paper" / "smoke" / "regrok.pdf"
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 100_000
    for name in derived():
        for suffix in ("parquet", "csv", "tex"):
            assert (root / "results" / "smoke" / "tables" / f"{name}.{suffix}").is_file(), name
    for figure in (root / "figures" / "smoke").glob("*.svg"):
        assert figure.with_suffix(".pdf").is_file()
    claims = json.loads((root / "results" / "smoke" / "claims.json").read_text())["claims"]
    assert {"000-C1", "000-C2", "000-C2b", "000-C2c", "000-C2d", "000-C3", "000-C4", "000-C6", "000-C11"} <= set(claims)


def test_summary(reproduced):
    assert f"{CELLS} trained, 0 reused; {MEMBERS} of {MEMBERS} members" in reproduced.said
    assert "undecided" in reproduced.said
    shares = [int(share) for share in re.findall(r"(\d+)% (?:training|evaluation|all else)", reproduced.said)]
    assert 99 <= sum(shares) <= 101
    assert min(shares) > 0
    assert reproduced.said.strip().endswith("paper/smoke/regrok.pdf")


def test_columns_are_documented_in_the_files(reproduced):
    schema = pq.read_schema(reproduced.root / "results" / "smoke" / "tables" / "members.parquet")
    assert schema.field("t4").metadata[b"unit"] == b"steps"
    assert b"grokking" in schema.field("t4").metadata[b"meaning"]


def test_every_member_is_in_the_tables(reproduced):
    members = pd.read_parquet(reproduced.root / "results" / "smoke" / "tables" / "members.parquet")
    wanted = {(job.cell.id, seed) for job in jobs(load(ROOT / "config.yaml"), "smoke") for seed in range(job.seeds)}
    assert set(zip(members["cell"], members["seed"], strict=True)) == wanted
    assert (members["last_step"] == 200).all()


def test_a_second_run_does_nothing(reproduced):
    assert reproduced.planned(**SMOKE) == {}


def test_paper_after_reproduce_does_nothing(reproduced):
    assert reproduced.planned(**SMOKE, train=0) == {}


def test_comments_and_docstrings_change_nothing(reproduced):
    with edited(
        reproduced.root / "workflow/regrok/training/stack.py", '"""Members of one cell', '"""The members of one cell'
    ):
        assert reproduced.planned(**SMOKE) == {}


def test_editing_a_figure_redraws_that_figure_and_the_paper(reproduced):
    path = reproduced.root / "workflow/regrok/figures/no_decay.py"
    with edited(path, "TITLE = ", "EDITED = True\nTITLE = "):
        assert reproduced.planned(**SMOKE) == {"all": 1, "figure": 1, "paper": 1}


def test_editing_a_table_rebuilds_what_reads_it(reproduced):
    path = reproduced.root / "workflow/regrok/analysis/early_stopping.py"
    with edited(path, "def build(", "EDITED = True\n\n\ndef build("):
        planned = reproduced.planned(**SMOKE)
    assert planned["table"] == 1
    assert planned["figure"] == 1
    assert "train" not in planned


def test_editing_the_engine_makes_records_stale_but_deletes_nothing(reproduced):
    before = sorted(path for path in (reproduced.root / "results/store").rglob("*") if path.is_file())
    path = reproduced.root / "workflow/regrok/training/optimizers.py"
    with edited(path, "def decayed(", "EDITED = True\n\n\ndef decayed("):
        result = reproduced.command("reproduce", "--scale", "smoke")
        bare = reproduced.snakemake(**SMOKE)
        planned = reproduced.planned(**SMOKE, retrain=1)
        paper = reproduced.planned(**SMOKE, train=0)
    assert result.returncode != 0
    because = r"\(\d+\.\d core-hours\), because regrok/training/optimizers.py changed"
    assert re.search(rf"{MEMBERS} records are stale {because}", result.stdout)
    assert "RETRAIN=1" in result.stdout
    assert "make adopt" in result.stdout
    assert "records are stale" in bare.stdout
    assert planned["train"] == CELLS
    assert "train" not in paper
    assert before == sorted(path for path in (reproduced.root / "results/store").rglob("*") if path.is_file())


def test_adopting_after_an_edit_that_changes_no_bit(reproduced, tmp_path):
    shutil.copytree(reproduced.root, tmp_path / "copy", symlinks=True)
    project = type(reproduced)(tmp_path / "copy")
    path = project.root / "workflow/regrok/training/optimizers.py"
    with edited(path, "def decayed(", "EDITED = True\n\n\ndef decayed("):
        result = project.command("adopt", "--scale", "smoke", "--sample", "1")
        assert result.returncode == 0, result.stdout
        assert result.stdout.count(": identical") >= 6  # of every kind of cell one
        counted = re.findall(
            r"all (\d+) count as made by today's code", result.stdout
        )  # for each kind of model and task
        assert sum(map(int, counted)) == MEMBERS
        assert "All members are done." in project.command("status", "--scale", "smoke").stdout


def test_an_edit_that_changes_bits_is_not_adopted(reproduced, tmp_path):
    shutil.copytree(reproduced.root, tmp_path / "copy", symlinks=True)
    project = type(reproduced)(tmp_path / "copy")
    path = project.root / "workflow/regrok/training/optimizers.py"
    with edited(path, "(step + 1) / schedule.warmup", "(step + 0.5) / schedule.warmup"):
        result = project.command("adopt", "--scale", "smoke", "--sample", "1")
        assert result.returncode != 0
        assert "differs in" in result.stdout
        assert "are stale" in project.command("reproduce", "--scale", "smoke").stdout


def test_losing_a_manifest_costs_no_training(reproduced, tmp_path):
    shutil.copytree(reproduced.root, tmp_path / "copy", symlinks=True)
    project = type(reproduced)(tmp_path / "copy")
    cell = jobs(load(ROOT / "config.yaml"), "smoke")[0].cell
    (record, *_) = Store(project.root / "results/store").records(cell)
    times = record.path.stat().st_mtime_ns
    manifest = project.root / "results/smoke/runs" / f"{cell.id}.json"
    before = manifest.read_bytes()
    manifest.unlink()
    result = project.snakemake(
        f"results/smoke/runs/{cell.id}.json", "--workflow-profile", "none", "--cores", "1", **SMOKE
    )
    assert result.returncode == 0, result.stdout
    assert manifest.read_bytes() == before
    assert record.path.stat().st_mtime_ns == times


def built(root):
    """The paper, and every manifest: the checksums of all else, and where it comes from."""
    paths = [root / "paper/smoke/regrok.pdf", *root.glob("*/smoke/**/*.manifest.json")]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def test_paper_from_records_alone(reproduced, project, tmp_path):
    """A clone whose records came from elsewhere by pack and unpack: the same bytes of all that is built from them."""
    packed = reproduced.command("pack", "--scale", "", "--file", str(tmp_path / "store.tar"))
    assert packed.stdout.startswith(f"{MEMBERS} records"), packed.stdout
    unpacked = project.command("unpack", "--file", str(tmp_path / "store.tar"))
    assert unpacked.returncode == 0, unpacked.stdout
    assert f"{MEMBERS + 1} added" in unpacked.stdout  # a timing is among them
    result = project.command("reproduce", "--scale", "smoke", "--paper")
    assert result.returncode == 0, result.stdout
    assert built(project.root) == built(reproduced.root)
    assert project.planned(**SMOKE, train=0) == {}
    report = project.command("report", "--scale", "smoke")
    assert report.returncode == 0, report.stdout
    assert report.stdout.strip().endswith("report.html, without the training jobs, which are not all of this folder")
    assert "regrok.pdf" in (project.root / "results/smoke/report.html").read_text()


def test_html_report(reproduced):
    result = reproduced.command("report", "--scale", "smoke")
    assert result.returncode == 0, result.stdout
    path = reproduced.root / "results/smoke/report.html"
    page = path.read_text()
    assert "regrok.pdf" in page
    assert jobs(load(ROOT / "config.yaml"), "smoke")[0].cell.id in page
    assert str(reproduced.root) not in page
    path.unlink()
