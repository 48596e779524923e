"""How the claims of report 003 on slingshots are judged."""

import numpy as np
import pandas as pd

from .format import number, steps
from .judging import (
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Architecture,
    Count,
    Evidence,
    Level,
    Ratio,
    Study,
    Tables,
    Verdict,
    majority_p,
    most,
    of,
    of_with_interval,
    p_is,
    seeds_that,
    select,
    significant,
    too_few,
)
from .slingshot_members import NEAR, lead

RELABELLINGS = 9999


def at_slingshots(
    tables: Tables, *, study: Study, architecture: Architecture, weight_decay: Level, least_members: Count
) -> Verdict:
    """Do members generalise at the onset of slingshots, and almost never without? Judged at `weight_decay`, which is
    zero in the source of the claim; what happens at others is told. Of members that generalise: is the last onset
    before t4 at most 500 steps away (one-sided exact sign test over seeds, and a permutation test in which members of a
    cell exchange their onsets, so that frequent slingshots count for nothing)?

    reproduced: both tests. partly: most have a slingshot before t4, but not both tests. not reproduced: most generalise
    without a slingshot before t4. undecided: else, and with fewer than `least_members` seeds that generalise.
    """
    every = _of_study(tables, "slingshot_members", study, architecture)
    members = select(every, weight_decay=weight_decay)
    if members.empty:
        return NOT_RUN
    told = "; ".join(f"weight decay {decay:g}: {_counted(group)}" for decay, group in every.groupby("weight_decay"))
    verdict = Evidence(members, told)
    grown = members[members["generalised"].astype(bool)]
    n = grown["seed"].nunique()
    if n < least_members:
        return verdict(UNDECIDED, f"{told}; without weight decay {too_few(n, least_members, 'seeds that generalise')}")
    at, without = seeds_that(grown, grown["at_onset"].astype(bool)), seeds_that(grown, grown["before"] == 0)
    chance = exchanged(grown, tables["slingshots"])
    verdict.p_value = max(majority_p(at, n), chance)
    text = f"{told}; p {p_is(chance)} of as many by exchanging onsets"
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"Most generalise within {steps(NEAR)} steps of an onset: {text}.")
    if most(without, n):
        return verdict(NOT_REPRODUCED, f"Most generalise without a slingshot before: {text}.")
    after = seeds_that(grown, grown["before"] > 0)
    if most(after, n):
        verdict.p_value = majority_p(after, n)
        return verdict(PARTLY, f"Slingshots come before, but generalisation is not tied to their onset: {text}.")
    return verdict(UNDECIDED, f"Neither is shown: {text}.")


def _counted(members: pd.DataFrame) -> str:
    grown = members[members["generalised"].astype(bool)]
    at, before = int(grown["at_onset"].astype(bool).sum()), int((grown["before"] > 0).sum())
    have = of(int((members["slingshots"] > 0).sum()), len(members))
    close = of_with_interval(at, len(grown))
    return f"{have} have slingshots; of those that generalise {close} do so at an onset, {before} after any"


def exchanged(members: pd.DataFrame, slingshots: pd.DataFrame) -> float:
    """One-sided p that as many members are at an onset if those of a cell exchange their onsets at random."""
    onsets = {key: np.sort(own["onset"].to_numpy(float)) for key, own in slingshots.groupby(["cell", "seed"])}
    rng, drawn, seen = np.random.default_rng(0), np.zeros(RELABELLINGS), 0
    for cell, group in members.groupby("cell"):
        own = [onsets.get((cell, seed), np.array([])) for seed in group["seed"]]
        hits = np.array([[lead(other, t4) <= NEAR for other in own] for t4 in group["t4"]])
        order = rng.permuted(np.tile(np.arange(len(own)), (RELABELLINGS, 1)), axis=1)
        drawn += hits[np.arange(len(own)), order].sum(axis=1)
        seen += int(np.trace(hits))
    return float((1 + np.sum(drawn >= seen)) / (1 + RELABELLINGS))


def lazy_regime(
    tables: Tables, *, study: Study, architecture: Architecture, constant: Ratio, factor: Ratio, least_members: Count
) -> Verdict:
    """Do weights stay in a lazy regime but for slingshots? Two parts, each a one-sided exact sign test over seeds whose
    members have slingshots: the cosine distance from one step to the next is almost constant outside them (its 90 %
    quantile at most `constant` times its 10 % quantile), and larger in them (its median at least `factor` times as
    large).

    reproduced: both parts. partly: one. not reproduced: most seeds fail both. undecided: else, and with fewer than
    `least_members` seeds with slingshots.
    """
    members = _of_study(tables, "slingshot_members", study, architecture)
    if members.empty:
        return NOT_RUN
    own = members.dropna(subset=["turning", "calm_spread"])
    n = own["seed"].nunique()
    medians = f"median spread {number(own['calm_spread'].median(), 2)}, turning {number(own['turning'].median(), 2)}"
    verdict = Evidence(members, f"{len(own)} of {len(members)} members have slingshots" + (f"; {medians}" if n else ""))
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members, "seeds with slingshots"))
    counts = seeds_that(own, own["calm_spread"] <= constant), seeds_that(own, own["turning"] >= factor)
    text = (
        f"of {n} seeds {counts[0]} are almost constant outside slingshots, {counts[1]} turn faster in them; {medians}"
    )
    shown = [most(count, n) for count in counts]
    p = [majority_p(count, n) for count in counts]
    verdict.p_value = max(p) if all(shown) else min(1.0, 2 * min(p))
    if all(shown):
        return verdict(REPRODUCED, f"Both parts hold: {text}.")
    if any(shown):
        return verdict(PARTLY, f"One of the two parts holds: {text}.")
    if all(most(n - count, n) for count in counts):
        return verdict(NOT_REPRODUCED, f"Neither part holds: {text}.")
    return verdict(UNDECIDED, f"Nothing is shown either way: {text}.")


def _of_study(tables: Tables, name: str, study: str, architecture: str) -> pd.DataFrame:
    asked = tables["designs"].loc[tables["designs"]["study"] == study, "cell"]
    table = tables[name]
    return table[table["cell"].isin(asked) & (table["architecture"] == architecture)]


TABLES = ("designs", "slingshots", "slingshot_members")
CRITERIA = (at_slingshots, lazy_regime)
