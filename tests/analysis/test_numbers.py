"""Every number that the paper's text cites: hand-computed entries, and keys that are there at every scale."""

import importlib
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import base_tables, frame, member

from regrok.analysis import factors, numbers
from regrok.analysis.claims import dumps
from regrok.config import load
from regrok.experiment import designs

ROOT = Path(__file__).parents[2]
LAPTOP, SMOKE = {"seeds": 2, "scale": "laptop"}, {"empty": True}
NEVER = np.nan


def derived(base):
    found = dict(base)

    def need(name):
        if name not in found:
            module = importlib.import_module(f"regrok.analysis.{name}")
            found[name] = module.build(*[need(needed) for needed in module.INPUTS])
        return found[name]

    for name in numbers.TABLES:
        need(name)
    return found


def build(tables):
    return numbers.build(tables, "laptop")


@cache
def case(name):
    base = base_tables(**(SMOKE if name == "smoke" else LAPTOP))
    if name == "nothing":
        base = {key: table.head(0) for key, table in base.items()}
    if name == "one study":
        asked = base["designs"][base["designs"]["study"] == "data_fraction"]
        kept = {key: base[key][base[key]["cell"].isin(asked["cell"])] for key in ("cells", "members", "histories")}
        base |= kept | {"designs": asked}
    tables = derived(base)
    return tables, build(tables)


def members(times, **changes):
    return frame("members", [member(seed=seed, t4=t4, **changes) for seed, t4 in enumerate(times)])


# Keys


def cited():
    """The keys in the paper's sources."""
    sources = "".join(file.read_text() for file in sorted((ROOT / "paper").rglob("*.typ")))
    return sorted(set(re.findall(r'\b(?:n|entry)\("([^"]+)"\)', sources)))


@pytest.mark.parametrize("name", ["laptop", "smoke", "one study", "nothing"])
def test_what_the_paper_cites_is_there_at_every_scale(name):
    found = case(name)[1]
    assert cited()
    assert not [key for key in cited() if key not in found]


def test_keys_of_the_report_are_there_without_any_run():
    """What the paper may come to cite: the same keys, with "not run" for what was not."""
    nothing, run = case("nothing")[1], case("laptop")[1]
    for key in (
        "data_fraction.0.2.t4",
        "operations.add.unordered.0.5.t4",
        "optimizers.sgd.memorised",
        "no_decay.budget",
    ):
        assert nothing[key]["text"] == "not run"
        assert nothing[key]["value"] is None
        assert run[key]["text"] != "not run"
    for key in ("optimizer_best.sgd.t4", "data_needed.add.ordered.fraction", "architectures.32x1.matched.parameters"):
        assert nothing[key]["text"] == "not run"
        assert key in run


@pytest.mark.parametrize("name", ["laptop", "smoke", "nothing"])
def test_entries_have_one_shape_and_are_json(name):
    found = case(name)[1]
    assert list(found) == sorted(found)
    for key, entry in found.items():
        assert list(entry) == ["value", "low", "high", "n", "censored", "text"], key
        assert entry["text"], key
        assert "nan" not in entry["text"], key
    assert json.loads(dumps(found)) == found


def test_the_order_of_rows_does_not_matter():
    tables, found = case("laptop")
    shuffled = {name: table.sample(frac=1, random_state=0) for name, table in tables.items()}
    assert dumps(build(shuffled)) == dumps(found)


def test_two_cells_with_one_key_are_refused():
    tables = dict(case("smoke")[0])
    twin = tables["members"].head(1).assign(cell="twin", fraction=0.2)
    tables["members"] = pd.concat([tables["members"], twin])
    tables["designs"] = pd.concat(
        [tables["designs"], tables["designs"].head(1).assign(study="data_fraction", cell="twin")]
    )
    with pytest.raises(ValueError, match=r"two cells of the study 'data_fraction' have the key '0\.2'"):
        build(tables)


# Values


def test_every_cell_of_report_001_has_a_key_that_is_there_at_every_scale():
    sweeps = {"optimizer_sweep_001"}
    keys = {study: set() for study in numbers.EXPECTED}
    for asked in designs(load(ROOT / "config.yaml"), None):
        if asked.report == "001" or asked.study == "against_transformer":
            cell = pd.Series({"cell": asked.cell.id} | factors.of(asked.cell))
            keys[asked.study].add(numbers._keys(asked.study, cell))
    for study in [study for study, found in keys.items() if found and study not in sweeps]:
        assert keys[study] == set(numbers.EXPECTED[study]), study


@pytest.mark.parametrize(
    "key",
    [
        *("fractions.transformer.0.5.t4", "fractions.lstm128.0.7.t4", "large_modulus.staircase.t4"),
        *("dropout.transformer.0.3.t4", "dropout.transformer.0.3.no_decay.t4", "dropout.lstm128.0.3.ratio"),
        *("optimizers_001.weight_decay.3.t4", "optimizers_001.base.t4", "optimizers_001.sgd.0.05.memorised"),
        *("summands.3.t4_epochs", "summands.3.fixed.t4", "summands.4.half_width", "summands.4.train_examples"),
        *("open_settings.transformer.constant.ratio", "against_transformer.mlp.t4", "optimizer_best_001.rmsprop.t4"),
        *("model_sizes.lstm128.41.n_parameters", "model_sizes.transformer.97.non_embedding", "dropout.budget"),
    ],
)
def test_keys_of_report_001(key):
    assert case("nothing")[1][key]["text"] == "not run"
    assert case("laptop")[1][key]["text"] != "not run"


def test_report_as_printed():
    found = case("nothing")[1]
    texts = {
        "reported.data_fraction.0.3": "95\u202f420",
        "reported.data_fraction.0.2": "no grokking",
        "reported.data_fraction.lowest": "0.3",
        "reported.data_fraction.none": "0.2",
        "reported.speedup.0.5": "32.3",
        "reported.learning_rate": "0.001",
        "reported.weight_decay": "1",
        "reported.no_decay.val_acc": "1.2\u00a0%",
        "reported.parameters": "65\u202f000",
        "reported.transition.from": "1\u00a0%",
        "reported.architectures.64x1.grokking": "sometimes",
        "reported_001.learning_rate": "0.0005",
        "reported_001.lstm.hidden": "512",
    }
    assert {key: found[key]["text"] for key in texts} == texts


def test_values_are_those_of_the_tables():
    tables, found = case("laptop")
    row = tables["data_fraction"].set_index("fraction").loc[0.5]
    assert found["data_fraction.0.5.t4"]["text"] == row["text"]
    assert found["data_fraction.0.5.t4"]["value"] == row["median"]
    assert found["speedup.0.5"]["value"] == pytest.approx(row["speedup"])
    assert f"{found['speedup.0.5']['text']}×" == row["speedup_text"]
    total = tables["cost"].set_index("study").loc["total"]
    assert found["cost.total.member_steps"]["value"] == total["member_steps"] == found["design.steps"]["value"]
    best = tables["optimizer_best"].set_index(["study", "optimizer"]).loc[("optimizer_sweep", "adamw")]
    assert found["optimizer_best.adamw.t4"]["value"] == best["median"]
    law = tables["scaling"].set_index(["source", "law"]).loc[("reported", "exponential")]
    assert found["scaling.reported.exponential.delta_aic"]["text"] == f"{law['delta_aic']:.1f}"


def test_numbers_of_report_001_are_those_of_the_tables():
    tables, found = case("laptop")
    sums = tables["summands"].set_index(["terms", "fixed_size"]).loc[(3, False)]
    for event in ("t2", "t4"):
        assert found[f"summands.3.{event}"]["text"] == sums[f"{event}_text"]
        assert found[f"summands.3.{event}_epochs"]["text"] == sums[f"{event}_epochs_text"]
        assert found[f"summands.3.{event}_epochs"]["value"] == sums[f"{event}_epochs"]
    effects = tables["setting_effects"].set_index(["study", "architecture", "factor", "value"])
    row = effects.loc[("dropout", "transformer", "dropout", "0.3, decay 0")]
    assert found["dropout.transformer.0.3.no_decay.ratio"]["value"] == row["ratio"]
    assert found["dropout.transformer.0.3.no_decay.t4"]["text"] == row["text"]
    assert found["summands.4.half_width"]["text"] == "0.43"
    assert found["summands.4.train_examples"]["text"] == "1\u202f978\u202f033"


def test_base_setting():
    found = case("laptop")[1]
    texts = [found[f"base.{name}"]["text"] for name in ("n_parameters", "examples", "train_examples", "batches")]
    assert texts == ["65\u202f153", "9\u202f312", "4\u202f656", "10"]  # 97 x 96 pairs, half of them; 9 x 512 + 48


def test_provenance():
    assert case("laptop")[1]["provenance.torch"]["text"] == "2.13.0"
    assert case("nothing")[1]["provenance.torch"]["text"] == "not recorded"


def test_median_with_interval_and_censoring():
    entry = numbers.time(members([2000.0, 3000.0, 4000.0, 5000.0, 6000.0, NEVER, NEVER, NEVER]), "t4")
    # of 8: the mean of the 4th and the 5th; the 95 % interval of 8 is the whole range
    assert (entry["value"], entry["low"], entry["high"]) == (5500, 2000, None)
    assert (entry["n"], entry["censored"]) == (8, 3)
    assert entry["text"] == "5\u202f500 [2\u202f000,\u00a0>\u00a010\u202f000]"


def test_median_that_is_not_reached():
    entry = numbers.time(members([2000.0] + [NEVER] * 9), "t4")
    assert entry["value"] is None
    assert entry["text"] == "not reached (1 of 10 by 10\u202f000)"


def test_delay_counts_those_who_still_wait():
    waiting = members([3400.0, NEVER, NEVER], t2=400.0)
    entry = numbers.time(waiting, "t4", since=waiting["t2"].to_numpy())
    assert entry["value"] is None  # 3 000 and twice more than 9 600
    done = members([3400.0, 4400.0, NEVER], t2=400.0)
    assert numbers.time(done, "t4", since=done["t2"].to_numpy())["value"] == 4000
    # who has not memorised has not begun to wait
    assert numbers.time(done, "t4", since=np.array([400.0, 400.0, NEVER]))["censored"] == 1


def test_counts_and_shares():
    assert numbers.of(6, 8) == {
        "value": 0.75, "low": None, "high": None, "n": 8, "censored": 2, "text": "6 of 8"
    }  # fmt: skip
    assert numbers.of(0, 0)["text"] == "not run"
    assert numbers.percent(0.0123, 1)["text"] == "1.2\u00a0%"
    assert numbers.plain(0.001)["text"] == "0.001"
    assert numbers.plain(100_000)["text"] == "100\u202f000"
    assert numbers.steps(np.inf)["value"] is None
