"""The examples of docs/extending.md: what they add to config.yaml loads, and what they add to the library runs."""

import re
from pathlib import Path
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
STUDY, _ = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)
FIGURE, PROBE = re.findall(r"```python\n(.*?)```", TEXT, re.S)


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


def test_the_probe(tmp_path):
    example, store, task = module(PROBE, "probes"), Store(tmp_path), job(seeds=1, budget=60, snapshots=((20, 60),))
    train(task, store, CODE, silent)
    seen = Member(task, by_seed(store, task.cell)[0])
    table = example.measure(seen, **example.SETTINGS | {"every": 20})
    assert list(table) == list(example.COLUMNS)
    assert table["step"].tolist() == [0, 20, 40, 60]
    assert np.isfinite(table["norm"]).all()
    assert set(example.NEEDS) <= {"snapshots", "signals"}
