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
    significant,
    too_few,
)
from .precursor_signals import NAMES
from .precursor_windows import BAND, MATCHED, WINDOW

PICKS = 9999


def falls_before(
    tables: Tables, *, study: Study, signal: str, steady: Share, at_equal_loss: bool, least_members: Count
) -> Verdict:
    """Does a signal fall before members generalise, and more than it does in members that do not? Over the 1 000 steps
    before t4. Two parts: it falls, in total and in at least `steady` of its changes (one-sided exact sign test over
    members); and it falls further than over the same steps of controls, or, if `at_equal_loss`, it is lower than in
    controls where their training loss is the same (`picked_p`). Controls are trained with the same weight decay.

    reproduced: both. partly: the first, but the second is not shown. not reproduced: in most members it does not fall.
    undecided: else; with fewer than `least_members` that generalise after more than 1 000 steps and have a control; if
    no window holds three values.
    """
    own, controls = _windows(tables, study, signal)
    if own.empty:
        return _unseen(tables, study, signal)
    n, falls = len(own), (own["change"] < 0) & (own["falling"] >= steady)
    column = "at_equal_loss" if at_equal_loss else "change"
    keyed, others = (rows.set_index(["cell", "seed"])[column] for rows in (own, controls))
    if at_equal_loss:  # a control's is that of the member over it; the member's over itself is 0
        keyed, others = keyed.fillna(0.0), -others
    keyed, others = keyed.dropna(), others.dropna()
    further = _less_usual(keyed, others)
    name, count = NAMES[signal], int(falls.sum())
    what = "than controls at equal loss" if at_equal_loss else "further than controls"
    compared = f"{_tens(np.mean(further))} {what}" if len(further) else "no controls"
    verdict = Evidence(own, f"{name} falls in {of(count, n)} members; {compared}")
    if len(further) < least_members:
        return verdict(UNDECIDED, _alone(len(further), least_members, verdict))
    beyond = picked_p(-keyed, -others)
    text = f"{verdict.measured} (p {p_is(beyond)})"
    verdict.p_value = max(majority_p(count, n), beyond)
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    if most(count, n):
        return verdict(PARTLY, f"It falls, but is not shown to do so more than without generalising: {text}.")
    if most(n - count, n):
        return verdict(NOT_REPRODUCED, f"In most members it does not fall: {text}.")
    return verdict(UNDECIDED, f"Members differ: {text}.")


def peaks_before(tables: Tables, *, study: Study, signal: str, least_members: Count) -> Verdict:
    """Does a signal peak 100 to 500 steps before members generalise? The largest value in the 1 000 steps before t4
    lies so far before it (one-sided exact sign test over members), and does so more often than over the same steps of
    controls, in which some value is the largest as well (`picked_p`). Controls are trained with the same weight decay.

    reproduced: both. partly: the first, but not shown to be more often than in controls; or more often than in
    controls, but not in most. not reproduced: in most members the largest value lies elsewhere, and it is not shown to
    lie there more often than in controls. undecided: else; with fewer than `least_members` that generalise after more
    than 1 000 steps and have a control; if no window holds three values.
    """
    own, controls = _windows(tables, study, signal)
    if own.empty:
        return _unseen(tables, study, signal)
    yes, usual = (rows.set_index(["cell", "seed"])["in_band"].astype(bool).astype(float) for rows in (own, controls))
    more = _less_usual(yes, usual)
    n, count = len(yes), int(yes.sum())
    band = f"{BAND[0]} to {BAND[1]} steps before"
    verdict = Evidence(
        own,
        f"{NAMES[signal]} is largest {band} in {of(count, n)} members, of controls in {percent(usual.mean())}; "
        f"median lead {steps(own['lead'].median())} steps",
    )
    if len(more) < least_members:
        return verdict(UNDECIDED, _alone(len(more), least_members, verdict))
    beyond = picked_p(yes, usual)
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
    """Could precursors tell that grokking is coming? Of the three rules that use one (table precursor_rules), within
    settings in which members generalise, with intervals: the skill of the best, and what it has beyond "the training
    set is known".

    reproduced: a rule's skill is at least `useful` and the interval of what it has beyond lies above zero. partly: the
    latter alone. not reproduced: the intervals of all their skills lie below `useless`. undecided: else, and with fewer
    than `least_members` that generalise.
    """
    rules, members = tables["precursor_rules"], _signals(tables, study).drop_duplicates(["cell", "seed"])
    if members.empty:
        return NOT_RUN
    if rules.empty:
        return Evidence(members, "no alarm to judge")(UNDECIDED, "In no setting do members generalise late enough.")
    own = rules[~rules["rule"].isin(["memorised", "always"])].sort_values("rule")
    told = "; ".join(
        f"{row.text}: precision {percent(row.precision)}, recall {percent(row.recall)}, skill {number(row.skill, 2)}"
        for row in own.itertuples()
    )
    verdict = Evidence(members, told)
    n = int(members["t4"].notna().sum())
    if n < least_members:
        return verdict(UNDECIDED, f"{too_few(n, least_members, 'members that generalise')[:-1]}; {told}.")
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


def picked_p(own: pd.Series, controls: pd.Series) -> float:
    """One-sided p that members have no more than their controls; both by (cell, seed) of the member.

    As in the partial likelihood of survival analysis (Cox 1975): if nothing tells who of those at risk generalises
    next, it is any of them. Of each member and its controls one is drawn, and the sum of what they have over the means
    is compared with the members' own; controls may serve many members.
    """
    rng, seen, drawn = np.random.default_rng(0), 0.0, np.zeros(PICKS)
    for key, value in own.items():
        if key in controls.index:
            values = np.append(controls.loc[[key]].to_numpy(float), value)
            values -= values.mean()
            seen += values[-1]
            drawn += rng.choice(values, PICKS)
    return float((1 + np.sum(drawn >= seen - 1e-9)) / (1 + PICKS))


def _less_usual(own: pd.Series, controls: pd.Series) -> np.ndarray:
    """What members have over the mean of their controls, of those that have any."""
    return (own - controls.groupby(level=[0, 1]).mean()).dropna().to_numpy(float)


def _signals(tables: Tables, study: str) -> pd.DataFrame:
    asked = tables["designs"].loc[tables["designs"]["study"] == study, "cell"]
    return tables["precursor_signals"][tables["precursor_signals"]["cell"].isin(asked)]


def _unseen(tables: Tables, study: str, signal: str) -> Verdict:
    """That no member has a window; not that nothing was run, if something was."""
    members = _signals(tables, study)
    if members.empty:
        return NOT_RUN
    said = f"{NAMES[signal]} has too few values before t4, or none generalise after more than {WINDOW} steps"
    return Evidence(members.drop_duplicates(["cell", "seed"]), said)(UNDECIDED, f"{said[0].upper()}{said[1:]}.")


def _windows(tables: Tables, study: str, signal: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The windows of members that generalise, and of their controls at the same weight decay."""
    windows, asked = tables["precursor_windows"], tables["designs"]
    windows = windows[(windows["signal"] == signal) & windows["cell"].isin(asked.loc[asked["study"] == study, "cell"])]
    windows = windows.astype({"change": float, "lead": float, "at_equal_loss": float})
    return windows[windows["control"] == ""], windows[windows["control"].isin(MATCHED)]


def _tens(value: float) -> str:
    """A mean log10 as a change: "−12 %"."""
    return percent(10**value - 1).replace("-", "−")


TABLES = ("designs", "precursor_signals", "precursor_windows", "precursor_rules")
CRITERIA = (falls_before, peaks_before, detects)
