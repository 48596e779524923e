"""The numbers that the chapter on report 003 cites, beside those of cells."""

from collections.abc import Mapping
from math import isfinite

import pandas as pd

from .. import sources
from . import format, reported_003
from .criteria_000 import law_name
from .entries import NOT_RUN, Entries, entry, missing, of, percent, plain, ratio, steps
from .event_rules import RULES
from .prediction_skill import MAIN
from .slingshot_members import NEAR

TABLES = (
    "scaling_003",
    "critical_fraction",
    "event_rules",
    "phases",
    "prediction_skill",
    "prediction_gain",
    "slingshot_members",
    "trajectory",
    "barriers",
    "cells",
)
EXPECTED = {
    "fractions_003": [f"shared_mlp.{fraction:g}" for fraction in (0.4, 0.5, 0.7, 0.9)],
    "prediction": [],
    "slingshots": [],
    "landscape": [f"shared_mlp.{fraction:g}" for fraction in (0.3, 0.6, 0.85)],
}
LAW = ("exponential", "power", "power_offset", "threshold")


def key(study: str, cell: pd.Series) -> str:
    """The part of a cell's key that follows the study."""
    of_all = f"{cell['architecture']}.{cell['fraction']:g}"
    if study == "slingshots":
        return f"{of_all}.{cell['weight_decay']:g}.{cell['epsilon']:g}.{cell['beta2']:g}.{cell['loss_precision']}"
    return f"{of_all}.{cell['learning_rate']:g}.{cell['weight_decay']:g}" if study == "prediction" else of_all


def build(tables: Mapping[str, pd.DataFrame]) -> Entries:
    """Entries under reported_003, scaling_003, critical_fraction, event_rules and phases, all of the stand-in."""
    yield from _reported()
    yield from _scaling(tables["scaling_003"])
    yield from _critical(tables["critical_fraction"])
    yield from _rules(tables["event_rules"])
    phases = tables["phases"]
    for name in ("confusion", "memorisation", "grokking", "comprehension"):
        yield f"phases.{name}", steps((phases["phase"] == name).sum()) if len(phases) else missing()
    yield from _skill(tables["prediction_skill"])
    yield from _gain(tables["prediction_gain"])
    yield from _slingshots(tables["slingshot_members"])
    yield from _trajectory(tables["trajectory"], tables["cells"])
    yield from _barriers(tables["barriers"])


def _reported() -> Entries:
    yield "reported_003.power_law.exponent", plain(reported_003.POWER_LAW["exponent"])
    yield "reported_003.power_law.offset", steps(reported_003.POWER_LAW["offset"])
    yield "reported_003.early_steps", steps(reported_003.EARLY_STEPS)
    yield "reported_003.horizon", steps(reported_003.HORIZON)
    yield (
        "reported_003.variance_share",
        entry(reported_003.VARIANCE_SHARE, f"{100 * reported_003.VARIANCE_SHARE:.0f} %"),
    )
    yield "reported_003.learning_rate", plain(reported_003.LEARNING_RATE)
    yield "reported_003.weight_decay", plain(reported_003.WEIGHT_DECAY)
    yield "reported_003.warmup", plain(reported_003.WARMUP)
    yield "reported_003.beta2", plain(reported_003.BETA2)
    yield "reported_003.t2", steps(reported_003.EVENTS["t2"])
    yield "reported_003.t4", steps(reported_003.EVENTS["t4"])


def _scaling(table: pd.DataFrame) -> Entries:
    own = table[(table["source"] == "shared_mlp") & table["aic"].notna()].set_index("law")
    best = own["aic"].idxmin() if len(own) else None
    text = NOT_RUN if table.empty else "not fitted"
    yield "scaling_003.best", entry(None, text if best is None else law_name(best))
    for law in LAW:
        for name in ("delta_aic", "exponent"):
            value = own.loc[law, name] if law in own.index else None
            yield f"scaling_003.{law}.{name}", missing() if value is None else entry(value, f"{value:.1f}")


def _critical(table: pd.DataFrame) -> Entries:
    for study, name in (("fractions_003", "shared_mlp"), ("data_fraction", "mlp")):
        rows = table[(table["study"] == study) & (table["architecture"] == name)]
        if rows.empty:
            yield from (
                (f"critical_fraction.{study}.{part}", missing()) for part in ("at", "budget", "none_at", "all_from")
            )
            continue
        row = rows.iloc[0]
        value = row["critical"]
        yield f"critical_fraction.{study}.at", entry(value, row["text"], row["low"], row["high"], int(row["n"]))
        yield f"critical_fraction.{study}.budget", steps(row["budget"])
        for part in ("none_at", "all_from"):
            yield f"critical_fraction.{study}.{part}", plain(row[part]) if isfinite(row[part]) else entry(None, "none")


def _rules(table: pd.DataFrame) -> Entries:
    own = table[table["architecture"] == "shared_mlp"].set_index(["event", "rule"])
    for event, rules in RULES.items():
        for rule in rules[1:]:
            there = (event, rule) in own.index
            yield f"event_rules.{event}.{rule}", _moved(own.loc[(event, rule)]) if there else missing()


def _moved(row: pd.Series) -> dict:
    return ratio(row.rename({"low": "ratio_low", "high": "ratio_high", "text": "ratio_text"}), "ratio")


def _skill(table: pd.DataFrame) -> Entries:
    own = table[
        (table["architecture"] == "shared_mlp") & (table["window"] == MAIN) & (table["predictor"] == "activity")
    ]
    rows = own.set_index(["fraction", "population"])
    for fraction in (*map("{:g}".format, reported_003.FRACTIONS["prediction"]), "pooled"):
        row = rows.loc[(fraction, "at risk")] if (fraction, "at risk") in rows.index else None
        for name in ("auroc", "spearman"):
            yield f"prediction.{fraction}.{name}", missing() if row is None else _bounded(row, name)


def _gain(table: pd.DataFrame) -> Entries:
    rows = table[(table["architecture"] == "shared_mlp") & (table["fraction"] == "all")]
    if rows.empty:
        yield from (
            (f"prediction.{name}", missing()) for name in ("gain", "baseline_auroc", "spectral_auroc", "at_risk")
        )
        return
    row = rows.iloc[0]
    yield "prediction.gain", _bounded(row, "gain")
    yield "prediction.at_risk", steps(row["n"])
    for name in ("baseline_auroc", "spectral_auroc"):
        yield f"prediction.{name}", entry(row[name], format.number(row[name], 2), n=int(row["n"]))


def _bounded(row: pd.Series, name: str) -> dict:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if not isfinite(value):
        return entry(None, "undefined", n=int(row["n"]))
    text = format.number(value, 2)
    ends = f" [{format.number(low, 2)},{format.FIXED}{format.number(high, 2)}]" if isfinite(low) else ""
    return entry(value, text + ends, low, high, int(row["n"]))


def _slingshots(table: pd.DataFrame) -> Entries:
    for name, value in sources.declared(f"{sources.PACKAGE}.probes.slingshots", "SETTINGS").items():
        yield f"slingshots.{name}", percent(value, 1) if name == "growth" else plain(value)
    yield "slingshots.near", steps(NEAR)
    own = table[table["architecture"] == "shared_mlp"]
    single, reports = own["loss_precision"] == "float32", own["beta2"] == reported_003.BETA2
    groups = {f"{decay:g}": (own["weight_decay"] == decay) & single & reports for decay in (0, 0.03)}
    groups |= {"float64": ~single, "beta2": ~reports}
    for name, chosen in groups.items():
        members = own[chosen]
        grown = members[members["generalised"].astype(bool)]
        key, n = f"slingshots.{name}", len(members)
        yield f"{key}.with", of(int((members["slingshots"] > 0).sum()), n)
        yield f"{key}.generalised", of(len(grown), n)
        yield f"{key}.at_onset", of(int(grown["at_onset"].astype(bool).sum()), len(grown)) if n else missing()
        yield f"{key}.median", plain(members["slingshots"].median()) if n else missing()
    known = own["calm_spread"].notna().any()
    yield "slingshots.calm_spread", entry(*_two(own["calm_spread"].median())) if known else missing()
    turning = own["turning"].median()
    yield "slingshots.turning", entry(*_two(turning)) if isfinite(turning) else missing()


def _two(value: float) -> tuple[float, str]:
    return value, format.number(value, 2)


def _trajectory(table: pd.DataFrame, cells: pd.DataFrame) -> Entries:
    standing_in = cells.loc[cells["architecture"] == "shared_mlp", "cell"]
    two = table[(table["component"] == 2) & table["cell"].isin(standing_in)]
    for key, column in {"ours": "cumulative", "walk": "walk", "decaying": "decaying"}.items():
        yield f"trajectory.{key}", percent(two[column].median(), 1, len(two)) if len(two) else missing()
    yield "trajectory.rest", percent(1 - two["cumulative"].median(), 1, len(two)) if len(two) else missing()


def _barriers(table: pd.DataFrame) -> Entries:
    own = table[(table["architecture"] == "shared_mlp") & table["before"].astype(bool)]
    for fraction in (0.3, 0.6, 0.85):
        members = own[own["fraction"] == fraction]
        highest = members.groupby("seed")["train_barrier"].max()
        value = entry(*_two(highest.median()), n=len(highest)) if len(highest) else missing()
        yield f"barriers.{fraction:g}", value
