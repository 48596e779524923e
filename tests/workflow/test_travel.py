"""make pack and make unpack as a user meets them."""

import shutil

import pytest
from checkout import ROOT
from tiny import CODE
from travelling import FOLLOW, HOSTILE, save

from regrok import travel
from regrok.config import load
from regrok.experiment import designs
from regrok.store import HEADER, Store, read_header


def cells(study):
    """The cells of a study at scale smoke."""
    return [design.cell for design in designs(load(ROOT / "config.yaml"), "smoke") if design.study == study]


def hold(project, cell, step=100, **more):
    return save(Store(project.root / "results/store"), step, cell=cell, **more)


def packed(project, *options):
    result = project.command("pack", "--scale", "", "--file", "travels.tar", *options)
    assert result.returncode == 0, result.stdout
    return project.root / "travels.tar"


def test_a_study_travels_alone(project, tmp_path_factory):
    (own, *_), (other, *_) = cells("no_decay"), cells("summands")
    for cell in (own, other):
        hold(project, cell)
    store = Store(tmp_path_factory.mktemp("store"))
    with open(packed(project, "--study", "no_decay"), "rb") as archive:
        assert [outcome.name.split("/")[0] for outcome in travel.unpack(store, archive, int)] == [own.id]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--study", "no_dcay"], "STUDY: config.yaml has no study 'no_dcay'; did you mean no_decay?"),
        (["--study", "no_decay"], "holds no record of what was asked for"),
        (["--scale", "smoky"], "'smoky' is no scale"),
    ],
)
def test_a_mistake_in_packing_gets_one_sentence(project, options, said):
    hold(project, cells("summands")[0])
    result = project.command("pack", "--scale", "", "--file", "travels.tar", *options)
    assert result.returncode != 0
    assert said in result.stdout
    assert len(result.stdout.splitlines()) == 1
    assert not (project.root / "travels.tar").exists()


def test_the_exit_code_and_the_summary_say_what_is_amiss(project):
    (first, second, *_) = cells("no_decay")
    for cell in (first, second):
        hold(project, cell, slope=2.0)
    file = packed(project)
    again = project.command("unpack", "--file", str(file))
    assert (again.returncode, "2 already there" in again.stdout) == (0, True)
    ours = Store(project.root / "results/store").path(first, 0, CODE, FOLLOW)
    (ours / HEADER).unlink()
    hold(project, first, 200)
    result = project.command("unpack", "--file", str(file))
    assert result.returncode != 0
    assert f"conflicting: {first.id}/{ours.name}: the two differ within their first 100 steps" in result.stdout
    assert "1 already there, 1 conflicting, 0 damaged" in result.stdout
    assert read_header(ours / HEADER)["last_step"] == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no archive", "is none that `make pack` has written"),
        (HOSTILE["above"], "no place in a store"),
        (None, "there is no file"),
    ],
)
def test_what_is_no_pack_gets_one_sentence(project, content, said):
    if content is not None:
        (project.root / "x.tar").write_bytes(content)
    result = project.command("unpack", "--file", "x.tar")
    assert result.returncode != 0
    assert said in result.stdout
    assert "Traceback" not in result.stdout
    assert not (project.root / "results/store").exists()


@pytest.mark.parametrize(
    ("given", "said"), [("", ""), ("workflow", "; 'workflow' is a folder"), ("a.tar", "; there is no file 'a.tar'")]
)
def test_what_is_no_file_is_told_apart(project, given, said):
    result = project.command("unpack", "--file", given)
    assert result.returncode != 0
    assert result.stdout == f"regrok: say `make unpack FILE=...` with a file of `make pack`{said}.\n"


def test_a_truncated_file_leaves_what_was_whole(project):
    for cell in cells("no_decay"):
        hold(project, cell)
    file, store = packed(project), project.root / "results/store"
    data = file.read_bytes()
    shutil.rmtree(store)
    file.write_bytes(data[: data.index(travel.SUMS.encode()) - 3000])
    result = project.command("unpack", "--file", str(file))
    assert result.returncode != 0
    assert "ends early" in result.stdout.splitlines()[-1]
    assert "1 added" in result.stdout
    assert len(list(Store(store).all())) == 1
