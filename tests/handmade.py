"""Hand-made tables for tests of the criteria: a few members with given steps to grokking."""

from functools import cache
from importlib import import_module

import numpy as np
import pandas as pd
from synthetic import design, frame, member

from regrok.analysis import catalogue, probed

NEVER = np.nan


def group(study, times, cell="cell", budget=100_000, **changes):
    """Members with these t4, seeds 0, 1, ..., of one cell of a study; changes may be lists, an entry a member."""

    def of(seed):
        return {name: value[seed] if isinstance(value, list) else value for name, value in changes.items()}

    members = [
        member(**{"cell": cell, "seed": seed, "t4": t4, "budget": budget} | of(seed)) for seed, t4 in enumerate(times)
    ]
    return members, [design(study=study, cell=cell, budget=budget, seeds=len(times))]


def tables(*groups, **derived):
    """Tables of these groups; derived ones that are not given are empty. Validation is at 1 % when memorised."""
    members = frame("members", [row for members, _ in groups for row in members])
    designs = frame("designs", [row for _, designs in groups for row in designs])
    at_t2 = [
        {"cell": m.cell, "seed": m.seed, "step": m.t2, "val_acc": 0.01}
        for m in members.dropna(subset="t2").itertuples()
    ]
    histories = pd.DataFrame(at_t2, columns=["cell", "seed", "step", "val_acc"]).astype(
        {"step": "int64", "seed": "int64"}
    )
    empty = {name: pd.DataFrame(columns=columns) for name, columns in columns_of_all().items()}
    return empty | {"members": members, "designs": designs, "histories": histories} | derived


@cache
def columns_of_all():
    """Table -> its columns, of all derived tables and all that probes measure."""
    derived = {name: list(import_module(f"regrok.analysis.{name}").COLUMNS) for name in catalogue.derived()}
    return derived | {probe: list(probed.columns(probe)) for probe in probed.probes()}


def check(verdict, expected):
    assert verdict.verdict == expected, verdict
    assert verdict.reason.endswith(".")
    assert "nan" not in verdict.reason + verdict.measured
