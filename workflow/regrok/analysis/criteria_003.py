"""How the claims of report 003 on phases, the law of steps to grokking, and the critical size are judged."""

import pandas as pd

from ..wording import listed
from .criteria_000 import law_name
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
    Ratio,
    Share,
    Steps,
    Study,
    Tables,
    Verdict,
    generalised_by,
    judged_by,
    majority_p,
    most,
    of,
    p_is,
    select,
    significant,
    too_few,
)
from .summary import studied

ZERO = 1e-3  # a threshold below this share of the data is none


def power_law(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    close: Ratio,
    far: Ratio,
    least_fractions: Count,
    least_members: Count,
) -> Verdict:
    """Is t4(r) a power law, with an offset or without? The AIC of the better of the two exceeds that of the best of
    exponential, power, offset power and threshold law by at most `close` (holds), by more than `far` (fails), or by
    something between (in doubt). It is the power law that holds if the exponential law and, unless its threshold is
    zero, which makes a power law of it, the threshold law are worse by more than `close`; if members do not scatter
    less about a median a fraction than about the law (lack of fit, p below 0.05); and if the 95 % interval of its
    exponent lies above zero.

    reproduced: it holds, and is the one that does. not reproduced: it fails. partly: it is in doubt, or holds and one
    of the other conditions does not. undecided: steps to grokking at fewer than `least_fractions` fractions of
    `least_members` each, of which at least half generalise, or no fit.
    """
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture)
    if members.empty:
        return NOT_RUN
    shares = members.groupby("fraction")["generalised"].agg(["size", "mean"])
    usable = shares[(shares["size"] >= least_members) & (shares["mean"] >= 0.5)]
    laws = tables["scaling_003"]
    laws = laws[(laws["source"] == architecture) & laws["aic"].notna()].set_index("law")
    powers = laws[laws.index.isin(["power", "power_offset"])]
    if powers.empty:
        enough = f"half of at least {least_members} members generalise at {len(usable)} fractions"
        return Evidence(members, "no law fitted")(UNDECIDED, f"For the laws {enough}; {least_fractions} are needed.")
    law = powers["aic"].idxmin()
    own, best = powers.loc[law], laws["aic"].idxmin()
    worse = own["aic"] - laws["aic"].min()
    exponent = f"{number(own['exponent'])} [{number(own['exponent_low'])}, {number(own['exponent_high'])}]"
    behind = f", {worse:.1f} below it in AIC" if worse else ""
    verdict = Evidence(members, f"{law_name(law)} with exponent {exponent}; best is the {law_name(best)}{behind}")
    if len(usable) < least_fractions:
        enough = f"half of at least {least_members} members generalise at {len(usable)} fractions"
        return verdict(UNDECIDED, f"For the laws {enough}; {least_fractions} are needed.")
    text = f"{verdict.measured[0].upper()}{verdict.measured[1:]}"
    if worse > far:
        return verdict(NOT_REPRODUCED, f"{text}.")
    if worse > close:
        return verdict(PARTLY, f"The power law is in doubt: {verdict.measured}.")
    if not own["exponent_low"] > 0:
        return verdict(PARTLY, f"The exponent may be zero: {verdict.measured}.")
    if significant(own["lack_of_fit"]):
        misfit = f"members do not follow it (lack of fit, p {p_is(own['lack_of_fit'])})"
        return verdict(PARTLY, f"No other law is better, but {misfit}: {verdict.measured}.")
    others = [law for law in ("exponential", "threshold") if law in laws.index and not laws.loc[law, "shift"] < ZERO]
    alike = [law for law in others if laws.loc[law, "aic"] - own["aic"] <= close]
    if alike:
        also = listed([f"the {law_name(law)}" for law in alike])
        return verdict(PARTLY, f"It holds, and {also} as well: {verdict.measured}.")
    return verdict(REPRODUCED, f"{text}.")


def four_phases(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    fraction: Share,
    ratio: Ratio,
    least_members: Count,
) -> Verdict:
    """Do members pass through confusion, memorisation and comprehension in turn, with t4 much later than t2? Two parts,
    each with a one-sided exact sign test over the members at `fraction` that generalise: t1 < t2 < t3 < t4, as dated by
    intervals (the evaluation before an event is not before the one of the event preceding it); and t4 at least `ratio`
    times t2.

    reproduced: most members show both. partly: most show one. not reproduced: most fail both. undecided: else; with
    fewer than `least_members` that generalise: one that has not, yet or ever, has not come to the later phases.
    """
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture, fraction=fraction)
    if members.empty:
        return NOT_RUN
    every, members = members, members[members["generalised"]]
    n = len(members)
    medians = ", ".join(f"{event} {steps(members[event].median())}" for event in ("t1", "t2", "t3", "t4"))
    ordered = (members["t1"] <= members["t2_after"]) & (members["t2"] <= members["t3_after"])
    ordered &= members["t3"] <= members["t4_after"]
    late = members["t4"] >= ratio * members["t2"]
    counts = int(ordered.sum()), int(late.sum())
    text = (
        f"{of(counts[0], n)} members pass all phases in turn, {of(counts[1], n)} have t4 of at least {ratio:g} times t2"
    )
    verdict = Evidence(every, f"medians {medians}; {text}" if n else "no member generalises")
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members, "that generalise"))
    p = [majority_p(count, n) for count in counts]
    shown = [most(count, n) for count in counts]
    verdict.p_value = max(p) if all(shown) else min(1.0, 2 * min(p))
    sentence = f"{text[0].upper()}{text[1:]}."
    if all(shown):
        return verdict(REPRODUCED, sentence)
    if any(shown):
        return verdict(PARTLY, sentence)
    if all(most(n - count, n) for count in counts):
        return verdict(NOT_REPRODUCED, sentence)
    return verdict(UNDECIDED, f"Nothing is shown either way: {text}.")


def critical_size(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    least_budget: Steps,
    least_members: Count,
) -> Verdict:
    """Is there a training set size below which no member generalises, and above which they do? At a fraction of at
    least `least_members`, all followed to `least_budget` or generalised by then, generalise none, some, or most
    (one-sided exact sign test).

    reproduced: none do at some fractions, most at others, and all of the former lie below all of the latter. partly:
    both kinds exist, but not so ordered. not reproduced: there is no fraction without a member that generalises.
    undecided: else.
    """
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture)
    if members.empty:
        return NOT_RUN
    kinds = {fraction: _kind(group, least_budget, least_members) for fraction, group in members.groupby("fraction")}
    at = {kind: [f"{fraction:g}" for fraction, own in kinds.items() if own == kind] for kind in ("none", "most")}
    budget = judged_by(members, least_budget)
    text = f"by {budget} steps none generalise at {_list(at['none'])}, most at {_list(at['most'])}"
    verdict = Evidence(members, text)
    decided = {fraction: kind for fraction, kind in kinds.items() if kind != "open"}
    if not decided:
        needed = f"{least_members} members, followed to {steps(least_budget)} steps"
        return verdict(UNDECIDED, f"No fraction has {needed}: {text}.")
    none = [fraction for fraction, kind in decided.items() if kind == "none"]
    plenty = [fraction for fraction, kind in decided.items() if kind == "most"]
    if none and plenty:
        outcome = REPRODUCED if max(none) < min(plenty) else PARTLY
        return verdict(outcome, f"{text[0].upper()}{text[1:]}.")
    if plenty and min(decided) == min(kinds) and not none:
        return verdict(NOT_REPRODUCED, f"Members generalise down to fraction {min(kinds):g}: {text}.")
    return verdict(UNDECIDED, f"The fractions that were run do not show both sides: {text}.")


def _kind(members: pd.DataFrame, least_budget: float, least_members: int) -> str:
    yes, waiting = generalised_by(members, least_budget)
    if len(members) < least_members or waiting.any():
        return "open"
    return "none" if not yes.any() else "most" if most(int(yes.sum()), len(members)) else "some"


def _list(fractions: list[str]) -> str:
    return ", ".join(fractions) or "no fraction"


TABLES = ("members", "designs", "scaling_003")
CRITERIA = (power_law, four_phases, critical_size)
