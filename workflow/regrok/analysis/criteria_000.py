"""How the claims of report 000 are judged."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pandas as pd
import scipy

from . import survival
from .format import number, percent, steps
from .judging import (
    NAMES,
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Count,
    Evidence,
    Operation,
    Optimizer,
    Precision,
    Ratio,
    Rule,
    Share,
    Steps,
    Study,
    Tables,
    Verdict,
    extent,
    fisher,
    generalised_by,
    jointly,
    judged_by,
    majority_p,
    median_steps,
    most,
    of,
    p_is,
    reached,
    select,
    sign_flip_p,
    significant,
    sooner_p,
    timed,
    too_few,
    too_thin,
)
from .optimizer_best import cross_fitted
from .reported import ARCHITECTURES
from .summary import studied


def grokking_exists(
    tables: Tables,
    *,
    study: Study,
    operations: list[Operation],
    fraction: Share,
    memorising: Share,
    least_budget: Steps,
    least_members: Count,
) -> Verdict:
    """A member groks as the report defines it if it generalises at least 1 000 steps after it has memorised and its
    validation accuracy when it has memorised is at most `memorising`. Ordered splits of `fraction`.

    reproduced: most of all members do, and more than half of every operation's. partly: else, if a member generalises
    at least 1 000 steps late. not reproduced: none does by `least_budget`. undecided: an operation is missing, fewer
    than `least_members` in all, or members not followed to `least_budget` could make it "reproduced" or "partly".
    """
    members = select(studied(tables["members"], tables["designs"], study), fraction=fraction, pairs="ordered")
    members = select(members, operation=operations)
    if members.empty:
        return NOT_RUN
    missing = [name for name in operations if name not in set(members["operation"])]
    late = members["grokked"]
    groks = late & (_accuracy_at(members, tables["histories"], "t2") <= memorising)
    waiting = ~members["generalised"] & ~members["diverged"] & (members["last_step"] < least_budget)
    by_operation = [(name, members["operation"] == name) for name in operations if name not in missing]
    n, shares = len(members), ", ".join(f"{name} {of(groks[at].sum(), at.sum())}" for name, at in by_operation)
    measured = f"{of(groks.sum(), n)} members grok ({shares})"
    if late.any():
        measured += f", {steps(members.loc[late, 'delay'].median())} steps (median) after memorising"
    verdict = Evidence(members, measured)

    def everywhere(yes: pd.Series) -> bool:
        return most(int(yes.sum()), n) and all(2 * yes[at].sum() > at.sum() for _, at in by_operation)

    if missing:
        return verdict(UNDECIDED, f"Nothing was run for {', '.join(missing)} at fraction {fraction:g}.")
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members))
    if not everywhere(groks) and (everywhere(groks | waiting) or (waiting.any() and not late.any())):
        return verdict(
            UNDECIDED, f"{of(waiting.sum(), n)} members were followed for less than {steps(least_budget)} steps."
        )
    verdict.p_value = majority_p(int(groks.sum()), n)
    if everywhere(groks):
        return verdict(REPRODUCED, f"{measured}, most of all and more than half with every operation.")
    if late.any():
        grokking = f"only {of(groks.sum(), n)} from a validation accuracy of at most {percent(memorising)} ({shares})"
        return verdict(PARTLY, f"{of(late.sum(), n)} members generalise 1 000 steps or more late, but {grokking}.")
    return verdict(NOT_REPRODUCED, f"None of {n} members generalises late; each was followed {extent(members)}.")


def _accuracy_at(members: pd.DataFrame, histories: pd.DataFrame, event: str) -> pd.Series:
    """Validation accuracy at the evaluation of `event`, by member; nan where it never happened."""
    points = histories[["cell", "seed", "step", "val_acc"]]
    wanted = members[["cell", "seed"]].assign(step=members[event].fillna(-1).astype("int64"))
    return wanted.merge(points, on=["cell", "seed", "step"], how="left")["val_acc"].set_axis(members.index)


def never_generalises(
    tables: Tables,
    *,
    study: Study,
    loss_precision: Precision,
    control_precision: Precision,
    contrast_study: Study,
    contrast_fraction: Share,
    least_budget: Steps,
    near: Share,
    far: Share,
    least_members: Count,
) -> Verdict:
    """Without decay, under the loss of `loss_precision`, no member may generalise and validation must stay where the
    report saw it, while the members of `contrast_study` (with decay) generalise and the control does not.

    not reproduced: a member generalises at any step (one refutes "never"), or the best validation accuracy of most of
    at least `least_members` reaches `far`. Else undecided: fewer than `least_members`, more than half of them, but not
    most, reach `far`, or one is followed for less than `least_budget` steps. Else partly: at most half memorise, or the
    median final validation accuracy is above `near`, or a member of the control generalises or reaches `far` (then
    arithmetic, not decay, holds the others back), or the contrast generalises by `least_budget` no more often (Fisher's
    exact test, one-sided, 5 %; undecided if it has too few members to tell). Else reproduced.
    """
    everyone = studied(tables["members"], tables["designs"], study)
    members = select(everyone, loss_precision=loss_precision)
    control = select(everyone, loss_precision=control_precision)
    decayed = select(studied(tables["members"], tables["designs"], contrast_study), fraction=contrast_fraction)
    if members.empty:
        return NOT_RUN
    n, generalised = len(members), int(members["generalised"].sum())
    accuracy, best = members["final_val_acc"].median(), members["best_val_acc"]
    measured = (
        f"{of(generalised, n)} generalise, validation {percent(accuracy, 1)} (median), followed {extent(members)}"
    )
    verdict = Evidence(pd.concat([members, control, decayed]), measured)
    if generalised:
        first = steps(members["t4"].min())
        return verdict(
            NOT_REPRODUCED, f"{of(generalised, n)} generalise without weight decay, the first at {first} steps."
        )
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members))
    reach = int((best >= far).sum())
    left = f"{of(reach, n)} reach {percent(far)}, the median of the best is {percent(best.median(), 1)}"
    if most(reach, n):
        return verdict(
            NOT_REPRODUCED, f"None of {n} generalises, but validation leaves the reported value far behind: {left}."
        )
    if 2 * reach > n:
        return verdict(UNDECIDED, f"None of {n} generalises, and it may be chance how many come far: {left}.")
    if (~members["diverged"] & (members["last_step"] < least_budget)).any():
        return verdict(
            UNDECIDED,
            f"Members were followed {extent(members)}; 'never' is judged from {steps(least_budget)} steps on.",
        )
    memorised = int(members["t2"].notna().sum())
    if 2 * memorised <= n:
        return verdict(PARTLY, f"None of {n} generalises, but only {of(memorised, n)} memorise the training set.")
    if accuracy > near:
        ends = f"the median validation accuracy ends at {percent(accuracy, 1)}, above {percent(near)}"
        return verdict(PARTLY, f"None of {n} generalises, but {ends}.")
    if len(control) < least_members or (~control["diverged"] & (control["last_step"] < least_budget)).any():
        return verdict(UNDECIDED, f"None of {n} generalises, but the control with {control_precision} is still open.")
    freed = int((control["generalised"] | (control["best_val_acc"] >= far)).sum())
    controlled = f"with the loss in {control_precision} {of(freed, len(control))} reach {percent(far)} or more"
    if freed:
        return verdict(PARTLY, f"None of {n} generalises, but {controlled}, so arithmetic has a part in it.")
    yes, waiting = generalised_by(decayed, least_budget)
    verdict.p_value = p = fisher(int(yes.sum()), len(decayed), 0, n)
    contrast = f"with decay {of(yes.sum(), len(decayed))} do (Fisher p {p_is(p)})"
    if significant(p):
        followed = f"None of {n} generalises by {steps(members['last_step'].min())} steps, while {contrast}"
        return verdict(REPRODUCED, f"{followed}; {controlled}.")
    if waiting.any() or not significant(fisher(len(decayed), len(decayed), 0, n)):
        return verdict(
            UNDECIDED, f"None of {n} generalises, but {contrast}: too few or followed too short a way to tell."
        )
    return verdict(
        PARTLY, f"None of {n} generalises, but {contrast}, so decay makes no difference that could be shown."
    )


def inconsistent(
    tables: Tables,
    *,
    study: Study,
    sweep: Study,
    optimizer: Optimizer,
    least_budget: Steps,
    least_budget_tuned: Steps,
    least_members: Count,
) -> Verdict:
    """Of `optimizer` with weight decay, in the literal setting (`study`, by `least_budget` steps) and at the
    cross-fitted best of `sweep` (by `least_budget_tuned`), the members that generalise are: consistent (most of them),
    mixed (some), none.

    reproduced: mixed in the literal setting and not consistent when tuned. partly: mixed and consistent; or none, and
    not consistent when tuned. not reproduced: consistent in the literal setting; or none, and consistent when tuned.
    That a literal setting does not even memorise counts as none and is said. undecided: either has fewer than
    `least_members`, or open members that could change its kind.
    """
    members, designs = tables["members"], tables["designs"]
    literal = select(studied(members, designs, study), optimizer=optimizer)
    literal = literal[literal["weight_decay"] > 0]
    tuned = cross_fitted(select(studied(members, designs, sweep), optimizer=optimizer), designs, sweep)
    if literal.empty and tuned.empty:
        return NOT_RUN
    as_stated = _consistency(literal, least_budget, least_members)
    best = _consistency(tuned, least_budget_tuned, least_members)
    memorised = int(literal["t2"].notna().sum())
    stated = f"{of(literal['generalised'].sum(), len(literal))} generalise and {of(memorised, len(literal))} memorise"
    text = f"as stated {stated}, tuned {of(tuned['generalised'].sum(), len(tuned))} generalise"
    verdict = Evidence(pd.concat([literal, tuned]), text)
    if as_stated == "consistent":
        return verdict(NOT_REPRODUCED, f"It generalises consistently: {text}.")
    if as_stated is None:
        there = f"has {len(literal)} members, followed {extent(literal)}" if len(literal) else "was not run"
        return verdict(UNDECIDED, f"The literal setting {there}: that is too few or too short a way to tell.")
    if best is None:
        return verdict(
            UNDECIDED, f"The sweep leaves {len(tuned)} members, too few or followed too short a way ({text})."
        )
    if as_stated == "mixed":
        if best == "consistent":
            return verdict(PARTLY, f"Inconsistent as stated, but consistent once tuned: {text}.")
        return verdict(REPRODUCED, f"Limited and inconsistent, tuned or not: {text}.")
    nothing = "it does not even memorise" if 2 * memorised <= len(literal) else "it memorises and does not generalise"
    if best == "consistent":
        return verdict(NOT_REPRODUCED, f"As stated {nothing}, and once tuned it generalises consistently: {text}.")
    return verdict(
        PARTLY, f"As stated {nothing}, which is limited but not inconsistent, and tuning does not mend it: {text}."
    )


def _consistency(members: pd.DataFrame, horizon: float, least_members: int) -> str | None:
    """consistent, mixed or none: the members that generalise by `horizon`; None if that cannot be said."""
    if len(members) < least_members:
        return None
    yes, waiting = generalised_by(members, horizon)
    kinds = {_kind(int(yes.sum()) + more, len(members)) for more in range(int(waiting.sum()) + 1)}
    return kinds.pop() if len(kinds) == 1 else None


def _kind(yes: int, n: int) -> str:
    return "none" if yes == 0 else "consistent" if most(yes, n) else "mixed"


def generalises_everywhere(
    tables: Tables, *, study: Study, fractions: list[Share], horizon: Steps, least_members: Count
) -> Verdict:
    """AdamW's members of every one of `fractions`; fast means by `horizon` steps.

    reproduced: every member generalises by then, at every fraction, with at least `least_members` each. not reproduced:
    at some fraction most members do not (one such fraction refutes "every"). partly: else, if a minority at some
    fraction does not. undecided: else, or a fraction was not run.
    """
    members = select(studied(tables["members"], tables["designs"], study), fraction=fractions, optimizer="adamw")
    if members.empty:
        return NOT_RUN
    yes, waiting = generalised_by(members, horizon)
    counts = pd.DataFrame({"n": 1, "yes": yes, "open": waiting}).groupby(members["fraction"]).sum()
    shares = ", ".join(f"{fraction:g}: {of(row.yes, row.n)}" for fraction, row in counts.iterrows())
    measured = f"generalise by {judged_by(members, horizon)} steps at fraction {shares}"
    verdict = Evidence(members, measured)
    failing = [fraction for fraction, row in counts.iterrows() if most(row.n - row.yes - row.open, row.n)]
    missing = [f"{fraction:g}" for fraction in fractions if fraction not in counts.index]
    if failing:
        at = ", ".join(f"{fraction:g}" for fraction in failing)
        return verdict(NOT_REPRODUCED, f"Most members fail at fraction {at}: they {measured}.")
    if missing:
        return verdict(UNDECIDED, f"Fraction {', '.join(missing)} was not run at this scale.")
    if (counts["n"] < least_members).any():
        return verdict(UNDECIDED, too_few(counts["n"].min(), least_members, "members a fraction"))
    if counts["open"].any():
        return verdict(
            UNDECIDED,
            f"{of(counts['open'].sum(), len(members))} members were not followed for {steps(horizon)} steps.",
        )
    unclear = [fraction for fraction, row in counts.iterrows() if 2 * (row.n - row.yes) >= row.n]
    if unclear:
        at = ", ".join(f"{fraction:g}" for fraction in unclear)
        return verdict(UNDECIDED, f"Too few members to tell whether most fail at fraction {at}: they {measured}.")
    if yes.all():
        return verdict(
            REPRODUCED, f"All {len(members)} members generalise by {steps(horizon)} steps, at every fraction."
        )
    return verdict(
        PARTLY, f"All but {of((~yes).sum(), len(members))} members, a minority at each fraction, {measured}."
    )


def slow_and_erratic(
    tables: Tables,
    *,
    study: Study,
    sweep: Study,
    optimizer: Optimizer,
    reference: Optimizer,
    ratio: Ratio,
    spread: Ratio,
    least_members: Count,
) -> Verdict:
    """`optimizer` against `reference`, each at the cross-fitted best of an equal `sweep`; the literal setting is told
    beside.

    Slow: its median steps to grokking are at least `ratio` times the reference's, and it takes longer (log-rank p at
    most 5 %); not slow: the median is less, and so are its times against `ratio` times the reference's (the same test).
    Erratic: the log of its upper over its lower quartile is at least `spread` times the reference's (taken as at least
    5 %, the resolution of the evaluations), and its log times lie further from their median (one-sided permutation test
    on absolute deviations, 5 %; Brown and Forsythe 1974); not erratic: the ratio is less, every member generalises, and
    deviations are smaller than `spread` times the reference's (each at least the resolution; the same test). Censored
    members count at the step to which they were followed. reproduced: slow and erratic. partly: one of them. not
    reproduced: not slow and not erratic. undecided: else, or fewer than `least_members` of either, the reference's
    median not reached, or a member of `optimizer` not followed for `ratio` times that median.
    """
    members, designs = tables["members"], tables["designs"]
    swept = studied(members, designs, sweep)
    tuned = cross_fitted(select(swept, optimizer=optimizer), designs, sweep)
    rival = cross_fitted(select(swept, optimizer=reference), designs, sweep)
    literal = select(studied(members, designs, study), optimizer=optimizer)
    if tuned.empty or rival.empty:
        return NOT_RUN
    median, target = median_steps(tuned), median_steps(rival)
    generalised = of(tuned["generalised"].sum(), len(tuned))
    measured = f"tuned {reached(median)} ({generalised} generalise) against {reached(target)}"
    if len(literal):
        measured += f"; as stated {of(literal['t2'].notna().sum(), len(literal))} memorise"
    verdict = Evidence(pd.concat([tuned, rival, literal]), measured)
    if min(len(tuned), len(rival)) < least_members:
        return verdict(UNDECIDED, too_few(min(len(tuned), len(rival)), least_members))
    if not np.isfinite(target):
        return verdict(
            UNDECIDED, f"The median of {reference} is not reached either, so there is nothing to compare with."
        )
    waiting = ~tuned["generalised"] & ~tuned["diverged"] & (tuned["last_step"] < ratio * target)
    if waiting.any():
        reach = f"{ratio:g} times the median of {reference}"
        return verdict(UNDECIDED, f"{of(waiting.sum(), len(tuned))} members were not followed for {reach}.")
    (time, event), (rival_time, rival_event) = survival.durations(tuned), survival.durations(rival)
    p = survival.logrank(time, event, rival_time, rival_event)
    slow = median >= ratio * target and significant(p)
    quick = median < ratio * target and significant(survival.logrank(time, event, ratio * rival_time, rival_event))
    widths = _log_quartile_ratio(tuned), _log_quartile_ratio(rival)
    wide = widths[0] >= spread * max(widths[1], RESOLUTION)
    own, other = _deviations(tuned), _deviations(rival)
    p_erratic = _larger_p(own, other)
    erratic = wide and significant(p_erratic)
    narrow = not wide and event.all() and significant(_larger_p(spread * np.maximum(other, RESOLUTION), own))
    verdict.p_value = max(p, p_erratic) if slow and erratic else p_erratic if erratic else p
    quartiles = f"quartiles {np.exp(widths[0]):.2g} times apart against {np.exp(widths[1]):.2g} (p {p_is(p_erratic)})"
    text = f"{measured}; log-rank p {p_is(p)}; {quartiles}"
    if slow and erratic:
        return verdict(REPRODUCED, f"Slow and erratic: {text}.")
    if slow:
        return verdict(PARTLY, f"Slow, but {'not erratic' if narrow else 'not shown to be erratic'}: {text}.")
    if erratic:
        return verdict(PARTLY, f"Erratic, but {'not slow' if quick else 'not shown to be slow'}: {text}.")
    if quick and narrow:
        return verdict(NOT_REPRODUCED, f"Neither slow nor erratic: {text}.")
    return verdict(UNDECIDED, f"Too few members to tell whether it is slow and erratic: {text}.")


RESOLUTION = 0.05  # of log t4: evaluations are a few percent apart


def _followed(members: pd.DataFrame) -> np.ndarray:
    """t4, or the budget of a member without it."""
    time, _ = survival.durations(members)
    return np.minimum(time, members["budget"].to_numpy(float))


def _log_quartile_ratio(members: pd.DataFrame) -> float:
    low, high = np.quantile(_followed(members), (0.25, 0.75), method="inverted_cdf")
    return float(np.log(high / low))


def _deviations(members: pd.DataFrame) -> np.ndarray:
    """How far log t4 lies from its median, by member."""
    log_time = np.log(_followed(members))
    return np.abs(log_time - np.median(log_time))


def _larger_p(a: np.ndarray, b: np.ndarray) -> float:
    """One-sided permutation p that the mean of a is no larger than that of b (exact up to 65 536 relabellings)."""
    test = scipy.stats.permutation_test(
        (a, b), _difference, alternative="greater", n_resamples=2**16, rng=0, vectorized=True
    )
    return float(test.pvalue)


def _difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(a, axis=axis) - np.mean(b, axis=axis)


def exponential_law(
    tables: Tables,
    *,
    study: Study,
    close: Ratio,
    far: Ratio,
    critical: Share,
    least_budget: Steps,
    least_fractions: Count,
    least_members: Count,
) -> Verdict:
    """Two parts. The law: the exponential's AIC exceeds that of the best of exponential, power, offset power and
    threshold law by at most `close` (holds), by more than `far` (fails), or by something between (in doubt). The
    threshold: no member at a fraction below `critical` generalises by `least_budget` steps (holds), one does (fails).

    reproduced: both hold. not reproduced: both fail. partly: one holds and one fails, or the law is in doubt.
    undecided: steps to grokking at fewer than `least_fractions` fractions of `least_members` each, of which at least
    half generalise; or fewer than `least_members` below `critical` followed to `least_budget` with none generalised.
    """
    members = select(studied(tables["members"], tables["designs"], study), optimizer="adamw")
    if members.empty:
        return NOT_RUN
    fractions = members.groupby("fraction")["generalised"].agg(["size", "mean"])
    usable = fractions[(fractions["size"] >= least_members) & (fractions["mean"] >= 0.5)]
    laws = tables["scaling"]
    aic = laws[laws["source"] == "ours"].set_index("law")["aic"].dropna()
    below = members[members["fraction"] < critical]
    early, waiting = generalised_by(below, least_budget)
    worse = aic["exponential"] - aic.min() if "exponential" in aic else np.nan
    lowest = f"{of(early.sum(), len(below))} below {critical:g} generalise by {judged_by(below, least_budget)} steps"
    fitted = not np.isnan(worse)
    ranking = "no law fitted"
    if fitted:
        behind = f", AIC {worse:.1f} below the exponential's" if worse else ""
        ranking = f"best is the {law_name(aic.idxmin())}{behind}"
    verdict = Evidence(members, f"{ranking}; {lowest}")
    if len(usable) < least_fractions or not fitted:
        enough = f"half of at least {least_members} members generalise at {len(usable)} fractions"
        return verdict(UNDECIDED, f"For the laws {enough}; {least_fractions} are needed.")
    law = "holds" if worse <= close else "fails" if worse > far else "is in doubt"
    if not early.any() and (waiting.any() or len(below) < least_members):
        followed = f"{len(below)} members, followed {extent(below)}" if len(below) else "none was run"
        needed = (
            f"the critical fraction needs {least_members} members and {steps(least_budget)} steps below {critical:g}"
        )
        return verdict(UNDECIDED, f"The exponential law {law} ({ranking}), but {needed}: {followed}.")
    threshold = "fails" if early.any() else "holds"
    outcome = {("holds", "holds"): REPRODUCED, ("fails", "fails"): NOT_REPRODUCED}.get((law, threshold), PARTLY)
    return verdict(outcome, f"The exponential law {law} ({ranking}) and the critical fraction {threshold} ({lowest}).")


def law_name(law: str) -> str:
    return {"power_offset": "power law with offset"}.get(law, f"{law} law")


def symmetric_needs_less(
    tables: Tables, *, study: Study, symmetric: list[Operation], asymmetric: list[Operation], least_members: Count
) -> Verdict:
    """At equal fractions, which generalises sooner? Every seed compares each symmetric with each asymmetric operation
    at each fraction: +1 sooner, -1 later, 0 where equal or hidden by censoring (Gehan's scores). The mean by seed is
    tested against zero by exact sign flips, one-sided, for ordered and for unordered pairs. Whether operations differ
    at all: Friedman's test of the four operations' mean scores by seed, ordered pairs.

    reproduced: sooner for both kinds of pairs (p: the larger of the two). partly: sooner for ordered pairs only (the
    mirror in training explains it), or not sooner, but the operations differ and the symmetric ones are not later. not
    reproduced: the symmetric ones are later for ordered pairs (p at most 5 %). undecided: no test shows anything, fewer
    than `least_members` seeds, or no fraction at which more than half of every operation's members generalise.
    """
    members = select(studied(tables["members"], tables["designs"], study), operation=symmetric + asymmetric)
    if members.empty:
        return NOT_RUN
    kinds = {pairs: select(members, pairs=pairs) for pairs in ("ordered", "unordered")}
    scores = {pairs: _scores(kind, symmetric, asymmetric) for pairs, kind in kinds.items()}
    seeds = min(len(score) for score in scores.values())
    means = {pairs: score.mean() if len(score) else np.nan for pairs, score in scores.items()}
    balance = ", ".join(f"{pairs} {mean:+.2f}".replace("-", "−") for pairs, mean in means.items())
    needed = ", ".join(f"{name} {_data_needed(kinds['ordered'], name)}" for name in symmetric + asymmetric)
    measured = f"symmetric always sooner +1, always later −1: {balance}; least fraction (ordered): {needed}"
    if not seeds or not members["generalised"].any():
        measured = "no member generalised" if seeds else "cannot be compared"
    verdict = Evidence(members, measured)
    if seeds < least_members:
        return verdict(UNDECIDED, f"{seeds} seeds have run with every operation; at least {least_members} are needed.")
    if not all(_comparable(kind, symmetric + asymmetric) for kind in kinds.values()):
        return verdict(
            UNDECIDED, "There is no fraction at which more than half of every operation's members generalise."
        )
    sooner = {pairs: sign_flip_p(score) for pairs, score in scores.items()}
    text = f"{balance} (p {p_is(sooner['ordered'])} and {p_is(sooner['unordered'])}, {seeds} seeds)"
    verdict.p_value = max(sooner.values())
    if significant(verdict.p_value):
        return verdict(
            REPRODUCED, f"Symmetric operations generalise sooner, with their mirrors in training or not: {text}."
        )
    if significant(sooner["ordered"]) and means["unordered"] <= 0:
        verdict.p_value = sooner["ordered"]
        return verdict(
            PARTLY, f"Symmetric operations are sooner only while mirrors of validation pairs are in training: {text}."
        )
    if means["ordered"] > 0:
        return verdict(
            UNDECIDED,
            f"Symmetric operations are sooner on average, but not beyond chance with both kinds of pairs: {text}.",
        )
    later, differ = sign_flip_p(-scores["ordered"]), _friedman_p(kinds["ordered"], symmetric + asymmetric)
    if significant(later):
        return verdict(NOT_REPRODUCED, f"Symmetric operations generalise later, not sooner: {text}.")
    if significant(differ):
        verdict.p_value = differ
        return verdict(PARTLY, f"Operations differ (Friedman p {p_is(differ)}), but not by their symmetry: {text}.")
    return verdict(
        UNDECIDED,
        f"No difference shows, of the operations (Friedman p {p_is(differ)}) or by their symmetry: {text}.",
    )


def _scores(members: pd.DataFrame, symmetric: list[str], asymmetric: list[str]) -> np.ndarray:
    """Mean Gehan score of `symmetric` over `asymmetric` by seed, float (seeds,); only seeds that all have at a
    fraction."""
    rows = []
    for _, group in members.groupby("fraction"):
        by_name = {name: own.set_index("seed") for name, own in group.groupby("operation")}
        if not {*symmetric, *asymmetric} <= by_name.keys():
            continue
        shared = sorted(set.intersection(*(set(own.index) for own in by_name.values())))
        for a, b in product(symmetric, asymmetric):
            rows.append(pd.Series(_sooner(by_name[a].loc[shared], by_name[b].loc[shared]), index=shared))
    return pd.concat(rows, axis=1).mean(axis=1).to_numpy() if rows else np.zeros(0)


def _sooner(a: pd.DataFrame, b: pd.DataFrame) -> np.ndarray:
    """+1 where a generalises before b, -1 where after, 0 where that is equal or hidden by censoring; row by row."""
    (time_a, event_a), (time_b, event_b) = survival.durations(a), survival.durations(b)
    return (event_a & (time_a < time_b)).astype(float) - (event_b & (time_b < time_a))


def _friedman_p(members: pd.DataFrame, operations: list[str]) -> float:
    """p that all operations are alike, of their mean Gehan scores against one another by seed."""
    columns = [_scores(members, [name], [other for other in operations if other != name]) for name in operations]
    spread = np.ptp(np.array(columns), axis=0)
    return float(scipy.stats.friedmanchisquare(*columns).pvalue) if spread.any() else 1.0


def _comparable(members: pd.DataFrame, operations: list[str]) -> bool:
    """Whether at some fraction more than half of every operation's members generalise."""
    shares = members.groupby(["fraction", "operation"])["generalised"].mean().unstack()
    return bool((shares.reindex(columns=operations) > 0.5).all(axis=1).any())


def _data_needed(members: pd.DataFrame, operation: str) -> str:
    """Smallest fraction at which more than half of the operation's members generalise."""
    shares = select(members, operation=operation).groupby("fraction")["generalised"].mean()
    enough = shares.index[shares > 0.5]
    return f"{enough.min():g}" if len(enough) else "more"


def capacity_necessary_not_sufficient(
    tables: Tables, *, study: Study, least_budget: Steps, least_members: Count
) -> Verdict:
    """An architecture has the capacity if more than half of its members memorise. Not sufficient: at some architecture
    that has it, at least half of the members that memorise do not generalise by `least_budget` steps; in part: fewer do
    not. Necessary: there are architectures without it, and no member generalises there or anywhere without memorising;
    untested: all have it.

    reproduced: not sufficient, and necessary. partly: one of them, or not sufficient in part. not reproduced: neither.
    undecided: fewer than `least_members` at an architecture, or members not followed to `least_budget` could change it.
    """
    members = studied(tables["members"], tables["designs"], study)
    if members.empty:
        return NOT_RUN
    memorised, cell = members["t2"].notna(), members["cell"]
    yes, waiting = generalised_by(members, least_budget)
    fitted = f"{of((memorised & yes).sum(), memorised.sum())} members that memorise"
    measured = f"{fitted}, and {of((~memorised & yes).sum(), (~memorised).sum())} that do not, generalise"
    verdict = Evidence(members, measured)
    sizes = cell.value_counts()
    if sizes.min() < least_members:
        return verdict(UNDECIDED, too_few(sizes.min(), least_members, "members of an architecture"))
    endings = ((memorised, yes), (memorised | waiting, yes), (memorised | waiting, yes | waiting))
    if len({_capacity(*ending, cell)[0] for ending in endings}) > 1:
        return verdict(
            UNDECIDED, f"{of(waiting.sum(), len(members))} members were not followed for {steps(least_budget)} steps."
        )
    outcome, text = _capacity(memorised, yes, cell)
    return verdict(outcome, f"{text}: {measured}.")


def _capacity(memorised: pd.Series, yes: pd.Series, cell: pd.Series) -> tuple[str, str]:
    """(verdict, text) of members that memorise and generalise."""
    facts = pd.DataFrame({"n": 1, "memorised": memorised, "yes": yes, "stuck": memorised & ~yes}).groupby(cell).sum()
    capable = 2 * facts["memorised"] > facts["n"]
    stuck, able = facts.loc[capable, "stuck"], facts.loc[capable, "memorised"]
    insufficient = bool((2 * stuck >= able).any())
    in_part = bool((stuck > 0).any())
    tested = bool((~capable).any())
    necessary = tested and not facts.loc[~capable, "yes"].any() and not (yes & ~memorised).any()
    first = "necessary" if necessary else "not necessary" if tested else "never lacking, so that its need is untested,"
    second = "not sufficient" if insufficient else "not always sufficient" if in_part else "sufficient"
    outcome = REPRODUCED if insufficient and necessary else PARTLY if in_part or necessary else NOT_REPRODUCED
    return outcome, f"Capacity to memorise is {first} and {second}"


def one_parameter_count(tables: Tables, *, modulus: Count, tolerance: Share) -> Verdict:
    """Is there one embedding width (1 to 512) at which every row of the report's Table 3 has the parameters it is said
    to have, within a share of `tolerance`? Counted exactly, without any run, in the most favourable of twelve readings:
    one embedding table or two, with biases or without, one hidden layer fewer than printed, as printed, or one more.

    reproduced: every row. partly: more than half of the rows. not reproduced: fewer. Never undecided, as nothing is
    run.
    """
    rows = {shape: row["parameters"] for shape, row in ARCHITECTURES.items()}
    widths, readings = np.arange(1, 513), list(product((2, 1), (1, 0), (0, 1, -1)))

    def fits(reading: tuple[int, int, int]) -> np.ndarray:
        tables, biases, more = reading
        counts = [parameters(modulus, widths, hidden, layers + more, tables, biases) for hidden, layers in rows]
        reported = np.array(list(rows.values()))[:, None]
        return np.abs(np.array(counts) - reported) <= tolerance * reported

    matched = {reading: fits(reading).sum(axis=0) for reading in readings}
    favourable = max(readings, key=lambda reading: matched[reading].max())
    most, described = int(matched[favourable].max()), matched[readings[0]]
    nearest = ", ".join(
        f"{hidden} × {layers}: {widths[np.abs(parameters(modulus, widths, hidden, layers) - count).argmin()]}"
        for (hidden, layers), count in rows.items()
    )
    measured = (
        f"one embedding width fits {of(described.max(), len(rows))} rows; the width that comes nearest is {nearest}"
    )
    share = f"at most {of(described.max(), len(rows))} of the reported counts to within {percent(tolerance)}"
    reason = (
        f"In the model as described a single embedding width gives {share}, in the most favourable reading "
        f"{of(most, len(rows))}; row by row the nearest width is {nearest}."
    )
    outcome = REPRODUCED if most == len(rows) else PARTLY if 2 * most > len(rows) else NOT_REPRODUCED
    return Verdict(outcome, reason, measured)


def parameters(modulus: int, embedding, hidden: int, layers: int, tables: int = 2, biases: int = 1):
    """Parameters of the report's MLP: `tables` embeddings of `modulus` x `embedding`, both operands concatenated,
    `layers` hidden layers, logits; int, of the shape of `embedding`."""
    widths = [2 * embedding, *[hidden] * layers, modulus]
    return tables * modulus * embedding + sum((fan_in + biases) * fan_out for fan_in, fan_out in pairwise(widths))


def sudden_transition(tables: Tables, *, within: Steps, few_hundred: Steps, least_members: Count) -> Verdict:
    """Steps from the last validation accuracy of at most 5 % to the first of at least 99 %, known up to the evaluations
    around both, of every member that generalises.

    reproduced: most take at most `within`. not reproduced: most take at least `few_hundred`, by their lower bounds.
    partly: most take more than `within` by their lower bounds and at most `few_hundred` by their upper bounds.
    undecided: else (too few members to tell, or evaluations too far apart), or fewer than `least_members`.
    """
    members = tables["transition"].dropna(subset="width")
    if tables["transition"].empty:
        return NOT_RUN
    n, sudden = len(members), int((members["width"] <= within).sum())
    low, high = members["width_after"].median(), members["width"].median()
    verdict = Evidence(members, f"median {steps(low)} to {steps(high)} steps ({of(sudden, n)} within {steps(within)})")
    if n < least_members:
        verdict.measured = verdict.measured if n else "no member generalised"
        return verdict(UNDECIDED, too_few(n, least_members, "members with a transition"))
    verdict.p_value = majority_p(sudden, n)
    text = f"the median transition takes {steps(low)} to {steps(high)} steps, {of(sudden, n)} at most {steps(within)}"
    if most(sudden, n):
        return verdict(REPRODUCED, f"Most transitions are that sudden: {text}.")
    if most(int((members["width_after"] >= few_hundred).sum()), n):
        return verdict(NOT_REPRODUCED, f"Most transitions take longer than a few hundred steps: {text}.")
    hundreds = int(((members["width_after"] >= within) & (members["width"] <= few_hundred)).sum())
    if most(hundreds, n):
        verdict.p_value = majority_p(hundreds, n)
        return verdict(PARTLY, f"Most transitions take a few hundred steps, not {steps(within)}: {text}.")
    return verdict(UNDECIDED, f"Too few members, or evaluations too far apart, to say what most do: {text}.")


def early_stopping_cuts(tables: Tables, *, rule: Rule, patiences: list[Steps], least_members: Count) -> Verdict:
    """Of the members that generalise, those that stopping on `rule` would have ended before, for each of `patiences`
    (steps).

    reproduced: most, at every patience. partly: most at some patience, or more than half at every one. not reproduced:
    most are not cut, at every patience. undecided: else, fewer than `least_members` generalise, or a patience is not in
    the table.
    """
    table = select(tables["early_stopping"], rule=rule, patience=patiences).sort_values("patience")
    members = select(
        studied(tables["members"], tables["designs"], "data_fraction"), optimizer="adamw", generalised=True
    )
    if table.empty or not table["n"].max():
        return replace(NOT_RUN, reason="No member generalises at this scale, so there is nothing to cut.")
    n = int(table["n"].min())
    shares = ", ".join(f"{steps(row.patience)}: {of(row.cut, row.n)}" for row in table.itertuples())
    verdict = Evidence(members, f"cut before they generalise, by patience in steps: {shares}")
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members, "members that generalise"))
    if len(table) < len(patiences):
        return verdict(
            UNDECIDED, f"Of the patiences {', '.join(map(steps, patiences))} only {len(table)} are in the table."
        )
    p = [majority_p(int(row.cut), int(row.n)) for row in table.itertuples()]
    verdict.p_value = max(p)
    text = f"stopping on {rule.replace('_', ' ')} cuts members that would generalise, by patience {shares}"
    if significant(max(p)):
        return verdict(REPRODUCED, f"At every patience {text}.")
    if significant(min(p)) or (table["share"] > 0.5).all():
        return verdict(PARTLY, f"Not at every patience for most: {text}.")
    if all(most(int(row.n - row.cut), int(row.n)) for row in table.itertuples()):
        return verdict(NOT_REPRODUCED, f"At every patience most are spared: {text}.")
    return verdict(UNDECIDED, f"Too few members to tell what happens to most: {text}.")


def smaller_and_faster(
    tables: Tables, *, study: Study, fewer: Ratio, faster: Ratio, tolerance: Share, least_members: Count
) -> Verdict:
    """The Transformer against the perceptron. Fewer: it has at least `fewer` times the parameters, within a share of
    `tolerance`, counted exactly. Faster: the perceptron takes at least `faster` times the steps a second, by the lower
    quartile of the repetitions; not faster: by their upper quartile it does not. The same: of each most members grok.

    not reproduced: not fewer, since counts need no run and the claim is of all three. reproduced: all three. partly:
    fewer, and either of the others fails (most members of one diverge or generalise without delay). undecided: else, or
    fewer than `least_members` of either.
    """
    table = tables["against_transformer"].set_index("architecture")
    if not {"mlp", "transformer"} <= set(table.index):
        return NOT_RUN
    members = studied(tables["members"], tables["designs"], study)
    row = table.loc["transformer"]
    groups = {name: select(members, architecture=name) for name in ("mlp", "transformer")}
    counts = " against ".join(steps(table.loc[name, "n_parameters"]) for name in ("transformer", "mlp"))
    speed, speed_low, speed_high = (1 / row[f"speed_ratio{end}"] for end in ("", "_high", "_low"))
    measured = f"{number(row['parameters_ratio'])} times fewer parameters ({counts})"
    if np.isfinite(speed):
        measured += (
            f", {number(speed)} times the steps a second (quartiles {number(speed_low)} and {number(speed_high)})"
        )
    verdict = Evidence(members, measured)
    if row["parameters_ratio"] < (1 - tolerance) * fewer:
        return verdict(NOT_REPRODUCED, f"The counts alone refute {fewer:g} times: {measured}.")
    if not np.isfinite(speed):
        return verdict(UNDECIDED, f"Speeds were not measured: {measured}.")
    if thin := too_thin({f"of the {NAMES[name]}": group for name, group in groups.items()}, least_members):
        return verdict(UNDECIDED, thin)
    yes = {name: int(group["grokked"].sum()) for name, group in groups.items()}
    open_ = {name: int((~group["generalised"] & ~group["diverged"]).sum()) for name, group in groups.items()}
    shares = ", ".join(f"{of(yes[name], len(group))} members of the {NAMES[name]}" for name, group in groups.items())
    verdict.p_value = max(majority_p(yes[name], len(group)) for name, group in groups.items())
    same = significant(verdict.p_value)
    other = any(most(len(group) - yes[name] - open_[name], len(group)) for name, group in groups.items())
    text = f"{measured}; {shares} grok"
    if same and speed_low >= faster:
        return verdict(REPRODUCED, f"Smaller, faster, and both grok: {text}.")
    if other or speed_high < faster:
        failing = "not the same grokking" if other else f"not {faster:g} times as fast"
        verdict.p_value = None
        return verdict(PARTLY, f"Smaller, but {failing}: {text}.")
    return verdict(UNDECIDED, f"Smaller, but whether it is as fast and groks alike is open: {text}.")


def less_compute(tables: Tables, *, study: Study, factor: Ratio, least_members: Count) -> Verdict:
    """Compute to t4, in FLOPs and in seconds (t4 times FLOPs a step, t4 over steps a second, by the median ratio of the
    repetitions): does the Transformer need at least `factor` times the perceptron's? Each is a one-sided exact log-rank
    test of the Transformer's compute against `factor` times the perceptron's, as is the opposite, that it needs less.

    The verdict is that of `jointly` on FLOPs and seconds; undecided with fewer than `least_members` of either, or
    without a measured speed. The results are identical in that every member is followed to the same accuracy.
    """
    table = tables["against_transformer"].set_index("architecture")
    members = studied(tables["members"], tables["designs"], study)
    small, large = (select(members, architecture=name) for name in ("mlp", "transformer"))
    if not {"mlp", "transformer"} <= set(table.index) or members.empty:
        return NOT_RUN
    row = table.loc["transformer"]
    measured = f"{row['flops_ratio_text']} the FLOPs and {row['seconds_ratio_text']} the seconds to t4"
    measured = measured if np.isfinite(row["steps_ratio"]) else "no median steps to compare"
    verdict = Evidence(members, measured)
    if thin := too_thin({"of the perceptron": small, "of the Transformer": large}, least_members):
        return verdict(UNDECIDED, thin)
    if not np.isfinite(row["speed_ratio"]):
        return verdict(UNDECIDED, f"Speeds were not measured: {measured}.")

    def test(cost: float) -> tuple[float, float]:
        return sooner_p([timed(small, level=1, factor=factor), timed(large, level=0, factor=cost)])

    tests = {"in FLOPs": test(row["flops_per_step_ratio"]), "in seconds": test(1 / row["speed_ratio"])}
    return jointly(verdict, tests, f"the Transformer needs {measured}, against a claim of {factor:g} times")


TABLES = ("members", "designs", "histories", "scaling", "transition", "early_stopping", "against_transformer")
CRITERIA = (
    grokking_exists,
    never_generalises,
    inconsistent,
    generalises_everywhere,
    slow_and_erratic,
    exponential_law,
    symmetric_needs_less,
    capacity_necessary_not_sufficient,
    one_parameter_count,
    sudden_transition,
    early_stopping_cuts,
    smaller_and_faster,
    less_compute,
)
