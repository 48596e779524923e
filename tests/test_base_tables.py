"""The script that gathers records, beside a job that goes on with one of them."""

import json
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from checkout import ROOT
from tiny import silent
from trained import Trained, prepare

from regrok import provenance, stock
from regrok.store import HEADER, read_header
from regrok.training.train import train


@pytest.fixture
def trained(tmp_path, monkeypatch) -> Trained:
    """A member that is followed for 50 of its 150 steps."""
    monkeypatch.chdir(tmp_path)
    trained = prepare(tmp_path, [{"cases": [{}]}], seeds=1, budget=150)
    go_on(trained, 50)
    return trained


def go_on(trained: Trained, until: int) -> None:
    (job,) = trained.jobs
    part = replace(job, follow=replace(job.follow, until_budget=until))
    train(part, trained.store, stock.code(job), silent)


def gather(trained: Trained) -> Path:
    """Run the script as Snakemake does; the folder of its tables."""
    folder = Path("results/smoke/tables")
    folder.mkdir(parents=True)
    planned = stock.fingerprint(stock.take(trained.jobs, trained.store))
    outputs = type("Outputs", (list,), {"records": "results/smoke/records.json"})([str(folder / "cells.parquet")])
    call = SimpleNamespace(
        input=SimpleNamespace(config="config.yaml"),
        output=outputs,
        log=["log"],
        params=SimpleNamespace(scale="smoke", reports=[], records=planned, code="code"),
    )
    runpy.run_path(str(ROOT / "workflow/scripts/base_tables.py"), init_globals={"snakemake": call})
    return folder


def test_a_record_that_is_replaced_meanwhile_is_one_state_of_it(trained, monkeypatch):
    """Before it is read, and before it is used."""
    fingerprint, ledger = stock.fingerprint, provenance.ledger

    def replaced_after_planning(needs):
        found = fingerprint(needs)
        if trained.store.records(trained.jobs[0].cell)[0].step == 50 and Path("log").exists():
            go_on(trained, 100)
        return found

    def replaced_after_reading(*given):
        found = ledger(*given)
        go_on(trained, 150)
        return found

    monkeypatch.setattr(stock, "fingerprint", replaced_after_planning)
    monkeypatch.setattr(provenance, "ledger", replaced_after_reading)
    folder = gather(trained)
    (told,) = json.loads(Path("results/smoke/records.json").read_text())["records"].values()
    assert told["last_step"] == 100
    assert pd.read_parquet(folder / "members.parquet")["last_step"].tolist() == [100]
    assert pd.read_parquet(folder / "histories.parquet")["step"].max() == 100


def test_every_damaged_history_is_named_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained = prepare(tmp_path, [{"cases": [{}]}], seeds=2, budget=50)
    damaged = [record.path for record in trained.train(0)]
    for path in damaged:
        history = path / read_header(path / HEADER)["history"]
        history.write_bytes(history.read_bytes()[:-1])
    with pytest.raises(SystemExit) as end:
        gather(trained)
    assert all(path.name in end.value.code for path in damaged)
    assert not list(Path("results/smoke/tables").iterdir())
