"""The examples of docs/extending.md: what they add to config.yaml loads, and what they add to the library runs."""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import base_tables, design, frame
from tiny import CODE, by_seed, job, silent

from regrok import config
from regrok.experiment import designs
from regrok.probes.member import Member
from regrok.store import Store
from regrok.training.train import train

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
STUDY, COUNTING, _ = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)
FIGURE, TASK, SETTINGS, NETWORK, PROBE = re.findall(r"```python\n(.*?)```", TEXT, re.S)


def module(source: str, package: str) -> SimpleNamespace:
    """A file of a package of the library, with this source."""
    names = {"__name__": f"regrok.{package}.example", "__package__": f"regrok.{package}"}
    exec(compile(source, "example", "exec"), names)
    return SimpleNamespace(**names)


def test_the_study(tmp_path):
    text = (ROOT / "config.yaml").read_text(encoding="utf-8").replace("\nstudies:\n", f"\nstudies:\n{STUDY}\n")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    found = [one for one in designs(config.load(tmp_path / "config.yaml"), "laptop") if one.study == "squares"]
    assert [one.cell.task.named for one in found] == ["add", "x ** 2 + x * y + y ** 2"]
    assert {(one.seeds, one.budget) for one in found} == {(6, 15_000)}


@pytest.mark.parametrize("trained", [True, False])
def test_the_figure(trained):
    example, tables = module(FIGURE, "figures"), base_tables(seeds=2, scale="laptop")
    cells = tables["members"].query("architecture == 'mlp' and pairs == 'ordered' and fraction == 0.5")
    two = [cells.loc[cells["operation"] == name, "cell"].iloc[0] for name in ("add", "divide")]
    if trained:
        tables["designs"] = frame("designs", [design(study="squares", cell=cell, budget=20_000) for cell in two])
    figure = example.draw(*(tables[name] for name in example.INPUTS))
    assert len([ax for ax in figure.axes if ax.lines]) == (4 if trained else 0)


TRAINS = """
import sys
from pathlib import Path
import torch
from regrok.config import load
from regrok.experiment import designs
from regrok.process import one_thread
from regrok.training.stack import Stack
config = Path("config.yaml").read_text().replace("\\nstudies:\\n", f"\\nstudies:\\n{sys.argv[1]}\\n")
Path("extended.yaml").write_text(config)
for cell in [one.cell for one in designs(load("extended.yaml"), "desk") if one.study == "counting"]:
    both, alone = Stack(cell, [0, 1]), Stack(cell, [1])
    for _ in range(200):
        both.advance(), alone.advance()
    assert torch.equal(both.parameters.buffers[0][1], alone.parameters.buffers[0][0])
    weights = sum(value.numel() for value in alone.plain().parameters())
    assert weights == cell.parameters and alone.module.last_layer(cell.model) in alone.parameters.values
    found = both.evaluate()["train_acc"].min()
    print(cell.task.named, cell.model.architecture, cell.task.examples, found > 1.5 * cell.task.chance)
"""


@pytest.mark.parametrize("model", ["sequence_mlp", "gated_mlp"])
def test_the_task_and_the_model(tmp_path, model):
    """In a copy of the library, as a reader adds them; members of a stack are as if alone."""
    copytree(ROOT / "workflow", tmp_path / "workflow", ignore=ignore_patterns("__pycache__"))
    copy2(ROOT / "config.yaml", tmp_path)
    (tmp_path / "workflow/regrok/tasks/counting.py").write_text(TASK)
    study = COUNTING
    if model == "gated_mlp":
        (tmp_path / "workflow/regrok/models/gated_mlp.py").write_text(NETWORK)
        cell = tmp_path / "workflow/regrok/cell.py"
        text = cell.read_text().replace("class Cell(Settings)", f"{SETTINGS}\n\nclass Cell(Settings)")
        cell.write_text(text.replace("MLP | SharedMLP |", "MLP | SharedMLP | GatedMLP |"))
        study = re.sub(r"model: {.*}", "model: {architecture: gated_mlp, embedding: 16, hidden: 64}", COUNTING)
    call = [sys.executable, "-c", TRAINS, study]
    path = {**os.environ, "PYTHONPATH": str(tmp_path / "workflow")}
    done = subprocess.run(call, cwd=tmp_path, env=path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"set bits of 10 modulo 3 {model} 1024 True\n" * 2


def test_the_probe(tmp_path):
    example, store, task = module(PROBE, "probes"), Store(tmp_path), job(seeds=1, budget=60, snapshots=((20, 60),))
    train(task, store, CODE, silent)
    seen = Member(task, by_seed(store, task.cell)[0])
    table = example.measure(seen, **example.SETTINGS | {"every": 20})
    assert list(table) == list(example.COLUMNS)
    assert table["step"].tolist() == [0, 20, 40, 60]
    assert np.isfinite(table["norm"]).all()
    assert set(example.NEEDS) <= {"snapshots", "signals"}
