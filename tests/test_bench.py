"""The benchmark: what it counts, and that it measures what it says. How fast anything is, no test asserts."""

import importlib.util
import json
from pathlib import Path

import pytest
import yaml
from tiny import SETTINGS, tiny

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


def test_the_short_last_batch_counts_as_what_it_is(bench):
    """135 of 169 examples in batches of 20: six of 20 and one of 15."""
    kept, dropped = tiny(), tiny({"batches.last": "drop"})
    assert kept.train_examples == 135
    fold, example = 2 * 2 * 13 * 16 * 32, 2 * (32 * 32 + 32 * 13)
    assert bench.least_flops(dropped) == 3 * (fold + 20 * example)
    assert bench.least_flops(kept) == pytest.approx(3 * (fold + 135 / 7 * example))


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
