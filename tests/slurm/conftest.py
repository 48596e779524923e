"""A SLURM for the tests of this folder."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from cluster import HERE, Cluster, missing, until


@pytest.fixture(scope="session")
def started() -> Iterator[Cluster]:
    if reason := missing():
        pytest.skip(reason)
    subprocess.run(["sh", HERE / "up.sh"], check=True, env=os.environ | {"GPUS": "1"})
    yield Cluster()
    subprocess.run(["sh", HERE / "down.sh"], check=True)


@pytest.fixture
def cluster(started) -> Iterator[Cluster]:
    """The cluster, with an empty queue."""
    yield started
    if jobs := [line for line in started.call("squeue", "-h", "-o", "%A").split() if line]:
        started.call("scancel", *jobs)
        until(lambda: not started.call("squeue", "-h", "-o", "%A").strip(), "an empty queue")
