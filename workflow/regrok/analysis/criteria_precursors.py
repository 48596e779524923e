"""How the claims of report 000 on precursors of grokking are judged."""

import numpy as np
import pandas as pd

from .format import number, percent, steps
from .judging import (
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Count,
    Evidence,
    Share,
    Study,
    Tables,
    Verdict,
    majority_p,
    most,
    of,
    p_is,
    sign_flip_p,
    significant,
    too_few,
)
from .precursor_signals import NAMES
from .precursor_windows import BAND


def falls_before(
    tables: Tables, *, study: Study, signal: str, steady: Share, at_equal_loss: bool, least_members: Count
) -> Verdict:
    """Does a signal fall before members generalise, and more than it does in members that do not? Over the 1 000 steps
    before t4. Two parts: it falls, in total and in at least `steady` of its changes (one-sided exact sign test over
    members); and it falls further than over the same steps of controls, or, if `at_equal_loss`, it is lower than in
    controls where their training loss is the same (one-sided sign-flip permutation test of each member's mean
    difference from its controls).

    reproduced: both. partly: the first, but the second is not shown. not reproduced: in most members it does not fall.
    undecided: else, and with fewer than `least_members` that generalise after more than 1 000 steps and have a control.
    """
    own, controls = _windows(tables, study, signal)
    if own.empty:
        return NOT_RUN
    n, falls = len(own), (own["change"] < 0) & (own["falling"] >= steady)
    column = "at_equal_loss" if at_equal_loss else "change"
    usual = controls.groupby(["cell", "seed"])[column].mean()
    paired = own.set_index(["cell", "seed"])["change"].to_frame().join(usual.rename("usual"), how="left")
    further = paired["usual"] if at_equal_loss else paired["change"] - paired["usual"]
    further = further.dropna().to_numpy(float)
    name, count = NAMES[signal], int(falls.sum())
    what = "than controls at equal loss" if at_equal_loss else "further than controls"
    compared = f"{_tens(np.mean(further))} {what}" if len(further) else "no controls"
    verdict = Evidence(own, f"{name} falls in {of(count, n)} members; {compared}")
    if len(further) < least_members:
        return verdict(UNDECIDED, _alone(len(further), least_members, verdict))
    beyond = sign_flip_p(-further)
    text = f"{verdict.measured} (p {p_is(beyond)})"
    verdict.p_value = max(majority_p(count, n), beyond)
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    if most(count, n):
        return verdict(PARTLY, f"It falls, but no more than without generalising: {text}.")
    if most(n - count, n):
        return verdict(NOT_REPRODUCED, f"In most members it does not fall: {text}.")
    return verdict(UNDECIDED, f"Members differ: {text}.")


def peaks_before(tables: Tables, *, study: Study, signal: str, least_members: Count) -> Verdict:
    """Does a signal peak 100 to 500 steps before members generalise? The largest value in the 1 000 steps before t4
    lies so far before it (one-sided exact sign test over members), and does so more often than over the same steps of
    controls, in which some value is the largest as well (one-sided sign-flip permutation test of the difference from
    the share of a member's controls).

    reproduced: both. partly: the first, but controls peak there as often, or more often than controls, but not in most.
    not reproduced: in most members the largest value lies elsewhere, and not more often there than in controls.
    undecided: else, and with fewer than `least_members` that generalise after more than 1 000 steps and have a control.
    """
    own, controls = _windows(tables, study, signal)
    if own.empty:
        return NOT_RUN
    yes = own.set_index(["cell", "seed"])["in_band"].astype(bool)
    usual = controls.astype({"in_band": bool}).groupby(["cell", "seed"])["in_band"].mean()
    more = (yes.astype(float) - usual).dropna().to_numpy(float)
    n, count = len(yes), int(yes.sum())
    band = f"{BAND[0]} to {BAND[1]} steps before"
    verdict = Evidence(
        own,
        f"{NAMES[signal]} is largest {band} in {of(count, n)} members, of controls in {percent(usual.mean())}; "
        f"median lead {steps(own['lead'].median())} steps",
    )
    if len(more) < least_members:
        return verdict(UNDECIDED, _alone(len(more), least_members, verdict))
    beyond = sign_flip_p(more)
    text = f"{verdict.measured} (p {p_is(beyond)})"
    verdict.p_value = max(majority_p(count, n), beyond)
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    if most(count, n) or significant(beyond):
        verdict.p_value = min(1.0, 2 * min(majority_p(count, n), beyond))
        return verdict(PARTLY, f"One of the two tests holds: {text}.")
    if most(n - count, n):
        return verdict(NOT_REPRODUCED, f"In most members it is largest elsewhere: {text}.")
    return verdict(UNDECIDED, f"Members differ: {text}.")


def detects(tables: Tables, *, study: Study, useful: Share, useless: Share, least_members: Count) -> Verdict:
    """Could precursors tell that grokking is coming? Of the three rules that use one (table precursor_rules), with
    intervals: the skill of the best, and what it has beyond "the training set is known".

    reproduced: a rule's skill is at least `useful` and the interval of what it has beyond lies above zero. partly: the
    latter alone. not reproduced: the intervals of all their skills lie below `useless`. undecided: else, and with fewer
    than `least_members` members of either kind.
    """
    rules = tables["precursor_rules"]
    signals = tables["precursor_signals"]
    signals = signals[signals["cell"].isin(tables["designs"].loc[tables["designs"]["study"] == study, "cell"])]
    if rules.empty or signals.empty:
        return NOT_RUN
    members = signals.drop_duplicates(["cell", "seed"])
    own = rules[~rules["rule"].isin(["memorised", "always"])].sort_values("rule")
    told = "; ".join(
        f"{row.text}: precision {percent(row.precision)}, recall {percent(row.recall)}, skill {number(row.skill, 2)}"
        for row in own.itertuples()
    )
    verdict = Evidence(members, told)
    fewest = int(members["t4"].notna().value_counts().reindex([True, False], fill_value=0).min())
    if fewest < least_members:
        return verdict(UNDECIDED, f"{too_few(fewest, least_members, 'members of one kind')[:-1]}; {told}.")
    better = own[own["beyond_low"] > 0]
    if (better["skill"] >= useful).any():
        return verdict(REPRODUCED, f"{told[0].upper()}{told[1:]}.")
    if len(better):
        return verdict(PARTLY, f"Better than knowing that the training set is known, but of little use: {told}.")
    if (own["skill_high"] < useless).all():
        return verdict(NOT_REPRODUCED, f"None has skill: {told}.")
    return verdict(UNDECIDED, f"None is shown to be better than knowing that the training set is known: {told}.")


def _alone(n: int, least: int, verdict: Evidence) -> str:
    return f"{too_few(n, least, 'members with controls')[:-1]}; {verdict.measured}."


def _windows(tables: Tables, study: str, signal: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The windows of members that generalise, and of their controls."""
    windows, asked = tables["precursor_windows"], tables["designs"]
    windows = windows[(windows["signal"] == signal) & windows["cell"].isin(asked.loc[asked["study"] == study, "cell"])]
    control = windows["control"].astype(bool)
    return windows[~control].astype({"change": float, "lead": float}), windows[control].astype({"at_equal_loss": float})


def _tens(value: float) -> str:
    """A mean log10 as a change: "−12 %"."""
    return percent(10**value - 1).replace("-", "−")


TABLES = ("designs", "precursor_signals", "precursor_windows", "precursor_rules")
CRITERIA = (falls_before, peaks_before, detects)
