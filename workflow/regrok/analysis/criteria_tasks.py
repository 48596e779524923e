"""How the claims of report 000 on operations at large, and on tasks beyond arithmetic, are judged."""

import numpy as np
import pandas as pd
import scipy

from ..events import GROKKING_DELAY
from ..wording import listed
from . import survival
from .beyond_arithmetic import CONTROL, FAMILIES
from .format import steps
from .judging import (
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Architecture,
    Count,
    Evidence,
    Study,
    Tables,
    Verdict,
    of,
    p_is,
    select,
    significant,
)
from .summary import studied

SPLITS = ("ordered", "unordered")


def symmetry_needs_less(
    tables: Tables, *, study: Study, architecture: Architecture, least_operations: Count, least_members: Count
) -> Verdict:
    """Do operations whose operands may be exchanged generalise sooner than others? The unit is the operation: its score
    is the mean, over all other operations, over fractions and pairs of members, of +1 where its member generalises
    before the other's, -1 where after, 0 where that is equal or hidden by censoring (Gehan 1965). Scores of symmetric
    operations against the others': an exact Mann-Whitney test, one-sided, for splits of ordered and of unordered pairs.

    reproduced: sooner with both kinds of split (p: the larger). partly: with ordered pairs only, where the mirror of a
    validation pair may be in training. not reproduced: later with both kinds of split (one-sided, the other way).
    undecided: else, and with fewer than `least_operations` of either kind that have at least `least_members` members at
    every fraction, or if no member generalises.
    """
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture)
    if members.empty:
        return NOT_RUN
    scored = {pairs: _scores(select(members, pairs=pairs), least_members) for pairs in SPLITS}
    kinds = {
        pairs: [scores[symmetric == kind] for kind in (True, False)] for pairs, (scores, symmetric) in scored.items()
    }
    told = "; ".join(_told(pairs, *kinds[pairs]) for pairs in SPLITS)
    verdict = Evidence(members, told)
    fewest = min(len(scores) for both in kinds.values() for scores in both)
    if fewest < least_operations:
        return verdict(UNDECIDED, f"{fewest} operations of one kind have been run; {least_operations} are needed.")
    if not members["generalised"].any():
        return verdict(UNDECIDED, "No member generalised.")
    sooner, later = (
        {pairs: _exact(*both, alternative) for pairs, both in kinds.items()} for alternative in ("greater", "less")
    )
    text = f"{told} (p {p_is(sooner['ordered'])} and {p_is(sooner['unordered'])})"
    verdict.p_value = max(sooner.values())
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"Symmetric operations generalise sooner: {text}.")
    if significant(sooner["ordered"]):
        verdict.p_value = sooner["ordered"]
        return verdict(PARTLY, f"Symmetric operations are sooner where mirrors may be in training only: {text}.")
    if significant(max(later.values())):
        return verdict(NOT_REPRODUCED, f"Symmetric operations generalise later: {text}.")
    return verdict(UNDECIDED, f"Operations differ, but not beyond chance by their symmetry: {text}.")


def _scores(members: pd.DataFrame, least_members: int) -> tuple[np.ndarray, np.ndarray]:
    """The score of each operation with enough members, and whether it is symmetric: float and bool (n,)."""
    sizes = members.groupby(["operation", "fraction"]).size().unstack(fill_value=0)
    enough = sizes.index[(sizes >= least_members).all(axis=1)]
    members = select(members, operation=list(enough))
    totals = {name: [] for name in enough}
    for _, group in members.groupby("fraction"):
        times = {name: survival.durations(own) for name, own in group.groupby("operation")}
        for name, (time, event) in times.items():
            for other, (other_time, other_event) in times.items():
                if other != name:
                    before = event[:, None] & (time[:, None] < other_time)
                    after = other_event & (other_time < time[:, None])
                    totals[name].append(before.mean() - after.mean())
    symmetric = members.groupby("operation")["symmetric"].first()
    return (
        np.array([np.mean(totals[name]) if totals[name] else 0.0 for name in enough]),
        np.array([bool(symmetric[name]) for name in enough], dtype=bool),
    )


def _told(pairs: str, symmetric: np.ndarray, others: np.ndarray) -> str:
    if not len(symmetric) or not len(others):
        return f"{pairs} pairs: not run"
    means = " against ".join(
        f"{scores.mean():+.2f} ({len(scores)})".replace("-", "−") for scores in (symmetric, others)
    )
    return f"{pairs} pairs: symmetric {means}"


def _exact(one: np.ndarray, other: np.ndarray, alternative: str) -> float:
    """p of the sum of ranks of `one`, over all ways of choosing as many operations; ties share their mean rank."""
    ranks = scipy.stats.rankdata(np.concatenate([one, other]))
    parts = ranks[: len(one)], ranks[len(one) :]
    test = scipy.stats.permutation_test(
        parts, lambda a, b, axis: a.sum(axis), alternative=alternative, n_resamples=2**16, rng=0, vectorized=True
    )
    return float(test.pvalue)


def groks_elsewhere(
    tables: Tables, *, study: Study, architecture: Architecture, least_budget: Count, least_members: Count
) -> Verdict:
    """Do networks grok tasks of every family: Boolean functions, patterns, strings? A task shows it if at some training
    fraction more than half of at least `least_members` members generalise at least 1 000 steps after they have
    memorised. The random function, which cannot be learnt, is no task but a control.

    reproduced: at least one task of every family. partly: of some family. not reproduced: of none, at fractions
    followed to at least `least_budget` steps. undecided: else, with fewer members, or if a member of the control
    generalises, in which case something leaks.
    """
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture)
    if members.empty:
        return NOT_RUN
    control = members["operation"].str.startswith(CONTROL)
    tasks = members[~control]
    cells = tasks.groupby(["family", "symbol", "fraction"]).agg(
        n=("seed", "size"), generalise=("generalised", "sum"), grok=("grokked", "sum"), followed=("budget", "min")
    )
    shown = cells[(cells["grok"] > cells["n"] / 2) & (cells["n"] >= least_members)].reset_index()
    by_family = shown.groupby("family")["symbol"].unique()
    counts = tasks.groupby("family")["symbol"].nunique()
    told = ", ".join(
        f"{name} {of(len(by_family.get(family, [])), int(counts.get(family, 0)))}" for family, name in FAMILIES.items()
    )
    generalise = of(int(tasks["generalised"].sum()), len(tasks))
    verdict = Evidence(members, f"tasks that are grokked: {told}; {generalise} members generalise")
    leaks = int(members.loc[control, "generalised"].sum())
    if leaks:
        return verdict(UNDECIDED, f"{leaks} members of the control generalise, so something leaks.")
    missing = [name for family, name in FAMILIES.items() if family not in by_family]
    if not missing:
        return verdict(REPRODUCED, f"Networks grok in every family: {verdict.measured}.")
    if len(by_family):
        return verdict(
            PARTLY, f"No delay of {steps(GROKKING_DELAY)} steps among {listed(missing)}: {verdict.measured}."
        )
    if (cells["n"] < least_members).any():
        return verdict(UNDECIDED, f"Fewer than {least_members} members a cell have been run; {verdict.measured}.")
    if (cells["followed"] < least_budget).any():
        return verdict(
            UNDECIDED, f"Members were followed to fewer than {steps(least_budget)} steps; {verdict.measured}."
        )
    return verdict(NOT_REPRODUCED, f"Where they generalise, it is without a delay: {verdict.measured}.")


TABLES = ("members", "designs")
CRITERIA = (symmetry_needs_less, groks_elsewhere)
