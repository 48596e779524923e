"""The benchmark: that it measures what it says. How fast anything is, no test asserts."""

import importlib.util
import json
from pathlib import Path

import pytest
import yaml
from tiny import SETTINGS

from regrok.cell import Cell
from regrok.experiment import override

PATH = Path(__file__).parents[1] / "benchmarks" / "bench.py"


@pytest.fixture
def bench(monkeypatch):
    spec = importlib.util.spec_from_file_location("bench", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SECONDS", 0.01)
    monkeypatch.setattr(module, "SGEMM", 64)
    return module


def test_every_workload_is_a_cell(bench):
    base = yaml.safe_load((PATH.parents[1] / "config.yaml").read_text())["settings"]["mlp_000"]
    for workload in bench.WORKLOADS.values():
        Cell.model_validate(override(base, workload.settings))


def test_a_measurement(bench):
    result = bench.measure(bench.Workload("tiny", {}, members=3, ratio=2, fraction=None), SETTINGS, repetitions=3)
    assert json.loads(json.dumps(result)) == result
    for figure in ("plain_steps_per_second", "member_steps_per_second", "ratio_to_plain", "fraction_of_limit"):
        low, high = result[figure]["quartiles"]
        assert 0 < low <= result[figure]["median"] <= high
    assert bench.table({"tiny": result}).row_count == 1
