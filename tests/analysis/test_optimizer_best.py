import numpy as np
import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import optimizer_best


def build(points, optimizer="adamw"):
    """points: learning rate -> t4 of seeds 0, 1, ..."""
    members = [
        member(cell=str(rate), optimizer=optimizer, learning_rate=rate, seed=seed, t4=float(t4))
        for rate, times in points.items()
        for seed, t4 in enumerate(times)
    ]
    designs = [design(study="optimizer_sweep", cell=str(rate)) for rate in points]
    return optimizer_best.build(frame("members", members), frame("designs", designs))


def test_each_half_is_reported_at_the_point_that_the_other_chose():
    # even seeds like 1e-3, odd seeds 1e-2: each looks good only to those who chose it
    (row,) = build({1e-3: [1000, 8000, 1200, 9000], 1e-2: [7000, 2000, 6000, 2200]}).to_dict("records")
    assert (row["learning_rate_even"], row["learning_rate_odd"]) == (1e-3, 1e-2)
    assert not row["same"]
    assert row["n"] == 4
    assert row["median"] == (7000 + 8000) / 2  # of 8000 and 9000 at 1e-3, 7000 and 6000 at 1e-2


def test_selection_does_not_flatter():
    """Of points that differ by noise alone the best looks better than typical; cross-fitted it does not."""
    noise = np.random.default_rng(0)
    runs = [{rate: noise.integers(2000, 8000, 8) for rate in range(1, 7)} for _ in range(12)]
    fitted = [build(points)["median"][0] for points in runs]
    naive = [min(np.median(times) for times in points.values()) for points in runs]
    assert abs(np.mean(fitted) - 5000) < 400
    assert np.mean(naive) < np.mean(fitted) - 600


@pytest.mark.parametrize(
    ("points", "chosen"),
    [
        (
            {1e-3: [np.nan] * 4, 1e-2: [9000, 9000, np.nan, np.nan]},
            1e-2,
        ),  # medians tie at the first time by the plateau
        ({1e-3: [np.nan] * 6, 1e-2: [9000, 9000] + [np.nan] * 4}, 1e-2),  # both not reached: more members generalise
        ({1e-3: [3000] * 2, 1e-2: [2000] * 2}, 1e-2),
        ({1e-3: [2000] * 2, 1e-2: [2000] * 2}, 1e-3),  # equal in all: the smaller learning rate
    ],
)
def test_choice(points, chosen):
    (row,) = build(points).to_dict("records")
    assert row["learning_rate_even"] == row["learning_rate_odd"] == chosen
    assert row["same"]


def test_without_any_generalisation_the_better_accuracy_is_chosen():
    members = [member(cell=c, learning_rate=r, best_val_acc=a) for c, r, a in (("a", 1e-3, 0.1), ("b", 1e-2, 0.5))]
    designs = frame("designs", [design(study="optimizer_sweep", cell=cell) for cell in "ab"])
    table = optimizer_best.build(frame("members", members), designs)
    assert table["learning_rate_even"][0] == 1e-2


def test_cross_fitted_members_are_those_of_the_row():
    base = base_tables()
    table = optimizer_best.build(base["members"], base["designs"])
    for _, row in table.iterrows():
        own = base["members"][base["members"]["optimizer"] == row["optimizer"]]
        reported = optimizer_best.cross_fitted(own, base["designs"], row["study"])
        assert sorted(reported["seed"]) == list(range(8))
        even = reported[reported["seed"] % 2 == 0]
        assert (even["learning_rate"] == row["learning_rate_odd"]).all()
        assert reported["generalised"].sum() == row["events"]


def test_seeds_that_only_another_study_asks_for_neither_choose_nor_are_reported():
    members = [member(cell="shared", seed=seed, t4=1000.0) for seed in range(4)]
    designs = [design(study="optimizer_sweep", cell="shared", seeds=1), design(cell="shared", seeds=4)]
    reported = optimizer_best.cross_fitted(frame("members", members), frame("designs", designs), "optimizer_sweep")
    assert reported.empty


def test_sweeps_do_not_compete():
    """Of one optimiser in two studies, each has a best point of its own."""
    members = [
        member(cell=cell, learning_rate=rate, seed=seed, t4=t4)
        for cell, rate, t4 in (("slow", 1e-3, 5000.0), ("fast", 1e-2, 1000.0))
        for seed in range(2)
    ]
    studies = {"slow": "optimizer_sweep", "fast": "optimizer_sweep_001"}
    designs = frame("designs", [design(study=study, cell=cell) for cell, study in studies.items()])
    table = optimizer_best.build(frame("members", members), designs)
    assert table[["study", "learning_rate_even", "median"]].values.tolist() == [
        ["optimizer_sweep", 1e-3, 5000],
        ["optimizer_sweep_001", 1e-2, 1000],
    ]


def test_one_seed_chooses_but_reports_nothing():
    (row,) = build({1e-3: [1000], 1e-2: [2000]}).to_dict("records")
    assert row["learning_rate_even"] == 1e-3
    assert np.isnan(row["learning_rate_odd"])
    assert row["n"] == 0
    assert np.isnan(row["median"])


def test_a_row_an_optimiser():
    base = base_tables()
    table = optimizer_best.build(base["members"], base["designs"])
    assert (table["points"] == 9).all()
    assert (table["n"] == 8).all()
    order = {study: list(own.sort_values("median")["optimizer"]) for study, own in table.groupby("study", sort=False)}
    assert order == {"optimizer_sweep": ["adamw", "adam", "sgd"], "optimizer_sweep_001": ["adamw", "rmsprop", "sgd"]}
