"""Training through a real SLURM, and what may happen to a job there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from checkout import Project, asked, copy, slow, small
from cluster import ACCOUNTING, until
from tiny import contents, differences, silent

from regrok import stock
from regrok.config import load
from regrok.experiment import jobs
from regrok.store import Store
from regrok.training.train import train

IMPATIENT = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10")
LONGER = 300_000  # steps, which take longer than the shortest time limit
LONG = 60_000  # steps, which take about 20 seconds


class Run:
    """A checkout whose training jobs go through SLURM, one a cell."""

    def __init__(self, project: Project):
        self.project, self.root = project, project.root
        self.store, self.process = Store(self.root / "results/store"), None

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": f"{self.root}/workflow/commands:{self.root}/workflow"}

    @property
    def job(self):
        """The only job of the configuration."""
        (job,) = jobs(load(self.root / "config.yaml"), "smoke")
        return job

    def start(self, *options: str) -> None:
        """`snakemake` with the profile, in the background."""
        call = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", "--until", "train"]
        call += [*IMPATIENT, *([] if "--config" in options else ["--config", "scale=smoke"]), *options]
        with open(self.root / "said", "a") as said:
            self.process = subprocess.Popen(
                call, cwd=self.root, env=self.environment, stdout=said, stderr=said, start_new_session=True
            )

    def said(self) -> str:
        return (self.root / "said").read_text()

    def steps(self) -> list[int]:
        """How far the members' records are."""
        return [record.step for record in self.store.records(self.job.cell)]

    def trains(self, beyond: int = 0) -> bool:
        """Whether every member has a record of more than `beyond` steps."""
        assert self.process.poll() is None, self.said()
        return len(self.steps()) == self.job.seeds and min(self.steps()) > beyond

    def end(self) -> int:
        """Wait for Snakemake; its exit code."""
        until(lambda: self.process.poll() is not None, f"the end of Snakemake\n{self.said()}")
        return self.process.returncode


def lone(to: Path) -> Run:
    """A checkout with one cell, of LONG steps."""
    run = Run(small(to))
    slow(run.project, 0.5)
    path = to / "config.yaml"
    text = path.read_text().replace("[add, subtract]", "[add]")
    text = "".join(line for line in text.splitlines(True) if "1.0e+30" not in line)
    path.write_text(text.replace("budget: 1_000}", f"budget: {LONG}}}"))
    return run


@pytest.fixture
def run(tmp_path, cluster) -> Iterator[Run]:
    run = lone(tmp_path)
    yield run
    if run.process and run.process.poll() is None:
        os.killpg(run.process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[int, dict]:
    """What the members of `run` leave when they are trained here in one go: seed -> contents of the record."""
    folder = tmp_path_factory.mktemp("undisturbed")
    job, store = lone(folder).job, Store(folder / "store")
    train(job, store, stock.code(job), silent)
    return {record.seed: contents(record) for record in store.records(job.cell)}


def same(run: Run, undisturbed: dict[int, dict]) -> bool:
    """Whether the records of a run are, bit for bit, those of an undisturbed one."""
    records = run.store.records(run.job.cell)
    assert {record.seed for record in records} == undisturbed.keys()
    assert len(records) == len(undisturbed)
    return not any(differences(contents(record), undisturbed[record.seed]) for record in records)


TARGETS = """rule all:
    default_target: True
    input:
        RUNS,
        collect("<results>/tables/{table}.parquet", table=["throughput", *PROBES]),
"""


def test_a_report_at_scale_smoke(tmp_path, cluster):
    """Of one report: short cells share a job, as measurements do; what is light runs here. Tables and the paper, which
    no job of a queue makes, are left out."""
    project = copy(tmp_path)
    (tmp_path / "Snakefile").write_text((tmp_path / "Snakefile").read_text().partition("rule all:")[0] + TARGETS)
    (tmp_path / "results/smoke").mkdir(parents=True)
    (tmp_path / "results/smoke/claims.json").write_text('{"claims": {}}')
    result = project.command("reproduce", "--scale", "smoke", "--report", "000", "--profile", "slurm")
    assert result.returncode == 0, result.stdout
    cells, members = asked("smoke", "000")
    assert f"{cells} trained, 0 reused; {members} of {members} members at hand" in result.stdout
    assert len(list(tmp_path.glob("results/smoke/probes/*/*"))) > 1
    assert len(list(tmp_path.glob("results/slurm/group_probes_probe/*.log"))) == 1
    assert len(cluster.jobs(tmp_path)) == 3
    (training,) = (log.stem for log in tmp_path.glob("results/slurm/group_cells1_train/*.log"))
    (timing,) = (log.stem for log in tmp_path.glob("results/slurm/rule_throughput/*.log"))
    shown = cluster.show(training)
    assert shown["NumCPUs"] == "1"
    assert shown["Requeue"] == "1"
    assert cluster.show(timing)["OverSubscribe"] == "NO"
    again = project.command("reproduce", "--scale", "smoke", "--report", "000")
    assert f"0 trained, {cells} reused" in again.stdout


def test_time_limit(run, undisturbed, cluster):
    """A job that is ended by it goes on where it was, with a later limit."""
    path = run.root / "config.yaml"
    path.write_text(path.read_text().replace(f"{LONG}", f"{LONGER}"))
    run.start("--set-resources", "train:runtime=attempt")
    first = until(lambda: list(cluster.jobs(run.root)), "a job")[0]
    assert cluster.show(first)["TimeLimit"] == "00:01:00"
    until(lambda: cluster.jobs(run.root)[first] == "TIMEOUT", "the time limit")
    stopped = run.steps()
    assert 0 < min(stopped) < LONGER
    second = until(lambda: list(cluster.jobs(run.root))[1:], "another attempt")[0]
    assert cluster.show(second)["TimeLimit"] == "00:02:00"
    assert run.end() == 0, run.said()
    assert run.steps() == [LONGER] * 2
    for record in run.store.records(run.job.cell):
        history = record.history()
        common = np.isin(history["step"], undisturbed[record.seed]["history.step"])
        assert not differences(
            {f"history.{name}": column[common] for name, column in history.items()},
            {name: array for name, array in undisturbed[record.seed].items() if name.startswith("history.")},
        )


def test_cancelled(run, undisturbed, cluster):
    run.start()
    until(run.trains, "records")
    (job,) = cluster.jobs(run.root)
    cluster.call("scancel", job)
    until(lambda: len(cluster.jobs(run.root)) == 2, "another attempt")
    assert cluster.jobs(run.root)[job] == "CANCELLED"
    assert run.end() == 0, run.said()
    assert same(run, undisturbed)


def test_preempted(run, undisturbed, cluster):
    """As a preempted job is: SIGTERM, then back into the queue under its own number."""
    run.start()
    until(run.trains, "records")
    (job,) = cluster.jobs(run.root)
    cluster.call("scontrol", "requeue", job)
    assert run.end() == 0, run.said()
    assert cluster.show(job)["Restarts"] == "1"
    assert list(cluster.jobs(run.root)) == [job]
    assert same(run, undisturbed)


def test_a_node_dies(run, undisturbed, cluster):
    """With everything on it, as when its power fails: nothing is saved at the end."""
    run.start()
    until(run.trains, "records")
    (job,) = cluster.jobs(run.root)
    node = cluster.show(job)["NodeList"]
    os.kill(cluster.daemon(f"slurmd.{node}"), signal.SIGKILL)
    for process in cluster.processes(job):
        os.kill(process, signal.SIGKILL)
    reached = min(run.steps())
    try:
        until(lambda: cluster.show(job)["Restarts"] == "1", "the job's return to the queue")
        assert min(run.steps()) == reached
        assert run.end() == 0, run.said()
        assert cluster.show(job)["NodeList"] != node
    finally:
        cluster.start_node(node)
        until(lambda: cluster.state(node) == "idle", f"{node} at work again")
    assert same(run, undisturbed)


def test_slurmd_dies_and_its_job_goes_on(run, undisturbed, cluster):
    """Whether the controller hears of its end or starts it again elsewhere, no record is lost or written twice."""
    run.start()
    until(run.trains, "records")
    (job,) = cluster.jobs(run.root)
    node = cluster.show(job)["NodeList"]
    os.kill(cluster.daemon(f"slurmd.{node}"), signal.SIGKILL)
    reached = min(run.steps())
    try:
        until(lambda: run.trains(reached), "progress without slurmd")
        assert run.end() == 0, run.said()
    finally:
        cluster.start_node(node)
        until(lambda: cluster.state(node) == "idle", f"{node} at work again")
    assert same(run, undisturbed)


def test_a_gpu_is_asked_for(run, cluster):
    """And where PyTorch sees none, the job says so."""
    run.start("--config", "scale=smoke", "device=cuda", "--retries", "0")
    job = until(lambda: list(cluster.jobs(run.root)), "a job")[0]
    assert cluster.show(job)["TresPerJob"] == "gres:gpu:1"
    assert run.end() != 0
    log = run.root / f"results/smoke/logs/train/{run.job.cell.id}.log"
    assert "This job is to run on a GPU, and PyTorch sees none" in log.read_text()


@pytest.mark.skipif(not ACCOUNTING, reason="say ACCOUNTING=1, with slurmdbd and mariadb-server installed")
def test_sacct(run, undisturbed, cluster):
    run.start("--slurm-status-command", "sacct")
    assert run.end() == 0, run.said()
    (job,) = cluster.jobs(run.root)
    assert "COMPLETED" in cluster.call("sacct", "-n", "-X", "-j", job, "-o", "State")
    assert same(run, undisturbed)


def test_the_controller_restarts(run, undisturbed, cluster):
    run.start()
    until(run.trains, "records")
    os.kill(cluster.daemon("slurmctld"), signal.SIGKILL)
    reached = min(run.steps())
    until(lambda: run.trains(reached), "progress without a controller")
    cluster.call("/usr/sbin/slurmctld")
    assert run.end() == 0, run.said()
    assert len(cluster.jobs(run.root)) == 1
    assert same(run, undisturbed)


def test_the_run_is_killed_and_its_jobs_go_on(run, undisturbed, cluster):
    """A second run says so and leaves; Snakemake alone submits the same cell again, which waits for its turn."""
    run.start()
    until(run.trains, "records")
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    (job,) = cluster.jobs(run.root)
    result = run.project.command("reproduce", "--scale", "smoke", "--profile", "slurm")
    assert result.returncode != 0
    assert f"jobs of an earlier run in this folder are still in SLURM's queue ({job})" in result.stdout
    assert f"`scancel {job}`" in result.stdout
    run.start("--nolock")
    assert run.end() == 0, run.said()
    assert len(cluster.jobs(run.root)) == 2
    assert same(run, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_takes_the_jobs_out_of_the_queue(run, cluster, number):
    call = [sys.executable, "workflow/commands/reproduce.py", "--scale", "smoke", "--profile", "slurm"]
    path = run.root / "profiles/slurm/profile.yaml"
    path.write_text(path.read_text() + "slurm-init-seconds-before-status-checks: 2\n")
    run.process = subprocess.Popen(
        call, cwd=run.root, env=run.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    until(run.trains, "records")
    run.process.send_signal(number)
    said, _ = run.process.communicate()
    assert run.process.returncode != 0
    assert "what is trained is kept" in said
    assert set(cluster.jobs(run.root).values()) <= {"CANCELLED", "COMPLETING"}
    until(lambda: not cluster.jobs(run.root, "running,pending,completing"), "an empty queue")
    assert 0 < min(run.steps()) < LONG
