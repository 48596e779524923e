"""A copy of the project in which the workflow is really run, once for all tests of this folder."""

import shutil
from fcntl import LOCK_EX, flock

import pytest
from checkout import Project, copy


@pytest.fixture
def project(tmp_path) -> Project:
    """A fresh checkout."""
    return copy(tmp_path)


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory, worker_id) -> Project:
    """A checkout in which scale smoke has been reproduced; tests leave it so.

    One process of the test run reproduces it, the others wait and copy.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "smoke"
    original, said = shared / "project", shared / "said"
    original.mkdir(parents=True, exist_ok=True)
    with open(shared / "lock", "w") as lock:
        flock(lock, LOCK_EX)
        if not said.exists():
            said.write_text(copy(original).command("reproduce", "--scale", "smoke").stdout)
    assert (original / "paper/smoke/regrok.pdf").exists(), said.read_text()
    project = Project(tmp_path_factory.mktemp("reproduced") / "project")
    shutil.copytree(original, project.root, symlinks=True)
    project.said = said.read_text()
    return project
