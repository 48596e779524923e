import numpy as np
import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import setting_effects

BASE = {"architecture": "transformer", "dropout": 0.0, "norm": "post", "learning_rate": 5e-4, "batch_size": 256}
SGD = {"optimizer": "sgd", "beta1": None, "beta2": None, "epsilon": None, "momentum": 0.9}


def build(cells, study="optimizers_001", elsewhere=(), without=()):
    """cells: name -> what differs from BASE; `elsewhere`: those that only other studies ask for; `without`: not run."""
    rows = [member(**BASE | {"cell": name, "t4": 2000.0} | changes) for name, changes in cells.items()]
    designs = [design(study=study, report="001", cell=name) for name in cells if name not in elsewhere]
    designs += [design(study="fractions", report="001", cell="base")]
    designs += [design(study="another", report="001", cell=name) for name in elsewhere]
    members = frame("members", [row for row in rows if row["cell"] not in without])
    return setting_effects.build(members, frame("designs", designs), frame("cells", rows)).set_index("cell")


def test_names_what_differs_from_the_base():
    table = build(
        {
            "small": {"batch_size": 64, "t4": 3000.0},
            "stairs": {"schedule": "staircase", "factor": 0.8, "every": 5000.0},
            "slow": {"learning_rate": 1e-4, "t4": np.nan},
            "sgd": SGD | {"learning_rate": 0.05, "t4": 8000.0},
            "base": {},
            "free": {"weight_decay": 0.0, "t4": 1000.0},
        }
    )
    assert table.index[0] == "base"
    told = {name: (row["factor"], row["value"], row["base_value"]) for name, row in table.iterrows()}
    assert told == {
        "base": ("", "", ""),
        "sgd": ("optimizer", "sgd, rate 0.05, decay 1", "adamw"),
        "slow": ("learning_rate", "0.0001", "0.0005"),
        "free": ("weight_decay", "0", "1"),
        "stairs": ("schedule", "staircase", "constant"),
        "small": ("batch_size", "64", "256"),
    }
    assert table["ratio"].to_dict() == {"base": 1, "sgd": 4, "slow": 5, "free": 0.5, "stairs": 1, "small": 1.5}
    assert table["ratio_bound"].to_dict() == dict.fromkeys(table.index, "") | {"slow": ">"}


def test_dropout_with_and_without_decay():
    points = {
        f"{rate}{'' if decay else ' free'}": {"dropout": rate, "weight_decay": decay}
        for rate in (0.3, 0.1)
        for decay in (0.0, 1.0)
    }
    table = build(points | {"base": {}, "0 free": {"weight_decay": 0.0}}, "dropout")
    told = {name: (row["factor"], row["value"]) for name, row in table.iterrows()}
    assert told == {
        "base": ("", ""),
        "0.1": ("dropout", "0.1"),
        "0.3": ("dropout", "0.3"),
        "0.1 free": ("dropout", "0.1, decay 0"),
        "0.3 free": ("dropout", "0.3, decay 0"),
        "0 free": ("weight_decay", "0"),
    }


def test_each_architecture_has_a_base_of_its_own():
    table = build({"base": {}, "pre": {"norm": "pre"}, "lstm": {"architecture": "lstm", "norm": None, "t4": 9000.0}})
    assert list(table.index[table["factor"] == ""]) == ["base", "lstm"]
    assert (table["ratio"] == 1).all()


def test_a_base_that_another_study_holds_is_shown():
    table = build({"base": {}, "dropped": {"dropout": 0.1, "t4": 1000.0}}, "dropout", elsewhere=["base"])
    assert list(table.index) == ["base", "dropped"]
    assert list(table["ratio"]) == [1, 0.5]


def test_a_base_that_was_not_run_stays_the_base():
    cells = {"base": {}, "small": {"batch_size": 64}, "large": {"batch_size": 512}}
    table = build(cells, without=["base"])
    assert table["base_value"].to_dict() == {"small": "256", "large": "256"}
    assert table["ratio"].isna().all()


def test_counts_and_medians_by_hand():
    times = [(300.0, 2000.0), (500.0, 4000.0), (np.nan, np.nan)]
    rows = [member(**BASE, cell="base", seed=seed, t2=t2, t4=t4) for seed, (t2, t4) in enumerate(times)]
    designs = [design(study="dropout", report="001", cell="base")]
    (row,) = setting_effects.build(frame("members", rows), frame("designs", designs), frame("cells", rows[:1])).to_dict(
        "records"
    )
    assert (row["n"], row["events"], row["memorised"], row["median"]) == (3, 2, 2, 4000)
    assert row["median_t2"].replace("\u202f", " ").replace("\u00a0", " ") == "500 (300 to > 10 000, n = 3)"


@pytest.mark.parametrize("scale", ["laptop", "desk", "cluster"])
def test_the_base_is_the_setting_of_the_report(scale):
    base = base_tables(seeds=1, scale=scale)
    table = setting_effects.build(base["members"], base["designs"], base["cells"])
    members = base["members"].drop_duplicates("cell").set_index("cell")
    starts = members.loc[table.loc[table["factor"] == "", "cell"]]
    # the Transformer in three studies, the others in two, but for the LSTM's open settings at scale laptop
    assert len(starts) == (6 if scale == "laptop" else 7)
    settings = ["optimizer", "learning_rate", "weight_decay", "batch_size", "dropout", "schedule", "fraction"]
    assert starts[settings].drop_duplicates().values.tolist() == [["adamw", 5e-4, 1, 256, 0, "staircase", 0.7]]
    assert set(starts["norm"].dropna()) == {"post"}
    assert set(starts["positions"].dropna()) == {"flatten"}
