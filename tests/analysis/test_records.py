"""Base tables from records: hand-made histories with known events, and longer records that must not show."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import LSTM, RESIDUAL, RMSPROP, SGD, SHARED, SUMS, TRANSFORMER, job, tiny

from regrok.analysis import records
from regrok.analysis.factors import FACTORS
from regrok.analysis.records import COLUMNS, build, cut
from regrok.events import NEVER, Follow, evaluation_steps, generalisation, last_step
from regrok.experiment import Design, Job
from regrok.store import Record, Store
from regrok.training.train import train

CODE = {"torch": "2.0", "numpy": "2.1", "numba": "0.1", "regrok.training.stack": "0"}
MACHINE = {"device": "cpu", "cpu": "an abacus", "capability": "AVX2", "threads": 1, "platform": "here"}
SECONDS = ["wall_seconds", "cpu_seconds", "evaluation_cpu_seconds", "overhead_cpu_seconds"]
HEADER = {
    "seed": 3,
    "code": CODE,
    "machine": MACHINE,
    "dense": [],
    "diverged": False,
    "t4": [None, None],
    "examples": {"train": 135, "validation": 34},
    "evaluated": {"train": 135, "validation": 34},
    "seconds": {"wall": 100.0, "cpu": 80.0, "evaluation_cpu": 8.0, "overhead_cpu": 4.0},
}


class Made(Record):
    """A record with a history in memory."""

    def history(self) -> dict[str, np.ndarray]:
        return self.header["history"]


def made(history: dict, **header) -> Made:
    """history: column -> values; columns not given are 0.5."""
    step = np.asarray(history["step"], dtype=np.int64)
    columns = {
        name: np.asarray(history.get(name, np.full(len(step), 0.5)), dtype=np.float32) for name in records.HISTORY
    }
    return Made(None, {**HEADER, "last_step": int(step[-1]), **header, "history": {"step": step, **columns}})


def design(task: Job, **more) -> Design:
    given = {
        "study": "a_study",
        "report": "000",
        "varied": ("split.fraction", "optimizer.name"),
        "seeds": task.seeds,
        "budget": task.follow.budget,
        "stop": "event",
        "reference": False,
        **more,
    }
    return Design(cell=task.cell, **given)


def member(task: Job, record: Record) -> pd.Series:
    (row,) = build([design(task)], [(task, record)])["members"].to_dict("records")
    return pd.Series(row)


# Chance is 1/13: of 135 training examples at most 24 by luck, of 34 validation examples at most 11.
STEPS = [0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800]
TRAIN = [0.1] * 6 + [0.5, 0.5] + [1] * 14  # above chance from 50, at the threshold from 150
VAL = [0.1] * 9 + [0.9, 0.2, 0.6, 0.7, 0.8, 1, 0.9, 1, 1, 1, 1, 1, 0.8]  # for good from 300; 450 is not sustained


def by_hand(last: int = 800) -> Made:
    rows = STEPS.index(last) + 1
    zeros = [0.0] * 12 + [0.4, 0.5, 0.4, 0.6, 0.7, 0.7, 0.7, 0.8, 0.8, 0.9]
    return made(
        {
            "step": STEPS[:rows],
            "train_acc": TRAIN[:rows],
            "val_acc": VAL[:rows],
            "train_loss": np.linspace(2, 1, 22)[:rows],
            "val_loss": np.linspace(3, 4, 22)[:rows],
            "zero_loss_share": zeros[:rows],
        }
    )


def test_a_member_by_hand():
    """Followed to 800, 200 beyond t4 = 550."""
    task = job(seeds=1, event=1000)
    row = member(task, by_hand())
    assert row[["cell", "seed", "n_train", "n_val", "budget"]].tolist() == [task.cell.id, 3, 135, 34, 1000]
    assert row["n_parameters"] == task.cell.parameters
    assert row["chance"] == 1 / 13
    assert row[["t1_after", "t1", "t2_after", "t2"]].tolist() == [20, 50, 100, 150]
    assert row[["t3_after", "t3", "t4_after", "t4"]].tolist() == [250, 300, 500, 550]
    assert row[["generalised", "grokked", "diverged"]].tolist() == [True, False, False]
    assert row[["delay", "delay_ratio"]].tolist() == [400, 550 / 150]
    assert row[["last_step", "stop_reason"]].tolist() == [750, "event"]  # one evaluation more than it asks for is cut
    assert row["best_val_acc"] == 1
    assert row[["final_train_acc", "final_val_acc"]].tolist() == [1, 1]
    assert row[["final_train_loss", "final_val_loss"]].tolist() == pytest.approx([2 - 20 / 21, 3 + 20 / 21])
    assert row["zero_loss_share"] == pytest.approx(0.8)
    assert row["zero_loss_half_step"] == 400
    assert row[SECONDS].tolist() == pytest.approx([100 * 750 / 800, 80 * 750 / 800, 8 * 750 / 800, 4 * 750 / 800])
    assert row["flops"] == 750 * task.cell.flops_per_step


def test_a_member_that_never_generalises():
    row = member(job(seeds=1, event=400), by_hand(400))
    assert row[["last_step", "budget", "stop_reason"]].tolist() == [400, 400, "budget"]
    assert row[["generalised", "grokked", "diverged"]].tolist() == [False, False, False]
    assert row[["t4_after", "t4", "delay", "delay_ratio"]].isna().all()
    assert row["t3"] == 300
    assert row["best_val_acc"] == pytest.approx(0.9)
    assert row[SECONDS].tolist() == [100, 80, 8, 4]


def test_grokking_needs_a_delay():
    """t2 = 150; t4 one evaluation before 1 000 steps later, and right there."""
    steps = evaluation_steps(3000)
    for t4, grokked in ((1100, False), (1150, True)):
        history = {"step": steps, "train_acc": steps >= 150, "val_acc": steps >= t4}
        row = member(job(seeds=1, event=3000), made(history))
        assert row[["t2", "t4", "generalised", "grokked"]].tolist() == [150, t4, True, grokked]


def test_a_diverged_member():
    history = {"step": [0, 1, 2, 5], "train_loss": [2, 3, 9, np.nan], "val_loss": [2, 3, 9, np.inf]}
    row = member(job(seeds=1, event=400), made(history, diverged=True))
    assert row[["last_step", "stop_reason", "diverged", "generalised"]].tolist() == [5, "diverged", True, False]
    assert np.isnan(row["final_train_loss"])


def test_divergence_beyond_the_budget_does_not_show():
    history = {"step": [0, 1, 2, 5, 10, 20, 50, 100], "train_loss": [2.0] * 7 + [np.nan]}
    row = member(job(seeds=1, event=50), made(history, diverged=True))
    assert row[["last_step", "stop_reason", "diverged"]].tolist() == [50, "budget", False]


def test_a_member_followed_to_the_budget_after_its_event():
    row = member(job(seeds=1, event=1000, budget=800), by_hand())
    assert row[["last_step", "stop_reason", "t4"]].tolist() == [800, "event", 550]
    row = member(job(seeds=1, event=700, budget=800), by_hand())
    assert row[["last_step", "stop_reason", "t4"]].tolist() == [800, "budget", 550]


def test_a_record_that_is_not_complete_has_seen_no_event():
    """With PARTIAL=1: censored where it stands."""
    row = member(job(seeds=1, event=5000), by_hand(400))
    assert row[["last_step", "stop_reason", "generalised"]].tolist() == [400, "budget", False]


def test_accuracy_from_the_start():
    row = member(job(seeds=1, event=50), made({"step": STEPS[:7], "train_acc": [1] * 7, "val_acc": [1] * 7}))
    assert row[["t2", "t4", "delay"]].tolist() == [0, 0, 0]
    assert np.isnan(row["delay_ratio"])


def tables_of(task: Job, record: Record) -> dict[str, pd.DataFrame]:
    tables = build([design(task)], [(task, record)])
    return {**tables, "members": tables["members"].drop(columns=SECONDS)}


def assert_same_tables(left: dict[str, pd.DataFrame], right: dict[str, pd.DataFrame]) -> None:
    assert left.keys() == right.keys()
    for name in left:
        pd.testing.assert_frame_equal(left[name], right[name], check_exact=True)


ROUND = st.sampled_from([50, 200, 500, 1000, 1150, 2000, 5000, 10_000, 20_000])
FOLLOWS = st.builds(
    Follow,
    until_event=st.just(0) | ROUND,
    until_budget=st.just(0) | ROUND,
    dense=st.sampled_from([(), ((10, 700),), ((4, 100), (20, 2000))]),
).filter(lambda follow: follow.budget)


def full_history(follow: Follow, beyond: int, random) -> dict:
    """Everything measured up to `beyond`: a member that generalises at some time, not at once for good."""
    steps = evaluation_steps(beyond, follow.dense)
    onset = random.choice([0, 60, 300, 900, 1000, 4000, 10**6])
    wobbly = np.array([random.random() < 0.7 for _ in steps])
    val_acc = np.where((steps >= onset) & (wobbly | (steps >= 1.3 * onset)), 1.0, 0.3)
    return {"step": steps, "val_acc": val_acc, "train_acc": steps >= onset // 3, "train_loss": 1 / (1 + steps)}


@settings(max_examples=40, deadline=None)
@given(FOLLOWS, st.randoms(use_true_random=False))
def test_a_longer_record_gives_the_same_tables(follow, random):
    """A member followed to twice the budget, against one that left when the rule let it go."""
    history = full_history(follow, 2 * follow.budget, random)
    steps, val_acc = np.asarray(history["step"]), np.asarray(history["val_acc"])
    grid = evaluation_steps(follow.budget, follow.dense)
    common, end = np.isin(steps, evaluation_steps(follow.budget)), cache(last_step)
    for rows in range(1, len(steps) + 1):  # as training goes
        at, seen = steps[rows - 1], common[:rows]
        t4 = generalisation(steps[:rows][seen], val_acc[:rows][seen])
        if at in grid and at >= end(t4 if t4.reached else NEVER, follow):
            break
    short = {name: column[:rows] for name, column in history.items()}
    assert short["step"][-1] <= follow.budget
    task = Job(tiny(), 1, follow)
    assert_same_tables(tables_of(task, made(history)), tables_of(task, made(short)))
    assert cut(made(history), task)["step"].tolist() == short["step"].tolist()


def test_denser_evaluations_do_not_show():
    """A record that another study had measured more often: this one's grid alone decides."""
    task = job(seeds=1, event=2000)
    steps = evaluation_steps(2000, ((10, 2000),))
    val_acc = (steps >= 515) & (steps <= 545) | (steps >= 815)
    dense, coarse = made({"step": steps, "val_acc": val_acc}), np.isin(steps, evaluation_steps(2000))
    row = member(task, dense)
    assert (row["t4_after"], row["t4"]) == (800, 850)
    assert_same_tables(
        tables_of(task, dense), tables_of(task, made({"step": steps[coarse], "val_acc": val_acc[coarse]}))
    )
    asks = job(seeds=1, event=2000, dense=((10, 2000),))
    assert member(asks, dense)["t4"] == 850  # nor if it asks for them: cells that are compared are measured alike
    assert len(cut(dense, asks)["step"]) > len(cut(dense, task)["step"])  # though its history has them


def test_trained_further(tmp_path):
    """The same with real records: the tables of a small scale before and after a bigger one."""
    store, task = Store(tmp_path), job(seeds=2, budget=100)
    before = after = None
    for budget in (100, 250):
        train(job(seeds=2, budget=budget), store, CODE, lambda progress: None)
        found = build([design(task)], [(task, record) for record in store.records(task.cell)])
        found = {**found, "members": found["members"].drop(columns=SECONDS)}
        before, after = after, found
    assert [record.step for record in store.records(task.cell)] == [250, 250]
    assert_same_tables(before, after)


def test_nothing_at_all():
    """Every table with its columns and its dtypes, whether or not there are rows."""
    empty = build([], [])
    full = build([design(job(event=1000))], [(job(event=1000), by_hand())])
    assert empty.keys() == full.keys() == COLUMNS.keys() - {"throughput"}  # which no record holds
    for name in empty:
        columns = COLUMNS[name]
        assert list(empty[name]) == list(full[name]) == list(columns)
        assert len(empty[name]) == 0
        assert empty[name].dtypes.to_dict() == full[name].dtypes.to_dict(), name


def test_designs_without_records():
    """What was asked for is stated even where nothing is at hand."""
    task = job(seeds=4, event=1000)
    tables = build([design(task), design(task, study="other", stop="budget", budget=500, reference=True)], [])
    assert len(tables["members"]) == len(tables["histories"]) == len(tables["provenance"]) == 0
    assert tables["cells"]["cell"].tolist() == [task.cell.id]
    assert tables["designs"].to_dict("records") == [
        {
            "study": "a_study",
            "report": "000",
            "cell": task.cell.id,
            "varied": "split.fraction,optimizer.name",
            "seeds": 4,
            "budget": 1000,
            "stop": "event",
            "reference": False,
        },
        {
            "study": "other",
            "report": "000",
            "cell": task.cell.id,
            "varied": "split.fraction,optimizer.name",
            "seeds": 4,
            "budget": 500,
            "stop": "budget",
            "reference": True,
        },
    ]


def test_factors_of_every_kind_of_cell():
    """What a cell's optimiser or schedule does not have is missing, not zero."""
    cosine = {"shape": "cosine", "warmup": 5, "horizon": 900}
    tasks = [job(), job(overrides={"optimizer": SGD}), job(overrides={"schedule": cosine, "batches.last": "drop"})]
    cells = build([design(task) for task in tasks], [])["cells"]
    assert list(cells)[1 : 1 + len(FACTORS)] == list(FACTORS)
    assert cells["optimizer"].tolist() == ["adamw", "sgd", "adamw"]
    assert cells["momentum"].isna().tolist() == [True, False, True]
    assert cells["beta1"].isna().tolist() == [False, True, False]
    assert cells["momentum"][1] == 0.9
    assert cells["schedule"].tolist() == ["constant", "constant", "cosine"]
    assert cells["horizon"].isna().tolist() == [True, True, False]
    assert cells["horizon"][2] == 900
    assert cells["batch_last"].tolist() == ["keep", "keep", "drop"]
    assert cells["warmup"].tolist() == [10, 10, 5]
    assert cells["n_parameters"].tolist() == [task.cell.parameters for task in tasks]


def test_the_size_of_a_full_batch_is_that_of_the_training_set():
    tasks = [job(overrides={"batches.size": "full", "model": SHARED}), job(overrides={"split.fraction": 0.5})]
    cells = build([design(task) for task in tasks], [])["cells"]
    assert cells["batch_size"].tolist() == [135, 20]  # 0.8 of 13 x 13
    assert pd.api.types.is_integer_dtype(cells["batch_size"])
    assert cells["steps_per_epoch"].tolist() == [1, 5]


def test_every_setting_is_a_factor():
    """A setting that a cell gains must not be left out of the tables."""
    paths = {path for path, *_ in FACTORS.values()}
    kinds = [{}, {"optimizer": SGD}, {"optimizer": RMSPROP}, SUMS | {"model": TRANSFORMER}]
    kinds += [{"model": model} for model in (RESIDUAL, LSTM)]
    kinds += [{"schedule": {"shape": "cosine", "warmup": 0, "horizon": 9}}]
    kinds += [{"schedule": {"shape": "staircase", "warmup": 0, "factor": 0.5, "every": 9}}]
    assert paths == {path for overrides in kinds for path in tiny(overrides).factors}


def test_histories_are_the_records_cut():
    task = job(seeds=1, event=1000)
    histories = build(
        [design(task)], [(task, by_hand()), (task, made({"step": [0, 1], "train_acc": [0.25, 1]}, seed=7))]
    )
    histories = histories["histories"]
    assert histories["seed"].tolist() == [3] * 21 + [7] * 2
    assert histories["step"].tolist() == [*STEPS[:-1], 0, 1]
    assert histories["train_acc"].tolist()[-2:] == [0.25, 1]
    assert histories["val_acc"].tolist()[:21] == np.float32(VAL[:21]).tolist()
    assert set(histories["cell"]) == {task.cell.id}


def test_where_members_were_trained():
    other = {**MACHINE, "cpu": "a slide rule"}
    task = job(seeds=3, event=1000)
    found = [by_hand(), made({"step": [0]}, machine=other), made({"step": [0]}, seed=5)]
    table = build([design(task)], [(task, record) for record in found])["provenance"]
    assert table[["cpu", "torch", "numpy", "members"]].values.tolist() == [
        ["an abacus", "2.0", "2.1", 2],
        ["a slide rule", "2.0", "2.1", 1],
    ]


def test_a_member_trained_on_two_machines_counts_under_both():
    """Once under each, however often it came back; and an older record under the only one it names."""
    here = MACHINE | {"torch": "2.0", "numpy": "2.1", "numba": "0.1"}
    there = MACHINE | {"cpu": "a slide rule", "torch": "2.1"}
    machines = [{"until": step, **where} for step, where in ((10, here), (20, there), (30, here))]
    task = job(seeds=2, event=1000)
    found = [made({"step": [0]}, machines=machines), made({"step": [0]}, seed=5)]
    table = build([design(task)], [(task, record) for record in found])["provenance"]
    assert {tuple(row) for row in table[["cpu", "torch", "numpy", "members"]].values} == {
        ("an abacus", "2.0", "2.1", 2),
        ("a slide rule", "2.1", "", 1),
    }
