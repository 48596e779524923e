"""A copy of the project in which the workflow is really run, once for all tests of this folder."""

import pytest
from checkout import Project, copy


@pytest.fixture
def project(tmp_path) -> Project:
    """A fresh checkout."""
    return copy(tmp_path)


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory) -> Project:
    """A checkout in which scale smoke has been reproduced; tests leave it so."""
    project = copy(tmp_path_factory.mktemp("reproduced"))
    result = project.command("reproduce", "--scale", "smoke")
    assert result.returncode == 0, result.stdout
    project.said = result.stdout
    return project
