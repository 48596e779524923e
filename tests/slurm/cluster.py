"""A real SLURM on this machine, one controller and two nodes: what it tells, and what can be done to it."""

import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).parent
ACCOUNTING = os.environ.get("ACCOUNTING") == "1"
DAEMONS = ("munged", "slurmctld", "slurmd", *(("slurmdbd", "mariadbd") if ACCOUNTING else ()))
PACKAGES = "slurm-wlm munge" + (" slurmdbd mariadb-server" if ACCOUNTING else "")
PATIENCE = 900.0  # seconds until something that must happen counts as not happening


def missing() -> str | None:
    """Why no SLURM can be started here."""
    if os.geteuid():
        return "a SLURM of its own needs root"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    absent = [name for name in DAEMONS if not shutil.which(name, path=path)]
    if absent:
        return f"{', '.join(absent)} not installed: apt-get install {PACKAGES}"
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "the SLURM plugin is not installed: pip install -r envs/slurm.txt"
    return None


def until(condition: Callable[[], object], what: str) -> object:
    """What `condition` gives once it is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.2)
    return found


class Cluster:
    """Looks at the queue, and does to it what happens to queues."""

    def call(self, *command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def jobs(self, folder: Path, states: str = "all") -> dict[str, str]:
        """Id -> state of the jobs submitted from a folder, oldest first."""
        lines = self.call("squeue", "-h", "-t", states, "-S", "i", "-o", "%A|%T|%Z").splitlines()
        rows = [line.split("|") for line in lines]
        return {job: state for job, state, place in rows if Path(place) == folder}

    def show(self, job: str) -> dict[str, str]:
        """What the controller knows of a job."""
        words = self.call("scontrol", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def processes(self, job: str) -> list[int]:
        """Process ids of everything that a job runs."""
        mark, found = f"SLURM_JOB_ID={job}".encode(), []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (
                    mark in (path / "environ").read_bytes().split(b"\0")
                    or f"slurmstepd: [{job}." in (path / "cmdline").read_text()
                ):
                    found.append(int(path.name))
        return found

    def daemon(self, name: str) -> int:
        """Process id of a daemon: slurmctld, slurmd.node1 ..."""
        return int(Path(f"/run/slurm-test/{name}.pid").read_text())

    def start_node(self, node: str) -> None:
        self.call("unshare", "--uts", "sh", "-c", f"hostname {node} && exec /usr/sbin/slurmd -N {node}")

    def state(self, node: str) -> str:
        return self.call("sinfo", "-h", "-n", node, "-o", "%T").strip()
