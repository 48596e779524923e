import numpy as np
import pytest
from synthetic import SENSITIVITY, base_tables, design, frame, member

from regrok.analysis import sensitivity


def build(cells, studied=None):
    """cells: name -> settings; `studied`: those in the study, all unless told."""
    members = [member(cell=name, t4=settings.pop("t4", 2000.0), **settings) for name, settings in cells.items()]
    designs = [design(study="sensitivity", cell=name, varied="") for name in studied or cells]
    designs += [design(study="data_fraction", cell="base")]
    return sensitivity.build(frame("members", members), frame("designs", designs)).set_index("cell")


def test_names_the_setting_that_differs_from_the_base():
    table = build(
        {
            "wide": {"embedding": 128, "t4": 3000.0},
            "base": {},
            "cosine": {"schedule": "cosine", "horizon": 1e5, "t4": 1000.0},
            "never": {"beta2": 0.98, "t4": np.nan},
        }
    )
    assert list(table.index) == ["base", "wide", "never", "cosine"]
    assert table["setting"].to_dict() == {"base": "", "wide": "embedding", "never": "beta2", "cosine": "schedule"}
    assert table["value"].to_dict() == {
        "base": "",
        "wide": "128",
        "never": "0.98",
        "cosine": "cosine, horizon 100000",
    }
    assert table["base_value"].to_dict() == {"base": "", "wide": "80", "never": "0.999", "cosine": "constant"}
    assert table["ratio"].to_dict() == {"base": 1.0, "wide": 1.5, "never": 5.0, "cosine": 0.5}
    assert table["ratio_bound"].to_dict() == {"base": "", "wide": "", "never": ">", "cosine": ""}


@pytest.mark.parametrize("studied", [["base", "wide"], ["wide"], ["wide", "warm"], ["base", "wide", "warm"]])
def test_finds_the_base_even_if_another_study_holds_it(studied):
    cells = {"wide": {"embedding": 128}, "warm": {"warmup": 100}, "base": {}}
    table = build({name: cells[name] for name in {*studied, "base"}}, studied)
    assert table.index[0] == "base"
    assert sorted(table.index) == sorted({*studied, "base"})
    assert (table["setting"] == "").sum() == 1


def test_cells_of_another_report_are_no_base():
    """However near they come and however many studies ask for them."""
    members = [member(cell="wide", embedding=128, t4=3000.0), member(cell="near", t4=1000.0)]
    designs = [design(study="sensitivity", cell="wide")]
    designs += [design(study=f"study {i}", report="001", cell="near") for i in range(9)]
    table = sensitivity.build(frame("members", members), frame("designs", designs))
    assert list(table["cell"]) == ["wide"]
    assert list(table["setting"]) == [""]


def test_a_setting_that_only_one_has_is_a_change():
    table = build({"base": {"momentum": np.nan}, "moving": {"momentum": 0.9}})
    assert table.loc["moving", ["setting", "value", "base_value"]].tolist() == ["momentum", "0.9", "none"]


def test_every_change_at_both_fractions():
    base = base_tables()
    table = sensitivity.build(base["members"], base["designs"])
    assert table.groupby("fraction").size().to_dict() == {0.3: 13, 0.5: 13}
    for _, group in table.groupby("fraction"):
        assert group["setting"].iloc[0] == ""
        assert (group["setting"] != "").sum() == len(SENSITIVITY)
        assert group["ratio"].iloc[0] == 1
    assert (table["ratio_low"] <= table["ratio"]).all()
    assert (table["ratio"] <= table["ratio_high"]).all()
