"""How each claim is judged: named pure functions (tables, parameters) -> Verdict, written before any run was seen.

Their parameters stand in claims.yaml. Each docstring is the rule in full. Common to all:

- A member that has neither generalised nor been followed far enough is open; a verdict is given only if it would be the
  same whatever the open members did. What a claim of "never" or "limited" means is bound to a budget, and below it is
  undecided.
- "Most" members do something if a one-sided exact sign test says so at 5 % (5 of 5, 7 of 8, 9 of 10); a median needs 6
  members.
- "not reproduced" rests on evidence against the claim: a counterexample, or a test of the opposite. Where a test finds
  nothing either way, the verdict is undecided.
- `p_value` is that of the test on which "reproduced" or "partly" would rest, so that a small one speaks for the claim.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Annotated, Literal, get_args

import numpy as np
import pandas as pd
import scipy
from pydantic import Field

from ..cell import Cell
from . import early_stopping, optimizer_best, survival
from .format import p_value as p_text
from .format import percent, steps
from .reported import ARCHITECTURES
from .summary import studied

REPRODUCED, PARTLY, NOT_REPRODUCED, UNDECIDED = "reproduced", "partly", "not reproduced", "undecided"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, UNDECIDED)
LEVEL = 0.05
TABLES = ("members", "designs", "histories", "scaling", "transition", "early_stopping")
"""The tables that the criteria read."""


def _names(part: str, setting: str) -> object:
    """The type of the names that a setting of a cell may have."""
    part = Cell.model_fields[part].annotation
    return Literal[
        tuple(name for kind in get_args(part) or [part] for name in get_args(kind.model_fields[setting].annotation))
    ]


Tables = Mapping[str, pd.DataFrame]
Study = Annotated[str, Field(description="One of the studies that the claim needs.")]
Operation = _names("task", "operation")
Optimizer = _names("optimizer", "name")
Precision = _names("loss", "precision")
Rule = Literal[tuple(early_stopping.RULES)]
Count = Annotated[int, Field(ge=1)]
Steps = Count
Share = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Verdict:
    """verdict: one of VERDICTS; reason: a sentence with the numbers it rests on; cells, n: the evidence's cells and
    members."""

    verdict: str
    reason: str
    measured: str
    cells: tuple[str, ...] = ()
    n: int = 0
    p_value: float | None = None


def undecided(verdict: Verdict, reason: str) -> Verdict:
    """`verdict` taken back, for `reason`."""
    return replace(verdict, verdict=UNDECIDED, reason=reason)


def significant(p: float) -> bool:
    """Whether p is at most `LEVEL`; exact tests give values such as 1 / 20, so rounding is allowed for."""
    return p <= LEVEL * (1 + 1e-9)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjusted p-values of one family."""
    adjusted, largest = {}, 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p))
        adjusted[name] = largest
    return adjusted


# What the criteria share


def _select(members: pd.DataFrame, **where: object) -> pd.DataFrame:
    """Rows whose columns equal `where`; a list means one of its values."""
    for column, value in where.items():
        values = value if isinstance(value, list) else [value]
        members = members[members[column].isin(values)]
    return members


def _reach(members: pd.DataFrame, horizon: float) -> str:
    """The step by which something may be said of `members`: `horizon`, or how far they were to be followed."""
    return steps(min(horizon, members["budget"].max()) if len(members) else horizon)


def _generalised_by(members: pd.DataFrame, horizon: float) -> tuple[pd.Series, pd.Series]:
    """(yes, open): bool by member, whether t4 <= horizon, and whether it was not followed far enough to say."""
    yes = members["t4"] <= horizon
    followed = members["generalised"] | members["diverged"] | (members["last_step"] >= horizon)
    return yes, ~yes & ~followed


def _majority_p(yes: int, n: int) -> float:
    """One-sided exact sign test that more than half of a population does what `yes` of `n` did."""
    return float(scipy.stats.binomtest(yes, n, 0.5, alternative="greater").pvalue) if n else 1.0


def _most(yes: int, n: int) -> bool:
    return significant(_majority_p(yes, n))


def _of(count: int, n: int) -> str:
    return f"{count} of {n}"


def _too_few(n: int, least: int, what: str = "members") -> str:
    return f"{n} {what} are too few: at least {least} are needed."


def _range(members: pd.DataFrame) -> str:
    """How far members were followed: "to 300 steps", "to between 300 and 20 000 steps"."""
    least, most = members["last_step"].min(), members["last_step"].max()
    return f"to {steps(least)} steps" if least == most else f"to between {steps(least)} and {steps(most)} steps"


def _median(members: pd.DataFrame) -> float:
    return survival.median(*survival.durations(members)).value


def _reached(value: float) -> str:
    return f"{steps(value)} steps" if np.isfinite(value) else "not reached"


@dataclass
class _Evidence:
    """Makes verdicts on the same members."""

    members: pd.DataFrame
    measured: str
    p_value: float | None = None

    def __call__(self, verdict: str, reason: str) -> Verdict:
        cells = tuple(sorted(set(self.members["cell"])))
        return Verdict(verdict, reason, self.measured, cells, len(self.members), self.p_value)


NOT_RUN = Verdict(UNDECIDED, "Nothing that bears on it was run at this scale.", "not run")


# The criteria


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
    members = _select(studied(tables["members"], tables["designs"], study), fraction=fraction, pairs="ordered")
    members = _select(members, operation=operations)
    if members.empty:
        return NOT_RUN
    missing = [name for name in operations if name not in set(members["operation"])]
    late = members["grokked"]
    groks = late & (_accuracy_at(members, tables["histories"], "t2") <= memorising)
    waiting = ~members["generalised"] & ~members["diverged"] & (members["last_step"] < least_budget)
    by_operation = [(name, members["operation"] == name) for name in operations if name not in missing]
    n, shares = len(members), ", ".join(f"{name} {_of(groks[at].sum(), at.sum())}" for name, at in by_operation)
    measured = f"{_of(groks.sum(), n)} members grok ({shares})"
    if late.any():
        measured += f", {steps(members.loc[late, 'delay'].median())} steps (median) after memorising"
    verdict = _Evidence(members, measured)

    def everywhere(yes: pd.Series) -> bool:
        return _most(int(yes.sum()), n) and all(2 * yes[at].sum() > at.sum() for _, at in by_operation)

    if missing:
        return verdict(UNDECIDED, f"Nothing was run for {', '.join(missing)} at fraction {fraction:g}.")
    if n < least_members:
        return verdict(UNDECIDED, _too_few(n, least_members))
    if not everywhere(groks) and (everywhere(groks | waiting) or (waiting.any() and not late.any())):
        return verdict(
            UNDECIDED, f"{_of(waiting.sum(), n)} members were followed for less than {steps(least_budget)} steps."
        )
    verdict.p_value = _majority_p(int(groks.sum()), n)
    if everywhere(groks):
        return verdict(REPRODUCED, f"{measured}, most of all and more than half with every operation.")
    if late.any():
        grokking = f"only {_of(groks.sum(), n)} from a validation accuracy of at most {percent(memorising)} ({shares})"
        return verdict(PARTLY, f"{_of(late.sum(), n)} members generalise 1 000 steps or more late, but {grokking}.")
    return verdict(NOT_REPRODUCED, f"None of {n} members generalises late; each was followed {_range(members)}.")


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
    members = _select(everyone, loss_precision=loss_precision)
    control = _select(everyone, loss_precision=control_precision)
    decayed = _select(studied(tables["members"], tables["designs"], contrast_study), fraction=contrast_fraction)
    if members.empty:
        return NOT_RUN
    n, generalised = len(members), int(members["generalised"].sum())
    accuracy, best = members["final_val_acc"].median(), members["best_val_acc"]
    measured = (
        f"{_of(generalised, n)} generalise, validation {percent(accuracy, 1)} (median), followed {_range(members)}"
    )
    verdict = _Evidence(pd.concat([members, control, decayed]), measured)
    if generalised:
        first = steps(members["t4"].min())
        return verdict(
            NOT_REPRODUCED, f"{_of(generalised, n)} generalise without weight decay, the first at {first} steps."
        )
    if n < least_members:
        return verdict(UNDECIDED, _too_few(n, least_members))
    reach = int((best >= far).sum())
    left = f"{_of(reach, n)} reach {percent(far)}, the median of the best is {percent(best.median(), 1)}"
    if _most(reach, n):
        return verdict(
            NOT_REPRODUCED, f"None of {n} generalises, but validation leaves the reported value far behind: {left}."
        )
    if 2 * reach > n:
        return verdict(UNDECIDED, f"None of {n} generalises, and it may be chance how many come far: {left}.")
    if (~members["diverged"] & (members["last_step"] < least_budget)).any():
        return verdict(
            UNDECIDED,
            f"Members were followed {_range(members)}; 'never' is judged from {steps(least_budget)} steps on.",
        )
    memorised = int(members["t2"].notna().sum())
    if 2 * memorised <= n:
        return verdict(PARTLY, f"None of {n} generalises, but only {_of(memorised, n)} memorise the training set.")
    if accuracy > near:
        ends = f"the median validation accuracy ends at {percent(accuracy, 1)}, above {percent(near)}"
        return verdict(PARTLY, f"None of {n} generalises, but {ends}.")
    if len(control) < least_members or (~control["diverged"] & (control["last_step"] < least_budget)).any():
        return verdict(UNDECIDED, f"None of {n} generalises, but the control with {control_precision} is still open.")
    freed = int((control["generalised"] | (control["best_val_acc"] >= far)).sum())
    controlled = f"with the loss in {control_precision} {_of(freed, len(control))} reach {percent(far)} or more"
    if freed:
        return verdict(PARTLY, f"None of {n} generalises, but {controlled}, so arithmetic has a part in it.")
    yes, waiting = _generalised_by(decayed, least_budget)
    verdict.p_value = p = _fisher(int(yes.sum()), len(decayed), 0, n)
    contrast = f"with decay {_of(yes.sum(), len(decayed))} do (Fisher p {_p(p)})"
    if significant(p):
        followed = f"None of {n} generalises by {steps(members['last_step'].min())} steps, while {contrast}"
        return verdict(REPRODUCED, f"{followed}; {controlled}.")
    if waiting.any() or not significant(_fisher(len(decayed), len(decayed), 0, n)):
        return verdict(
            UNDECIDED, f"None of {n} generalises, but {contrast}: too few or followed too short a way to tell."
        )
    return verdict(
        PARTLY, f"None of {n} generalises, but {contrast}, so decay makes no difference that could be shown."
    )


def _fisher(yes_a: int, n_a: int, yes_b: int, n_b: int) -> float:
    """One-sided p that a does it no more often than b."""
    return float(scipy.stats.fisher_exact([[yes_a, n_a - yes_a], [yes_b, n_b - yes_b]], alternative="greater").pvalue)


def _p(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


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
    literal = _select(studied(members, designs, study), optimizer=optimizer)
    literal = literal[literal["weight_decay"] > 0]
    tuned = cross_fitted(_select(studied(members, designs, sweep), optimizer=optimizer), designs)
    if literal.empty and tuned.empty:
        return NOT_RUN
    as_stated = _consistency(literal, least_budget, least_members)
    best = _consistency(tuned, least_budget_tuned, least_members)
    memorised = int(literal["t2"].notna().sum())
    stated = f"{_of(literal['generalised'].sum(), len(literal))} generalise and {_of(memorised, len(literal))} memorise"
    text = f"as stated {stated}, tuned {_of(tuned['generalised'].sum(), len(tuned))} generalise"
    verdict = _Evidence(pd.concat([literal, tuned]), text)
    if as_stated == "consistent":
        return verdict(NOT_REPRODUCED, f"It generalises consistently: {text}.")
    if as_stated is None:
        there = f"has {len(literal)} members, followed {_range(literal)}" if len(literal) else "was not run"
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
    yes, waiting = _generalised_by(members, horizon)
    kinds = {_kind(int(yes.sum()) + more, len(members)) for more in range(int(waiting.sum()) + 1)}
    return kinds.pop() if len(kinds) == 1 else None


def _kind(yes: int, n: int) -> str:
    return "none" if yes == 0 else "consistent" if _most(yes, n) else "mixed"


def cross_fitted(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """The members of one optimiser's sweep that table `optimizer_best` reports: the best point of the even seeds on the
    odd ones, and vice versa. Empty with one parity of seeds only."""
    odd = members["seed"] % 2 == 1
    if odd.all() or not odd.any():
        return members.head(0)
    halves = (members[odd], members[~odd])
    return pd.concat(
        half[half["cell"] == optimizer_best.best(other, designs)["cell"]] for half, other in (halves, halves[::-1])
    )


def generalises_everywhere(
    tables: Tables, *, study: Study, fractions: list[Share], horizon: Steps, least_members: Count
) -> Verdict:
    """AdamW's members of every one of `fractions`; fast means by `horizon` steps.

    reproduced: every member generalises by then, at every fraction, with at least `least_members` each. not reproduced:
    at some fraction most members do not (one such fraction refutes "every"). partly: else, if a minority at some
    fraction does not. undecided: else, or a fraction was not run.
    """
    members = _select(studied(tables["members"], tables["designs"], study), fraction=fractions, optimizer="adamw")
    if members.empty:
        return NOT_RUN
    yes, waiting = _generalised_by(members, horizon)
    counts = pd.DataFrame({"n": 1, "yes": yes, "open": waiting}).groupby(members["fraction"]).sum()
    shares = ", ".join(f"{fraction:g}: {_of(row.yes, row.n)}" for fraction, row in counts.iterrows())
    measured = f"generalise by {_reach(members, horizon)} steps at fraction {shares}"
    verdict = _Evidence(members, measured)
    failing = [fraction for fraction, row in counts.iterrows() if _most(row.n - row.yes - row.open, row.n)]
    missing = [f"{fraction:g}" for fraction in fractions if fraction not in counts.index]
    if failing:
        at = ", ".join(f"{fraction:g}" for fraction in failing)
        return verdict(NOT_REPRODUCED, f"Most members fail at fraction {at}: they {measured}.")
    if missing:
        return verdict(UNDECIDED, f"Fraction {', '.join(missing)} was not run at this scale.")
    if (counts["n"] < least_members).any():
        return verdict(UNDECIDED, _too_few(counts["n"].min(), least_members, "members a fraction"))
    if counts["open"].any():
        return verdict(
            UNDECIDED,
            f"{_of(counts['open'].sum(), len(members))} members were not followed for {steps(horizon)} steps.",
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
        PARTLY, f"All but {_of((~yes).sum(), len(members))} members, a minority at each fraction, {measured}."
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
    tuned = cross_fitted(_select(swept, optimizer=optimizer), designs)
    rival = cross_fitted(_select(swept, optimizer=reference), designs)
    literal = _select(studied(members, designs, study), optimizer=optimizer)
    if tuned.empty or rival.empty:
        return NOT_RUN
    median, target = _median(tuned), _median(rival)
    generalised = _of(tuned["generalised"].sum(), len(tuned))
    measured = f"tuned {_reached(median)} ({generalised} generalise) against {_reached(target)}"
    if len(literal):
        measured += f"; as stated {_of(literal['t2'].notna().sum(), len(literal))} memorise"
    verdict = _Evidence(pd.concat([tuned, rival, literal]), measured)
    if min(len(tuned), len(rival)) < least_members:
        return verdict(UNDECIDED, _too_few(min(len(tuned), len(rival)), least_members))
    if not np.isfinite(target):
        return verdict(
            UNDECIDED, f"The median of {reference} is not reached either, so there is nothing to compare with."
        )
    waiting = ~tuned["generalised"] & ~tuned["diverged"] & (tuned["last_step"] < ratio * target)
    if waiting.any():
        reach = f"{ratio:g} times the median of {reference}"
        return verdict(UNDECIDED, f"{_of(waiting.sum(), len(tuned))} members were not followed for {reach}.")
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
    quartiles = f"quartiles {np.exp(widths[0]):.2g} times apart against {np.exp(widths[1]):.2g} (p {_p(p_erratic)})"
    text = f"{measured}; log-rank p {_p(p)}; {quartiles}"
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
    members = _select(studied(tables["members"], tables["designs"], study), optimizer="adamw")
    if members.empty:
        return NOT_RUN
    fractions = members.groupby("fraction")["generalised"].agg(["size", "mean"])
    usable = fractions[(fractions["size"] >= least_members) & (fractions["mean"] >= 0.5)]
    laws = tables["scaling"]
    aic = laws[laws["source"] == "ours"].set_index("law")["aic"].dropna()
    below = members[members["fraction"] < critical]
    early, waiting = _generalised_by(below, least_budget)
    worse = aic["exponential"] - aic.min() if "exponential" in aic else np.nan
    lowest = f"{_of(early.sum(), len(below))} below {critical:g} generalise by {_reach(below, least_budget)} steps"
    fitted = not np.isnan(worse)
    ranking = "no law fitted"
    if fitted:
        behind = f", AIC {worse:.1f} below the exponential's" if worse else ""
        ranking = f"best is the {law_name(aic.idxmin())}{behind}"
    verdict = _Evidence(members, f"{ranking}; {lowest}")
    if len(usable) < least_fractions or not fitted:
        enough = f"half of at least {least_members} members generalise at {len(usable)} fractions"
        return verdict(UNDECIDED, f"For the laws {enough}; {least_fractions} are needed.")
    law = "holds" if worse <= close else "fails" if worse > far else "is in doubt"
    if not early.any() and (waiting.any() or len(below) < least_members):
        followed = f"{len(below)} members, followed {_range(below)}" if len(below) else "none was run"
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
    members = _select(studied(tables["members"], tables["designs"], study), operation=symmetric + asymmetric)
    if members.empty:
        return NOT_RUN
    kinds = {pairs: _select(members, pairs=pairs) for pairs in ("ordered", "unordered")}
    scores = {pairs: _scores(kind, symmetric, asymmetric) for pairs, kind in kinds.items()}
    seeds = min(len(score) for score in scores.values())
    means = {pairs: score.mean() if len(score) else np.nan for pairs, score in scores.items()}
    balance = ", ".join(f"{pairs} {mean:+.2f}".replace("-", "−") for pairs, mean in means.items())
    needed = ", ".join(f"{name} {_data_needed(kinds['ordered'], name)}" for name in symmetric + asymmetric)
    measured = f"symmetric always sooner +1, always later −1: {balance}; least fraction (ordered): {needed}"
    if not seeds or not members["generalised"].any():
        measured = "no member generalised" if seeds else "cannot be compared"
    verdict = _Evidence(members, measured)
    if seeds < least_members:
        return verdict(UNDECIDED, f"{seeds} seeds have run with every operation; at least {least_members} are needed.")
    if not all(_comparable(kind, symmetric + asymmetric) for kind in kinds.values()):
        return verdict(
            UNDECIDED, "There is no fraction at which more than half of every operation's members generalise."
        )
    sooner = {pairs: _sign_flip_p(score) for pairs, score in scores.items()}
    text = f"{balance} (p {_p(sooner['ordered'])} and {_p(sooner['unordered'])}, {seeds} seeds)"
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
    later, differ = _sign_flip_p(-scores["ordered"]), _friedman_p(kinds["ordered"], symmetric + asymmetric)
    if significant(later):
        return verdict(NOT_REPRODUCED, f"Symmetric operations generalise later, not sooner: {text}.")
    if significant(differ):
        verdict.p_value = differ
        return verdict(PARTLY, f"Operations differ (Friedman p {_p(differ)}), but not by their symmetry: {text}.")
    return verdict(
        UNDECIDED,
        f"No difference shows, of the operations (Friedman p {_p(differ)}) or by their symmetry: {text}.",
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


def _sign_flip_p(scores: np.ndarray) -> float:
    """One-sided exact permutation p of a mean above zero (65 536 random flips beyond 16 scores)."""
    if not scores.any():
        return 1.0
    test = scipy.stats.permutation_test(
        (scores,), np.mean, permutation_type="samples", alternative="greater", n_resamples=2**16, rng=0, vectorized=True
    )
    return float(test.pvalue)


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
    shares = _select(members, operation=operation).groupby("fraction")["generalised"].mean()
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
    yes, waiting = _generalised_by(members, least_budget)
    fitted = f"{_of((memorised & yes).sum(), memorised.sum())} members that memorise"
    measured = f"{fitted}, and {_of((~memorised & yes).sum(), (~memorised).sum())} that do not, generalise"
    verdict = _Evidence(members, measured)
    sizes = cell.value_counts()
    if sizes.min() < least_members:
        return verdict(UNDECIDED, _too_few(sizes.min(), least_members, "members of an architecture"))
    endings = ((memorised, yes), (memorised | waiting, yes), (memorised | waiting, yes | waiting))
    if len({_capacity(*ending, cell)[0] for ending in endings}) > 1:
        return verdict(
            UNDECIDED, f"{_of(waiting.sum(), len(members))} members were not followed for {steps(least_budget)} steps."
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
        f"one embedding width fits {_of(described.max(), len(rows))} rows; the width that comes nearest is {nearest}"
    )
    share = f"at most {_of(described.max(), len(rows))} of the reported counts to within {percent(tolerance)}"
    reason = (
        f"In the model as described a single embedding width gives {share}, in the most favourable reading "
        f"{_of(most, len(rows))}; row by row the nearest width is {nearest}."
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
    verdict = _Evidence(
        members, f"median {steps(low)} to {steps(high)} steps ({_of(sudden, n)} within {steps(within)})"
    )
    if n < least_members:
        verdict.measured = verdict.measured if n else "no member generalised"
        return verdict(UNDECIDED, _too_few(n, least_members, "members with a transition"))
    verdict.p_value = _majority_p(sudden, n)
    text = f"the median transition takes {steps(low)} to {steps(high)} steps, {_of(sudden, n)} at most {steps(within)}"
    if _most(sudden, n):
        return verdict(REPRODUCED, f"Most transitions are that sudden: {text}.")
    if _most(int((members["width_after"] >= few_hundred).sum()), n):
        return verdict(NOT_REPRODUCED, f"Most transitions take longer than a few hundred steps: {text}.")
    hundreds = int(((members["width_after"] >= within) & (members["width"] <= few_hundred)).sum())
    if _most(hundreds, n):
        verdict.p_value = _majority_p(hundreds, n)
        return verdict(PARTLY, f"Most transitions take a few hundred steps, not {steps(within)}: {text}.")
    return verdict(UNDECIDED, f"Too few members, or evaluations too far apart, to say what most do: {text}.")


def early_stopping_cuts(tables: Tables, *, rule: Rule, patiences: list[Steps], least_members: Count) -> Verdict:
    """Of the members that generalise, those that stopping on `rule` would have ended before, for each of `patiences`
    (steps).

    reproduced: most, at every patience. partly: most at some patience, or more than half at every one. not reproduced:
    most are not cut, at every patience. undecided: else, fewer than `least_members` generalise, or a patience is not in
    the table.
    """
    table = _select(tables["early_stopping"], rule=rule, patience=patiences).sort_values("patience")
    members = _select(
        studied(tables["members"], tables["designs"], "data_fraction"), optimizer="adamw", generalised=True
    )
    if table.empty or not table["n"].max():
        return replace(NOT_RUN, reason="No member generalises at this scale, so there is nothing to cut.")
    n = int(table["n"].min())
    shares = ", ".join(f"{steps(row.patience)}: {_of(row.cut, row.n)}" for row in table.itertuples())
    verdict = _Evidence(members, f"cut before they generalise, by patience in steps: {shares}")
    if n < least_members:
        return verdict(UNDECIDED, _too_few(n, least_members, "members that generalise"))
    if len(table) < len(patiences):
        return verdict(
            UNDECIDED, f"Of the patiences {', '.join(map(steps, patiences))} only {len(table)} are in the table."
        )
    p = [_majority_p(int(row.cut), int(row.n)) for row in table.itertuples()]
    verdict.p_value = max(p)
    text = f"stopping on {rule.replace('_', ' ')} cuts members that would generalise, by patience {shares}"
    if significant(max(p)):
        return verdict(REPRODUCED, f"At every patience {text}.")
    if significant(min(p)) or (table["share"] > 0.5).all():
        return verdict(PARTLY, f"Not at every patience for most: {text}.")
    if all(_most(int(row.n - row.cut), int(row.n)) for row in table.itertuples()):
        return verdict(NOT_REPRODUCED, f"At every patience most are spared: {text}.")
    return verdict(UNDECIDED, f"Too few members to tell what happens to most: {text}.")


CRITERIA: dict[str, Callable[..., Verdict]] = {
    criterion.__name__: criterion
    for criterion in (
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
    )
}
