"""What training is said to cost, and how short cells are grouped."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import job, silent

from regrok import cost, stock
from regrok.cost import Core, Speed
from regrok.store import Store
from regrok.training import train as engine

CORE = Core(training=Speed(1e-3, 1e9), evaluation=Speed(0.5, math.inf))


def test_a_line_through_two_points():
    speed = Speed.through([(1e6, 3e-3), (3e6, 5e-3)])
    assert speed.overhead == pytest.approx(2e-3)
    assert speed.rate == pytest.approx(1e9)
    assert speed.seconds(10e6) == pytest.approx(12e-3)


def test_no_slope_below_zero():
    assert Speed.through([(1e6, 3e-3), (3e6, 2e-3)]).seconds(1e12) == 3e-3


def test_seconds_of_a_member(tmp_path):
    """100 steps, and the evaluations at 0, 1, 2, 5, 10, 20, 50 and 100."""
    task = job(seeds=1, budget=100)
    (need,) = stock.take([task], Store(tmp_path))
    assert CORE.seconds(need) == pytest.approx(100 * (1e-3 + task.cell.flops_per_step / 1e9) + 8 * 0.5)


def test_what_is_trained_costs_nothing(tmp_path):
    done, waiting = job(seeds=2, budget=60), job(seeds=2, budget=60, overrides={"model.hidden": 9})
    store = Store(tmp_path)
    engine.train(done, store, stock.code(done), silent)
    seconds = cost.by_cell(stock.take([done, waiting], store), CORE)
    assert seconds[done.cell.id] == 0
    one = CORE.seconds(stock.take([waiting], store)[0])
    assert seconds[waiting.cell.id] == pytest.approx(2 * one + cost.START_SECONDS)


@given(st.dictionaries(st.text("abc", min_size=1), st.floats(1, 5000)))
def test_groups(seconds):
    """Who is shorter than a job is worth shares one, and the jobs are about equally long."""
    groups = cost.groups(seconds, worth=1000)
    assert groups.keys() == {cell for cell, length in seconds.items() if length < 1000}
    lengths = {name: sum(seconds[cell] for cell in groups if groups[cell] == name) for name in groups.values()}
    if lengths:
        assert len(lengths) <= math.ceil(sum(lengths.values()) / 1000)
        assert max(lengths.values()) - min(lengths.values()) <= max(seconds[cell] for cell in groups)
        assert max(lengths.values()) < 2000


@given(
    st.dictionaries(st.text("abc", min_size=1), st.floats(0, 50_000), min_size=1),
    st.integers(1, 3),
    st.integers(1, 3000),
)
def test_no_job_has_a_limit_longer_than_the_longest(seconds, attempt, longest):
    """Neither of one cell nor of a group, of which SLURM knows the sum; and none is cut that need not be."""
    groups = cost.groups(seconds)
    for name in {groups.get(cell, cell) for cell in seconds}:
        cells = [cell for cell in seconds if groups.get(cell, cell) == name]
        wanted = sum(cost.minutes(seconds[cell], attempt) for cell in cells)
        assert sum(cost.limit(cell, seconds, groups, attempt) for cell in cells) == wanted
        limits = [cost.limit(cell, seconds, groups, attempt, longest) for cell in cells]
        assert sum(limits) == min(wanted, longest)
        assert min(limits) >= 0


def test_cells_that_need_nothing_are_one_group():
    assert cost.groups({"a": 0.0, "b": 0.0, "c": 5000.0}) == {"a": "cells1", "b": "cells1"}


def test_limits_rise_with_every_attempt():
    assert [cost.minutes(600, attempt) for attempt in (1, 2, 3)] == [32, 64, 128]
    task = job()
    assert cost.cluster_memory(task, 2) == pytest.approx(1.5 * cost.cluster_memory(task), abs=1)


def test_memory_counts_the_members_of_a_stack():
    assert engine.STACK_LIMIT["cpu"] == cost.STACK_LIMIT
    assert (engine.STACK_BYTES, engine.STEP_LOSSES) == (cost.STACK_BYTES, cost.STEP_LOSSES)
    assert cost.memory(job(seeds=10)) == cost.memory(job(seeds=30))
    wide = {"model.hidden": 4000}
    assert cost.memory(job(seeds=1, overrides=wide)) > cost.memory(job(seeds=1))


def test_memory_counts_a_batch_once_whatever_the_members():
    """Peaks measured of one member of report 003's Transformer at 0.1, 0.5 and 0.9 of the examples, in MB."""
    model = {"architecture": "tied_transformer", "width": 128, "layers": 2, "heads": 4, "norm": "post", "dropout": 0}
    task = {"task": {"operation": "add", "modulus": 97}, "batches.size": "full", "model": model | {"embedding_std": 1}}
    for fraction, measured in {0.1: 540, 0.5: 686, 0.9: 831}.items():
        one, two = (cost.memory(job(seeds, 0, 100, (), task | {"split.fraction": fraction})) for seeds in (1, 2))
        assert measured < one < measured + 160
        assert two - one < 15


def test_disk(tmp_path):
    """Value and two moments of every parameter, a row an evaluation, a loss a step."""
    task = job(seeds=1, budget=100)
    (need,) = stock.take([task], Store(tmp_path))
    assert cost.disk(need) == 12 * task.cell.parameters + 25 * 8 + 6 * 100
