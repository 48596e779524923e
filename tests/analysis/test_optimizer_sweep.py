import numpy as np
from synthetic import base_tables, design, frame, member

from regrok.analysis import optimizer_sweep

BUDGETS = {"optimizer_sweep": 5000, "optimizer_sweep_001": 20_000}


def test_a_point_that_another_study_follows_further_has_no_edge():
    members = [
        *(member(cell="shared", seed=seed, budget=20_000, t4=15_000.0, last_step=16_500) for seed in range(6)),
        *(member(cell="own", learning_rate=1e-2, seed=seed, budget=5000) for seed in range(2)),
    ]
    designs = [design(study="optimizer_sweep", cell=cell, seeds=2, budget=5000) for cell in ("shared", "own")]
    designs.append(design(cell="shared", seeds=6, budget=20_000))
    table = optimizer_sweep.build(frame("members", members), frame("designs", designs))
    assert list(table["n"]) == [2, 2]
    assert list(table["events"]) == [0, 0]
    assert list(table["budget"]) == [5000, 5000]


def test_every_optimiser_has_as_many_points():
    base = base_tables()
    table = optimizer_sweep.build(base["members"], base["designs"])
    assert table.groupby(["study", "optimizer"], sort=False).size().to_dict() == {
        **{("optimizer_sweep", optimizer): 9 for optimizer in ("adam", "adamw", "sgd")},
        **{("optimizer_sweep_001", optimizer): 9 for optimizer in ("adamw", "rmsprop", "sgd")},
    }
    assert table["diverged"].sum() == 1


def test_a_cell_of_both_sweeps_is_in_both_as_each_asks_for_it():
    members = [member(cell="shared", budget=20_000, t4=15_000.0, last_step=16_500)]
    designs = [design(study=study, cell="shared", budget=budget) for study, budget in BUDGETS.items()]
    table = optimizer_sweep.build(frame("members", members), frame("designs", designs))
    assert list(table["study"]) == list(BUDGETS)
    assert list(table["events"]) == [0, 1]


def test_points_are_sorted_and_a_diverged_member_never_generalises():
    members = [
        member(cell="b", learning_rate=1e-2, seed=0, t4=1000.0, best_val_acc=1.0),
        member(cell="b", learning_rate=1e-2, seed=1, t4=3000.0, best_val_acc=1.0),
        member(cell="b", learning_rate=1e-2, seed=2, diverged=True, last_step=100, best_val_acc=0.1),
        member(cell="a", learning_rate=1e-3, seed=0),
    ]
    designs = frame("designs", [design(study="optimizer_sweep", cell=cell) for cell in "ba"])
    table = optimizer_sweep.build(frame("members", members), designs)
    assert list(table["learning_rate"]) == [1e-3, 1e-2]
    assert list(table["median"]) == [np.inf, 3000]  # the middle one of 1000, 3000 and never
    assert list(table["diverged"]) == [0, 1]
    assert table["best_val_acc"][1] == np.mean([1.0, 1.0, 0.1])
