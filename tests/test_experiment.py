"""Studies -> cells: grids, overlays of scales, and jobs that serve several studies."""

import json

import pytest

from regrok.experiment import Config, Grid, Job, Scale, designs, extent, jobs, override, probed

SCALES = {
    "smoke": {"seeds": 2, "budget": 300},
    "laptop": {"seeds": 3, "budget": 10_000},
    "desk": {"seeds": 8, "budget": 100_000},
    "cluster": {"seeds": 8, "budget": 1_000_000},
}


@pytest.fixture
def config(base_cell):
    """Make a config with these studies of report 000 over one base."""
    common = {"report": "000", "question": "?", "base": "base"}

    def make(**studies) -> Config:
        studies = {name: common | study for name, study in studies.items()}
        return Config.model_validate({"settings": {"base": base_cell}, "scales": SCALES, "studies": studies})

    return make


def points(grid, keep=None):
    return list(Grid.model_validate(grid).points(keep or {}))


def test_axes_are_crossed_in_order():
    assert points({"axes": {"a.x": [1, 2], "a.y": ["p", "q"]}}) == [
        {"a.x": 1, "a.y": "p"},
        {"a.x": 1, "a.y": "q"},
        {"a.x": 2, "a.y": "p"},
        {"a.x": 2, "a.y": "q"},
    ]


def test_cases_vary_together_and_cross_the_axes():
    assert points({"axes": {"a.x": [1, 2]}, "cases": [{"b.y": 3, "b.z": 4}, {}]}) == [
        {"a.x": 1, "b.y": 3, "b.z": 4},
        {"a.x": 1},
        {"a.x": 2, "b.y": 3, "b.z": 4},
        {"a.x": 2},
    ]


def test_an_empty_grid_is_the_base():
    assert points({}) == [{}]


def test_keep_restricts_axes_and_cases_that_have_the_setting():
    grid = {"axes": {"a.x": [1, 2, 3]}, "cases": [{"b.y": 3}, {"b.y": 4}, {}]}
    assert points(grid, {"a.x": [2], "b.y": [4]}) == [{"a.x": 2, "b.y": 4}, {"a.x": 2}]
    assert points(grid, {"c.z": [0]}) == points(grid)
    assert points(grid, {"a.x": []}) == []


def test_override_by_path_and_by_block():
    settings = {"a": {"x": 1, "y": 2}, "b": {"z": 3}}
    assert override(settings, {"a.x": 5}) == {"a": {"x": 5, "y": 2}, "b": {"z": 3}}
    assert override(settings, {"a": {"w": 1}, "b.z": 0}) == {"a": {"w": 1}, "b": {"z": 0}}
    assert override(settings, {"a": {"w": 1}, "a.w": 2}) == {"a": {"w": 2}, "b": {"z": 3}}
    assert settings == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}


def test_a_grids_settings_override_a_studys_and_a_points_override_both(config):
    study = {
        "set": {"optimizer.weight_decay": 0.1, "batches.last": "drop"},
        "grids": [{"set": {"optimizer.weight_decay": 0.2}, "cases": [{}, {"optimizer.weight_decay": 0.3}]}],
    }
    found = [design.cell for design in designs(config(study=study), "smoke")]
    assert [cell.optimizer.weight_decay for cell in found] == [0.2, 0.3]
    assert {cell.batches.last for cell in found} == {"drop"}


def test_designs_by_hand(config):
    study = {
        "reference": {"split.fraction": 0.5},
        "stop": "budget",
        "grids": [{"axes": {"split.fraction": [0.4, 0.5]}}, {"cases": [{"batches.size": 256}], "stop": "event"}],
    }
    found = designs(config(study=study), "laptop")
    assert [
        (d.study, d.report, d.cell.split.fraction, d.varied, d.seeds, d.budget, d.stop, d.reference) for d in found
    ] == [
        ("study", "000", 0.4, ("split.fraction",), 3, 10_000, "budget", False),
        ("study", "000", 0.5, ("split.fraction",), 3, 10_000, "budget", True),
        ("study", "000", 0.5, ("batches.size",), 3, 10_000, "event", True),
    ]


def test_without_a_reference_no_cell_is_one(config):
    assert not any(d.reference for d in designs(config(study={"grids": [{}]}), "smoke"))


def test_studies_of_other_reports_are_left_out(config):
    both = config(one={"grids": [{}]}, two={"grids": [{}], "report": "001"})
    assert [d.study for d in designs(both, "smoke", ["001"])] == ["two"]
    assert [d.study for d in designs(both, "smoke")] == ["one", "two"]


def test_overlays_from_the_outside_in(config):
    study = {
        "scales": {"desk": {"seeds": 10, "budget": 200_000, "keep": {"split.fraction": [0.4], "batches.size": [512]}}},
        "grids": [
            {"scales": {"desk": {"budget": 500_000, "keep": {"split.fraction": [0.3]}}}},
            {},
            {"scales": {"desk": {"skip": True}}},
        ],
    }
    one = config(study=study)
    study = one.studies["study"]
    first, second, third = (extent(one, study, grid, "desk") for grid in study.grids)
    assert first == Scale(seeds=10, budget=500_000, keep={"split.fraction": [0.3], "batches.size": [512]})
    assert second == Scale(seeds=10, budget=200_000, keep={"split.fraction": [0.4], "batches.size": [512]})
    assert (third.skip, third.seeds) == (True, 10)
    assert extent(one, study, study.grids[0], "laptop") == Scale(seeds=3, budget=10_000)


def test_a_grid_may_take_part_in_a_scale_that_its_study_skips(config):
    study = {"scales": {"smoke": {"skip": True}}, "grids": [{"scales": {"smoke": {"skip": False}}}, {}]}
    assert len(designs(config(study=study), "smoke")) == 1


def test_scales_keep_and_skip(config):
    study = {
        "grids": [
            {"axes": {"split.fraction": [0.3, 0.5]}, "scales": {"smoke": {"keep": {"split.fraction": [0.5]}}}},
            {"axes": {"split.fraction": [0.7]}, "scales": {"smoke": {"skip": True}, "laptop": {"skip": True}}},
        ]
    }
    found = {
        scale: [d.cell.split.fraction for d in designs(config(study=study), scale)]
        for scale in ("smoke", "laptop", None)
    }
    assert found == {"smoke": [0.5], "laptop": [0.3, 0.5], None: [0.3, 0.5, 0.7]}


def test_a_shared_cell_is_one_job_that_serves_all(config):
    shared = config(
        one={"grids": [{"axes": {"split.fraction": [0.4, 0.5]}}], "scales": {"desk": {"seeds": 9}}},
        two={"grids": [{"scales": {"desk": {"budget": 7000}}}], "stop": "budget", "dense": {"every": 10, "until": 500}},
        three={"grids": [{"scales": {"desk": {"budget": 200_000}}}], "dense": {"every": 5, "until": 100}},
    )
    first, second = jobs(shared, "desk")
    assert (first.cell.split.fraction, first.seeds) == (0.4, 9)
    assert (first.follow.until_event, first.follow.until_budget, first.follow.dense) == (100_000, 0, ())
    assert (second.cell.split.fraction, second.seeds) == (0.5, 9)
    assert (second.follow.until_event, second.follow.until_budget) == (200_000, 7000)
    assert second.follow.dense == ((5, 100), (10, 500))
    assert second.follow.budget == 200_000


def test_the_same_cell_spelt_differently_is_one_job(config):
    twice = config(
        one={"grids": [{"set": {"optimizer.weight_decay": 1}}]}, two={"grids": [{"set": {"batches.size": 512.0}}]}
    )
    assert len(jobs(twice, "smoke")) == 1


def test_additional_evaluations_do_not_depend_on_scale_or_report(config):
    study = {"grids": [{"scales": {"smoke": {"skip": True}}}], "dense": {"every": 10, "until": 500}, "report": "001"}
    shared = config(one={"grids": [{}]}, two=study)
    assert [job.follow.dense for job in jobs(shared, "smoke", ["000"])] == [((10, 500),)]


def test_a_job_measures_what_any_of_its_studies_asks_for(config):
    watched = {"grids": [{}], "snapshots": {"every": 100, "until": 500}, "signals": 70}
    both = config(
        one=watched, two=watched | {"snapshots": {"every": 50, "until": 200}, "signals": 90}, three={"grids": [{}]}
    )
    (job,) = jobs(both, "smoke")
    assert (job.follow.snapshots, job.follow.signals) == (((50, 200), (100, 500)), 90)
    (plain,) = jobs(config(three={"grids": [{}]}), "smoke")
    assert (plain.follow.snapshots, plain.follow.signals) == ((), 0)


def test_a_probe_measures_the_cells_of_its_studies(config):
    studies = {
        "one": {"grids": [{"axes": {"split.fraction": [0.4, 0.5]}}]},
        "two": {"grids": [{"axes": {"split.fraction": [0.5, 0.6]}, "scales": {"desk": {"seeds": 9}}}]},
        "three": {"grids": [{"axes": {"split.fraction": [0.7]}}]},
    }
    probe = {"studies": ["one", "two"], "set": {"rows": 5}, "scales": {"smoke": {"seeds": 1, "set": {"rows": 3}}}}
    made = config(**studies)
    made = Config.model_validate(made.model_dump() | {"probes": {"p": probe}})
    fractions = {job.cell.id: job.cell.split.fraction for job in jobs(made, "desk")}
    assert {fractions[cell]: job.seeds for cell, job in probed(made, "p", "desk").items()} == {0.4: 8, 0.5: 9, 0.6: 9}
    assert {job.seeds for job in probed(made, "p", "smoke").values()} == {1}
    assert made.probes["p"].at("smoke").set == {"rows": 3}
    assert made.probes["p"].at("desk").set == {"rows": 5}
    assert probed(made, "q", "desk") == {}
    assert probed(made, "p", "desk", ["001"]) == {}


def test_a_probe_follows_its_members_as_far_as_its_studies_do(config):
    """And not as far as another study that shares the cell; what is measured is that of all."""
    made = config(
        one={"grids": [{}], "stop": "budget", "scales": {"desk": {"budget": 5000}}},
        two={"grids": [{}], "scales": {"desk": {"budget": 9000}}, "signals": 70},
    )
    made = Config.model_validate(made.model_dump() | {"probes": {"p": {"studies": ["one"]}}})
    (job,), (asked,) = jobs(made, "desk"), probed(made, "p", "desk").values()
    assert (job.follow.until_event, job.follow.until_budget) == (9000, 5000)
    assert (asked.follow.until_event, asked.follow.until_budget) == (0, 5000)
    assert asked.follow.signals == job.follow.signals == 70


@pytest.mark.parametrize("scale", ["smoke", "desk"])
def test_a_job_survives_json(config, scale):
    measured = {"dense": {"every": 10, "until": 500}, "snapshots": {"every": 100, "until": 300}, "signals": 40}
    one = config(one={"grids": [{"axes": {"split.fraction": [0.3, 0.5]}}], **measured})
    for job in jobs(one, scale):
        assert Job.load(json.loads(json.dumps(job.dump()))) == job
