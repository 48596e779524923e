"""How the claims of report 003 on the landscape and the trajectory are judged."""

import numpy as np
import pandas as pd

from .format import number, percent
from .judging import (
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Architecture,
    Count,
    Evidence,
    Ratio,
    Share,
    Steps,
    Study,
    Tables,
    Verdict,
    jointly,
    majority_p,
    most,
    of,
    p_is,
    seeds_that,
    select,
    sign_flip_p,
    significant,
    too_few,
    too_thin,
)
from .summary import studied

PERMUTATIONS = 9999


def two_modes(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    modes: Count,
    share: Share,
    least_budget: Steps,
    least_members: Count,
) -> Verdict:
    """Does more than `share` of the variance of the weights lie in the first `modes` principal components, and more
    than in a walk of as long steps and in one that decays, which have few modes as well? One-sided exact sign tests
    over seeds, whose members at several fractions share a beginning.

    Of members followed to `least_budget`: a short way is a straight one.

    reproduced: most seeds have that share, and most more than both nulls. partly: most have the share, but not shown
    to have more than the nulls. not reproduced: most do not have it. undecided: else, and with fewer seeds than
    `least_members`.
    """
    members = _members(tables, study, architecture)
    members = members[members["last_step"] >= least_budget]
    found = tables["trajectory"].merge(members[["cell", "seed", "fraction"]], on=["cell", "seed"])
    found = found[found["component"] == modes]
    if found.empty:
        return NOT_RUN
    n = found["seed"].nunique()
    medians = ", ".join(
        f"{what} {percent(found[name].median(), 1)}"
        for what, name in (("ours", "cumulative"), ("a walk", "walk"), ("a decaying walk", "decaying"))
    )
    verdict = Evidence(found, f"median share in {modes} modes: {medians}")
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members, "seeds"))
    reach = seeds_that(found, found["cumulative"] > share)
    beyond = seeds_that(found, found["cumulative"] > found[["walk", "decaying"]].max(axis=1))
    text = f"{of(reach, n)} seeds exceed {percent(share)}, {of(beyond, n)} both nulls; {verdict.measured}"
    verdict.p_value = majority_p(reach, n)
    if most(reach, n) and most(beyond, n):
        verdict.p_value = max(verdict.p_value, majority_p(beyond, n))
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    if most(reach, n):
        return verdict(PARTLY, f"The share is there, but is not shown to be more than a walk has: {text}.")
    if most(n - reach, n):
        return verdict(NOT_REPRODUCED, f"Most seeds have less: {text}.")
    return verdict(UNDECIDED, f"Seeds differ: {text}.")


def larger_condition(
    tables: Tables, *, study: Study, architecture: Architecture, least_budget: Steps, least_members: Count
) -> Verdict:
    """Are condition numbers of the Hessian larger in runs that grok? At the same amount of data: members that
    generalise, as long as they have not, against those of the same cell that do not by `least_budget`, at the same
    steps; more data changes the Hessian whether or not it is grokked. Of each member the mean over steps of the
    logarithm, less that of all members of its cell at the step, and a one-sided permutation test of the difference, in
    which members of a cell exchange their outcomes. By two condition numbers: largest over the size of the smallest
    eigenvalue, and over the bulk.

    The verdict is that of `jointly` on the two; undecided with fewer than `least_members` of either kind in cells that
    have both.
    """
    members = _members(tables, study, architecture)
    found = tables["curvature"].merge(members, on=["cell", "seed"])
    if found.empty:
        return NOT_RUN
    settled = found["generalised"].astype(bool) | (found["last_step"] >= least_budget)
    found = found[settled & ~(found["step"] >= found["t4"])]
    found["generalised"] = found["generalised"].astype(bool)
    kinds = {"that generalise": True, "that do not": False}
    names = ("condition", "bulk_condition")
    medians = "; ".join(
        f"{what} ({group.groupby(['cell', 'seed']).ngroups} members): median {number(group['condition'].median(), 2)}, "
        f"over the bulk {number(group['bulk_condition'].median(), 2)}"
        for what, kind in kinds.items()
        for group in [found[found["generalised"] == kind]]
    )
    verdict = Evidence(found, medians)
    found = found[found.groupby(["cell", "step"])["generalised"].transform("nunique") == 2]
    alone = found.drop_duplicates(["cell", "seed"])
    groups = {f"{what} where others do otherwise": alone[alone["generalised"] == kind] for what, kind in kinds.items()}
    if thin := too_thin(groups, least_members):
        return verdict(UNDECIDED, f"{thin[:-1]}; over all fractions, {medians}.")
    tests = {
        f"by the {what}": _higher(found, name)
        for what, name in zip(("smallest eigenvalue", "bulk"), names, strict=True)
    }
    return jointly(verdict, tests, medians)


def _higher(found: pd.DataFrame, name: str) -> tuple[float, float]:
    """One-sided p that `name` is not larger, and that it is not smaller, where members generalise, outcomes exchanged
    within a cell."""
    logs = np.log10(found[name].astype(float).where(found[name] > 0))
    scores = logs - logs.groupby([found["cell"], found["step"]]).transform("mean")
    each = scores.groupby([found["cell"], found["generalised"], found["seed"]]).mean().dropna()
    rng, seen, drawn = np.random.default_rng(0), 0.0, np.zeros(PERMUTATIONS)
    for _, own in each.groupby(level=0):
        values, yes = own.to_numpy(), own.index.get_level_values(1).to_numpy(float)
        seen += values @ yes
        drawn += rng.permuted(np.tile(values, (PERMUTATIONS, 1)), axis=1) @ yes
    extreme = [np.sum(sign * drawn >= sign * seen - 1e-9) for sign in (1, -1)]
    return tuple((1 + count) / (1 + PERMUTATIONS) for count in extreme)


def perturbed_valley(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    perturbed: Share,
    smooth: Share,
    barrier: Ratio,
    least_members: Count,
) -> Verdict:
    """Does training cross a perturbed valley before grokking at the fraction `perturbed`, and not at `smooth`? Of each
    member that generalises the largest barrier of the training loss on lines to the end, from the steps that lie before
    t4 in all of them: with more lines the largest would be larger. One-sided exact tests: most members at `perturbed`
    have one of at least `barrier` nats (sign test), most at `smooth` have none (sign test), and barriers are higher at
    `perturbed` (sign-flip permutation test of the difference, paired by seed).

    reproduced: all three. partly: the last, but not the first two. not reproduced: barriers are lower at `perturbed`,
    by the same test. undecided: else; with fewer than `least_members` at either fraction that generalise, since before
    grokking there must be grokking.
    """
    members = tables["barriers"]
    members = members[(members["architecture"] == architecture) & members["cell"].isin(_asked(tables, study))]
    members = members[members["before"].astype(bool) & members["fraction"].isin((perturbed, smooth))]
    if members.empty:
        return NOT_RUN
    grown = members[members["generalised"].astype(bool)]
    starts = grown.groupby("start").size()
    common = starts.index[starts == len(grown.drop_duplicates(["cell", "seed"]))]
    grown = grown[grown["start"].isin(common)]
    highest = grown.groupby(["fraction", "seed", "cell"], as_index=False)["train_barrier"].max()
    groups = {fraction: select(highest, fraction=fraction) for fraction in (perturbed, smooth)}
    told = "; ".join(
        f"fraction {fraction:g}: median barrier {number(group['train_barrier'].median(), 2)} nats before t4 (n = "
        f"{len(group)})"
        for fraction, group in groups.items()
        if len(group)
    )
    verdict = Evidence(members, told or "no member generalises")
    names = {f"that generalise at fraction {fraction:g}": group for fraction, group in groups.items()}
    if thin := too_thin(names, least_members):
        return verdict(UNDECIDED, f"{thin[:-1]}; {verdict.measured}.")
    heights = {fraction: group.set_index("seed")["train_barrier"] for fraction, group in groups.items()}
    difference = (heights[perturbed] - heights[smooth]).dropna().to_numpy(float)
    higher, lower = sign_flip_p(difference), sign_flip_p(-difference)
    with_one, n = int((heights[perturbed] >= barrier).sum()), len(heights[perturbed])
    without, m = int((heights[smooth] < barrier).sum()), len(heights[smooth])
    counts = f"{of(with_one, n)} have a barrier at {perturbed:g}, {of(without, m)} none at {smooth:g}"
    text = f"{counts}; p {p_is(higher)}; {told}"
    verdict.p_value = max(higher, majority_p(with_one, n), majority_p(without, m))
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    verdict.p_value = higher
    if significant(higher):
        return verdict(PARTLY, f"Barriers are higher with less data, but not there and absent: {text}.")
    if significant(lower):
        return verdict(NOT_REPRODUCED, f"Barriers are lower with less data: {text}.")
    return verdict(UNDECIDED, f"Nothing is shown either way: {text}.")


def _asked(tables: Tables, study: str) -> pd.Series:
    return tables["designs"].loc[tables["designs"]["study"] == study, "cell"]


def _members(tables: Tables, study: str, architecture: str) -> pd.DataFrame:
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture)
    return members[["cell", "seed", "fraction", "t4", "generalised", "last_step"]]


TABLES = ("members", "designs", "trajectory", "curvature", "barriers")
CRITERIA = (two_modes, larger_condition, perturbed_valley)
