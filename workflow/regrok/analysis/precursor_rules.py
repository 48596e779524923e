"""Precursors as alarms: how often they are right that a member will generalise soon, and how many they miss.

At landmarks, every 250 steps, each member that has not generalised is judged by each rule, from what is known by then;
it is soon if t4 lies within the next 1 000 steps. Only settings count in which it is at some landmarks and not at
others: whoever trains a network knows its setting, and where none generalises an alarm has nothing to tell. `skill` is
the share of soon ones that raise the alarm less the share of others that do, which is zero for an alarm that knows
nothing. Intervals are percentile bootstraps at 95 % that draw members. The rules were set before the runs; the last two
need no precursor.
"""

import numpy as np
import pandas as pd

from .discrimination import draws_of_groups, interval
from .precursor_windows import WINDOW
from .summary import table

INPUTS = ("precursor_signals",)
REPORTS = "000-C15"
RULES = {
    "norm_falls": "weight norm fell by 2 % over the last 500 steps",
    "variance_rises": "gradient variance is twice its least so far, since memorising",
    "sharpness_falls": "sharpness fell by 10 % over the last 500 steps",
    "memorised": "training accuracy is 99 %",
    "always": "always",
}
COLUMNS = {
    "rule": ("", "name of the rule"),
    "text": ("", "the rule in words"),
    "landmarks": ("1", "times that a member was judged"),
    "members": ("1", "members that were judged"),
    "soon": ("1", "times that a member generalised within the next 1 000 steps"),
    "alarms": ("1", "times that the rule raised the alarm"),
    "precision": ("1", "share of alarms that were right"),
    "precision_low": ("1", "low end of its 95 % interval"),
    "precision_high": ("1", "high end"),
    "recall": ("1", "share of the soon ones with an alarm"),
    "recall_low": ("1", "low end of its 95 % interval"),
    "recall_high": ("1", "high end"),
    "skill": ("1", "recall less the share of alarms among the others"),
    "skill_low": ("1", "low end of its 95 % interval"),
    "skill_high": ("1", "high end"),
    "beyond": ("1", "skill less that of 'memorised'"),
    "beyond_low": ("1", "low end of its 95 % interval"),
    "beyond_high": ("1", "high end"),
}
EVERY, BACK = 250, 500
FIRST = 500


def build(precursor_signals: pd.DataFrame) -> pd.DataFrame:
    """A row a rule, if anything was judged."""
    judged = landmarks(precursor_signals)
    if not judged.empty:
        judged = judged[judged.groupby("cell")["soon"].transform("nunique") == 2]
    if judged.empty:
        return table([], COLUMNS)
    member = (judged["cell"] + " " + judged["seed"].astype(str)).to_numpy(str)
    draws = draws_of_groups(member, np.random.default_rng(0))
    return table([_row(rule, judged, draws) for rule in RULES], COLUMNS)


def landmarks(signals: pd.DataFrame) -> pd.DataFrame:
    """cell, seed, step, soon, and a column of bool a rule, at every landmark of every member at risk."""
    rows = []
    for (cell, seed), own in signals.groupby(["cell", "seed"]):
        t4, followed = own["t4"].iloc[0], own["followed"].iloc[0]
        series = {name: one.set_index("step") for name, one in own.groupby("signal")}
        if "weight_norm" not in series:
            continue
        for step in range(FIRST, int(followed) + 1, EVERY):
            known = np.isfinite(t4) or followed >= step + WINDOW
            if known and not t4 <= step:
                rows.append(
                    {"cell": cell, "seed": seed, "step": step, "soon": t4 <= step + WINDOW} | alarms(series, step)
                )
    return pd.DataFrame(rows)


def alarms(series: dict[str, pd.DataFrame], step: int) -> dict[str, bool]:
    """What each rule says at a step, by signals up to it."""
    norm, loss = fell(series.get("weight_norm"), step), series["weight_norm"].loc[:step, "train_acc"]
    memorised = bool(loss.iloc[-1] >= 0.99)
    return {
        "norm_falls": memorised and norm >= 0.02,
        "variance_rises": memorised and rose(series.get("gradient_variance"), step) >= 2,
        "sharpness_falls": memorised and fell(series.get("sharpness"), step) >= 0.1,
        "memorised": memorised,
        "always": True,
    }


def fell(series: pd.DataFrame | None, step: int) -> float:
    """Share by which a signal fell from the last value at least `BACK` steps ago to the last; -inf if it is not
    known."""
    if series is None:
        return -np.inf
    before, now = series.loc[: step - BACK, "value"], series.loc[:step, "value"]
    return 1 - now.iloc[-1] / before.iloc[-1] if len(before) and before.iloc[-1] > 0 else -np.inf


def rose(series: pd.DataFrame | None, step: int) -> float:
    """The last value over the least since the training accuracy reached 99 %; 0 if it is not known."""
    if series is None:
        return 0.0
    since = series.loc[:step]
    since = since.loc[since["train_acc"] >= 0.99, "value"]
    return since.iloc[-1] / since.min() if len(since) and since.min() > 0 else 0.0


def _row(rule: str, judged: pd.DataFrame, draws: np.ndarray) -> dict:
    soon, alarm, plain = (judged[name].to_numpy(float) for name in ("soon", rule, "memorised"))
    ones = np.ones((1, len(soon)))
    measures = {
        "precision": lambda w: _share(w, alarm * soon, alarm),
        "recall": lambda w: _share(w, alarm * soon, soon),
        "skill": lambda w: skill(w, alarm, soon),
        "beyond": lambda w: skill(w, alarm, soon) - skill(w, plain, soon),
    }
    row = {"rule": rule, "text": RULES[rule], "landmarks": len(judged), "alarms": int(alarm.sum())}
    row |= {"members": judged.groupby(["cell", "seed"]).ngroups, "soon": int(soon.sum())}
    for name, measure in measures.items():
        low, high = interval(measure(draws))
        row |= {name: measure(ones)[0], f"{name}_low": low, f"{name}_high": high}
    return row


def skill(weights: np.ndarray, alarm: np.ndarray, soon: np.ndarray) -> np.ndarray:
    return _share(weights, alarm * soon, soon) - _share(weights, alarm * (1 - soon), 1 - soon)


def _share(weights: np.ndarray, part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Weighted part over weighted whole, (draws,); nan of nothing."""
    total = weights @ whole
    return np.divide(weights @ part, total, where=total > 0, out=np.full(len(total), np.nan))
