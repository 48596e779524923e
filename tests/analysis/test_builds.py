"""What every derived table must stand: any subset of runs."""

import inspect
from functools import cache
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from synthetic import base_tables

from regrok.analysis import tables

NAMES = ("operations", "data_needed", "architectures", "optimizers", "optimizer_sweep", "optimizer_best")
NAMES += ("architecture_order", "setting_effects", "summands", "model_sizes")
NAMES += ("sensitivity", "transition", "early_stopping", "cost", "hyperparameters")
NAMES += ("against_transformer", "roughness")
DERIVED = [import_module(f"regrok.analysis.{name}") for name in NAMES]


def only(base, studies=(), share=1.0):
    """Of the base tables: the designs of `studies`, and the runs of the first `share` of their cells."""
    designs = base["designs"][base["designs"]["study"].isin(studies)]
    ids = list(dict.fromkeys(designs["cell"]))
    kept = ids[: int(share * len(ids))]
    runs = {name: base[name][base[name]["cell"].isin(kept)] for name in ("cells", "members", "histories")}
    return base | runs | {"designs": designs}


@cache
def case(name):
    if name == "smoke":
        return base_tables(empty=True)
    base = base_tables(seeds=1 if name == "one seed" else 2, scale="laptop")
    studies = list(base["designs"]["study"].unique())
    if name.startswith("without "):
        return only(base, [study for study in studies if study != name.removeprefix("without ")])
    return {
        "one seed": base,
        "half of the cells": only(base, studies, share=0.5),
        "no members yet": only(base, studies, share=0),
        "no studies": only(base),
    }[name]


STUDIES = ("data_fraction", "transition", "operations", "no_decay", "optimizers", "optimizer_sweep", "architectures")
STUDIES += ("against_transformer", "fractions", "optimizers_001", "optimizer_sweep_001", "dropout", "summands")
STUDIES += ("open_settings",)
CASES = ["smoke", "one seed", "half of the cells", "no members yet", "no studies"]
CASES += [f"without {study}" for study in (*STUDIES, "sensitivity", "against_transformer", "fractions")]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("module", DERIVED, ids=NAMES)
def test_builds_from_any_subset_of_runs(module, name, tmp_path):
    base = {table: case(name)[table].copy() for table in module.INPUTS}
    frame = module.build(**base)
    for table, given in base.items():
        pd.testing.assert_frame_equal(given, case(name)[table])  # inputs are left as they were
    path = tmp_path / "table.parquet"
    tables.write(frame, path, module.COLUMNS, "Title", twins=[".csv", ".tex"] if name == "smoke" else [])
    pd.testing.assert_frame_equal(tables.read(path), frame)
    for column in frame:
        assert frame[column].dtype != object, f"{column} has no dtype of its own"


@pytest.mark.parametrize("module", DERIVED, ids=NAMES)
def test_no_event_gives_no_finite_steps_to_grokking(module):
    frame = module.build(**{table: case("smoke")[table] for table in module.INPUTS})
    for column in {"median", "t4", "steps_ratio", "share_generalised"} & set(frame):
        assert not np.isfinite(frame[column].replace(0, np.inf)).any()


@pytest.mark.parametrize("module", DERIVED, ids=NAMES)
def test_takes_its_inputs_by_name(module):
    assert tuple(inspect.signature(module.build).parameters) == module.INPUTS
