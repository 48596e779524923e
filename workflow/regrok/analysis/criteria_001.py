"""How the claims of report 001 are judged."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from . import survival
from .format import number, percent, ratio, steps
from .judging import (
    NAMES,
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Architecture,
    Count,
    Evidence,
    Held,
    Level,
    Optimizer,
    Ratio,
    Schedule,
    Setting,
    Share,
    Steps,
    Study,
    Tables,
    Verdict,
    brief,
    fisher,
    generalised_by,
    jointly,
    majority_p,
    most,
    of,
    p_is,
    select,
    significant,
    sooner_p,
    timed,
    told,
    too_few,
    too_thin,
    trend_p,
)
from .optimizer_best import cross_fitted
from .resampling import ratio_of_medians
from .summary import studied


def more_pronounced(
    tables: Tables,
    *,
    study: Study,
    modulus: Count,
    larger_study: Study,
    larger_modulus: Count,
    architecture: Architecture,
    fraction: Share,
    schedule: Schedule,
    least_members: Count,
) -> Verdict:
    """Is grokking more pronounced at `modulus` than at `larger_modulus`: is the delay t4 - t2 longer, and t4 / t2
    larger? Each by a one-sided exact log-rank test, in which a member that has not generalised is censored where it was
    last seen. The fraction is the same, so the smaller modulus has fewer examples.

    The verdict is that of `jointly` on delay and ratio; undecided with fewer than `least_members` that memorise at
    either modulus.
    """
    where = {"architecture": architecture, "fraction": fraction, "schedule": schedule}
    moduli = {modulus: study, larger_modulus: larger_study}
    groups = {
        p: select(studied(tables["members"], tables["designs"], name), modulus=p, **where) for p, name in moduli.items()
    }
    if all(group.empty for group in groups.values()):
        return NOT_RUN
    verdict = Evidence(pd.concat(groups.values()), "; ".join(_delayed(p, group) for p, group in groups.items()))
    groups = {p: group.dropna(subset="t2") for p, group in groups.items()}
    if thin := too_thin({f"modulo {p} that memorise": group for p, group in groups.items()}, least_members):
        return verdict(UNDECIDED, thin)
    levels = {modulus: 0, larger_modulus: 1}
    tests = {
        "by the delay": sooner_p([_since_t2(groups[p], level) for p, level in levels.items()]),
        "by the ratio": sooner_p([timed(groups[p], level, factor=_per_t2(groups[p])) for p, level in levels.items()]),
    }
    return jointly(verdict, tests, verdict.measured)


def _delayed(modulus: int, members: pd.DataFrame) -> str:
    if members.empty:
        return f"p = {modulus}: not run"
    examples = steps(members["n_train"].iloc[0])
    delays = survival.median(*_since_t2(members.dropna(subset="t2"), 0)[["time", "event"]].to_numpy(float).T)
    median = f"{steps(delays.value)} steps" if np.isfinite(delays.value) else "not reached"
    times = f", {number(members['delay_ratio'].median())} times t2" if members["generalised"].any() else ""
    return f"p = {modulus} ({examples} examples): delay {median}{times} (n = {len(members)})"


def _since_t2(members: pd.DataFrame, level: float) -> pd.DataFrame:
    rows = timed(members, level)
    return rows.assign(time=rows["time"] - members["t2"].to_numpy())


def _per_t2(members: pd.DataFrame) -> np.ndarray:
    return 1 / members["t2"].to_numpy()


def in_this_order(
    tables: Tables,
    *,
    study: Study,
    order: list[Architecture],
    fractions: list[Share],
    lstm_hidden: Count,
    least_members: Count,
) -> Verdict:
    """Do the architectures generalise in this order, earliest first? Each neighbour is tested against the next by an
    exact one-sided log-rank test, stratified over `fractions`. Of the LSTM, the width `lstm_hidden`.

    The verdict is that of `jointly` on the pairs of neighbours; undecided with fewer than `least_members` of an
    architecture at one of the fractions.
    """
    members = select(studied(tables["members"], tables["designs"], study), fraction=fractions)
    own = {name: _of_architecture(members, name, lstm_hidden) for name in order}
    chosen = pd.concat(own.values())
    if chosen.empty:
        return NOT_RUN
    medians = (
        f"{NAMES[name]} {', '.join(f'{r:g}: {brief(part)}' for r, part in group.groupby('fraction'))}"
        for name, group in own.items()
    )
    verdict = Evidence(chosen, "; ".join(medians))
    cells = {
        f"of the {NAMES[name]} at {r:g}": select(group, fraction=r) for name, group in own.items() for r in fractions
    }
    if thin := too_thin(cells, least_members):
        return verdict(UNDECIDED, thin)
    tests = {
        f"of {NAMES[a]} before {NAMES[b]}": sooner_p([timed(own[a], 1, "fraction"), timed(own[b], 0, "fraction")])
        for a, b in pairwise(order)
    }
    return jointly(verdict, tests, f"median steps by fraction, {verdict.measured}")


def _of_architecture(members: pd.DataFrame, name: str, lstm_hidden: int) -> pd.DataFrame:
    own = select(members, architecture=name)
    return select(own, hidden=lstm_hidden) if name == "lstm" else own


def less_effective(
    tables: Tables,
    *,
    study: Study,
    sweep: Study,
    optimizers: list[Optimizer],
    reference: Optimizer,
    least_members: Count,
) -> Verdict:
    """Do members of `optimizers` generalise later, or less often, than those of `reference`, each at the cross-fitted
    best of an equal `sweep`? One-sided exact log-rank tests. What each does in the literal settings (`study`, every
    learning rate tried there) is told first, and whether it memorises at all.

    The verdict is that of `jointly` on the optimisers; undecided with fewer than `least_members` of one.
    """
    members, designs = tables["members"], tables["designs"]
    swept, literal = studied(members, designs, sweep), studied(members, designs, study)
    tuned = {name: cross_fitted(select(swept, optimizer=name), designs, sweep) for name in (*optimizers, reference)}
    as_stated = {name: select(literal, optimizer=name) for name in optimizers}
    chosen = pd.concat([*tuned.values(), *as_stated.values()])
    if chosen.empty:
        return NOT_RUN
    medians = ", ".join(f"{_label(name)} {told(group)}" for name, group in tuned.items())
    verdict = Evidence(chosen, f"tuned {medians}; as stated {_literally(as_stated)}")
    if thin := too_thin({f"of {_label(name)}, tuned,": group for name, group in tuned.items()}, least_members):
        return verdict(UNDECIDED, f"As stated {_literally(as_stated)}. {thin}")
    rival = timed(tuned[reference], 1)
    tests = {f"for {_label(name)}": sooner_p([timed(tuned[name], 0), rival]) for name in optimizers}
    return jointly(verdict, tests, f"as stated {_literally(as_stated)}; at the best of equal sweeps {medians}")


def _literally(groups: Mapping[str, pd.DataFrame]) -> str:
    """How many members memorise and generalise in the literal settings."""
    texts = []
    for name, group in groups.items():
        n, memorise = len(group), int(group["t2"].notna().sum())
        fails = ", so it does not even memorise" if n and not memorise else ""
        does = f"{of(memorise, n)} memorise and {of(int(group['generalised'].sum()), n)} generalise{fails}"
        texts.append(f"{_label(name)} {does if n else 'was not run'}")
    return ", ".join(texts)


def _label(optimizer: str) -> str:
    return {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}[optimizer]


def little_effect(
    tables: Tables,
    *,
    study: Study,
    setting: Setting,
    base: Level,
    others: list[Level],
    held: Held,
    within: Ratio,
    least_members: Count,
) -> Verdict:
    """Are the steps to grokking at each of `others` within a factor of `within` of those at `base`, everything else as
    `held`? Two one-sided exact log-rank tests for each, of its times against the base's times `within` and over it
    (equivalence: the larger p); the opposite is that they lie beyond, by one of the two tests reversed (twice its p).

    The verdict is that of `jointly` on `others`; undecided with fewer than `least_members` at a value.
    """
    members = select(studied(tables["members"], tables["designs"], study), **held)
    groups = {value: select(members, **{setting: value}) for value in (base, *others)}
    chosen = pd.concat(groups.values())
    if chosen.empty:
        return NOT_RUN
    reference = groups[base]
    texts = [f"{base:g}: {told(reference)}"] + [_against(value, groups[value], reference) for value in others]
    verdict = Evidence(chosen, "; ".join(texts))
    if thin := too_thin({f"at {_word(setting)} {value:g}": group for value, group in groups.items()}, least_members):
        return verdict(UNDECIDED, thin)
    tests = {f"at {value:g}": _within(groups[value], reference, within) for value in others}
    text = f"median steps by {_word(setting)}, {verdict.measured}, to lie within a factor of {within:g}"
    return jointly(verdict, tests, text)


def _word(setting: str) -> str:
    return setting.replace("_", " ")


def _against(value: float, members: pd.DataFrame, base: pd.DataFrame) -> str:
    if members.empty:
        return f"{value:g}: not run"
    compared = ratio_of_medians(members, base, np.random.default_rng(0))
    against = "" if np.isnan(compared.value) else f", {ratio(*compared)} the base's"
    epochs = (members["t4"] / members["steps_per_epoch"]).median()
    seen = f", {number(epochs)} epochs" if members["generalised"].all() else ""
    return f"{value:g}: {told(members)}{against}{seen}"


def _within(members: pd.DataFrame, base: pd.DataFrame, factor: float) -> tuple[float, float]:
    slower, not_slower = sooner_p([timed(members, 0), timed(base, 1, factor=factor)])
    faster, not_faster = sooner_p([timed(members, 1), timed(base, 0, factor=1 / factor)])
    return max(not_slower, not_faster), min(1.0, 2 * min(slower, faster))


def sooner_with_more(
    tables: Tables,
    *,
    study: Study,
    setting: Setting,
    levels: list[Level],
    architectures: list[Architecture],
    held: Held,
    lstm_hidden: Count,
    least_members: Count,
) -> Verdict:
    """Do members generalise sooner, or more often, from the first of `levels` to the last, everything else as `held`? A
    one-sided permutation test of trend on log-rank scores for each architecture; of the LSTM, the width `lstm_hidden`.

    The verdict is that of `jointly` on the architectures, but partly if between some neighbouring levels the opposite
    holds (p times the number of such pairs at most 5 %). undecided with fewer than `least_members` at a level.
    """
    members = select(studied(tables["members"], tables["designs"], study), **held)
    groups = {
        name: {level: select(_of_architecture(members, name, lstm_hidden), **{setting: level}) for level in levels}
        for name in architectures
    }
    if not any(len(group) for own in groups.values() for group in own.values()):
        return NOT_RUN
    verdict = _with_levels(groups)
    flat = {f"of the {NAMES[name]} at {level:g}": group for name, own in groups.items() for level, group in own.items()}
    if thin := too_thin(flat, least_members):
        return verdict(UNDECIDED, thin)
    tests = {f"in the {NAMES[name]}": _trend(list(own.values())) for name, own in groups.items()}
    outcome = jointly(verdict, tests, f"median steps by {_word(setting)}, {verdict.measured}")
    turns = _turns(groups)
    if outcome.verdict == REPRODUCED and turns:
        return verdict(PARTLY, f"On the whole it holds, but it turns {turns}: {verdict.measured}.")
    return outcome


def _with_levels(groups: Mapping[str, Mapping[float, pd.DataFrame]]) -> Evidence:
    """Evidence with the medians by architecture and level."""
    texts = (
        f"{NAMES[name]} {', '.join(f'{level:g}: {brief(group)}' for level, group in own.items())}"
        for name, own in groups.items()
    )
    return Evidence(pd.concat(group for own in groups.values() for group in own.values()), "; ".join(texts))


def _trend(groups: list[pd.DataFrame]) -> tuple[float, float]:
    return sooner_p([timed(group, level) for level, group in enumerate(groups)])


def _turns(groups: Mapping[str, Mapping[float, pd.DataFrame]]) -> str:
    """Between which neighbouring levels members of the higher one generalise later, in words."""
    pairs = [(name, a, b, _trend([own[a], own[b]])[1]) for name, own in groups.items() for a, b in pairwise(own)]
    found = [
        f"from {a:g} to {b:g} in the {NAMES[name]}" for name, a, b, p in pairs if significant(min(1.0, p * len(pairs)))
    ]
    return ", ".join(found)


def slower_not_decisive(
    tables: Tables,
    *,
    study: Study,
    setting: Setting,
    levels: list[Level],
    architecture: Architecture,
    held: Held,
    least_budget: Steps,
    least_members: Count,
) -> Verdict:
    """From the first of `levels` to the last, everything else as `held`: slower at the lower (one-sided permutation
    test of trend on log-rank scores), and not decisive, since most members at each level generalise by `least_budget`
    steps. Decisive: at some level most do not.

    reproduced: slower and not decisive. partly: one holds and the opposite of the other. not reproduced: sooner at the
    lower, and decisive. undecided: else, or fewer than `least_members` at a level.
    """
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture, **held)
    groups = {level: select(members, **{setting: level}) for level in levels}
    if not any(map(len, groups.values())):
        return NOT_RUN
    counts = {level: _counted(group, least_budget) for level, group in groups.items()}
    shares = ", ".join(f"{level:g}: {of(yes, n)}" for level, (yes, _, n) in counts.items())
    verdict = _with_levels({architecture: groups})
    verdict.measured += f"; by {steps(least_budget)} steps generalise at {shares}"
    if thin := too_thin({f"at {_word(setting)} {level:g}": group for level, group in groups.items()}, least_members):
        return verdict(UNDECIDED, thin)
    p_slower, p_sooner = _trend(list(groups.values()))
    p_everywhere = max(majority_p(yes, n) for yes, _, n in counts.values())
    decisive = any(most(n - yes - waiting, n) for yes, waiting, n in counts.values())
    text = f"{verdict.measured}; one-sided p of the trend {p_is(p_slower)}"
    verdict.p_value = max(p_slower, p_everywhere)
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"Slower at the lower, but most generalise at each: {text}.")
    if significant(p_slower) and decisive:
        verdict.p_value = p_slower
        return verdict(PARTLY, f"Slower at the lower, and decisive, since at one most do not generalise: {text}.")
    if significant(p_sooner) and significant(p_everywhere):
        verdict.p_value = p_everywhere
        return verdict(PARTLY, f"Not decisive, since most generalise at each, but sooner at the lower: {text}.")
    if significant(p_sooner) and decisive:
        return verdict(NOT_REPRODUCED, f"Sooner at the lower, and decisive: {text}.")
    return verdict(UNDECIDED, f"Too few members, or followed too short a way, to tell: {text}.")


def _counted(members: pd.DataFrame, horizon: float) -> tuple[int, int, int]:
    """(members that generalise by `horizon`, those of which that is open, all)."""
    yes, waiting = generalised_by(members, horizon)
    return int(yes.sum()), int(waiting.sum()), len(members)


def harder_with_more_terms(
    tables: Tables, *, study: Study, terms: list[Count], fraction: Share, least_members: Count
) -> Verdict:
    """Does grokking get harder with each more of `terms`, at the same `fraction`? Two readings: more steps to t4, and
    less of a delay, a smaller ratio t4 / t2 of the members that memorise; each by a one-sided permutation test of trend
    on log-rank scores. Epochs, and steps at the training-set size of the fewest terms, are told beside.

    The verdict is that of `jointly` on the two readings; undecided with fewer than `least_members` that memorise at a
    number of terms.
    """
    members = studied(tables["members"], tables["designs"], study)
    groups = {k: select(members, fraction=fraction, terms=k) for k in terms}
    if not any(map(len, groups.values())):
        return NOT_RUN
    size = groups[terms[0]]["n_train"].max()
    others = select(members, terms=terms[1:])
    controls = others[(others["fraction"] != fraction) & ((others["n_train"] - size).abs() <= 1)]
    texts = [f"K = {k}: {_epochs(group)}" for k, group in groups.items()]
    texts += [f"K = {k} on {steps(size)} examples: {told(group)}" for k, group in controls.groupby("terms")]
    verdict = Evidence(pd.concat([*groups.values(), controls]), "; ".join(texts))
    fitted = {k: group.dropna(subset="t2") for k, group in groups.items()}
    if thin := too_thin({f"of {k} terms that memorise": group for k, group in fitted.items()}, least_members):
        return verdict(UNDECIDED, f"{thin} Steps to t4, {verdict.measured}.")
    longer, shorter = sooner_p([timed(group, -k, factor=_per_t2(group)) for k, group in fitted.items()])
    tests = {
        "by the steps to t4": sooner_p([timed(group, -k) for k, group in groups.items()]),
        "by the delay": (shorter, longer),
    }
    return jointly(verdict, tests, f"median steps to t4, {verdict.measured}")


def _epochs(members: pd.DataFrame) -> str:
    if members.empty:
        return "not run"
    epochs = (members["t4"] / members["steps_per_epoch"]).median()
    if not members["generalised"].any():
        return told(members)
    return f"{told(members)}, {number(epochs)} epochs, {number(members['delay_ratio'].median())} times t2"


def oscillations_do_no_harm(
    tables: Tables,
    *,
    study: Study,
    schedule: Schedule,
    control: Schedule,
    severe: Share,
    least_budget: Steps,
    least_members: Count,
) -> Verdict:
    """A member under `schedule` oscillates if its validation accuracy falls by `severe` or more below its maximum since
    t2, at the evaluations that every cell has. Do most oscillate, and generalise all the same?

    reproduced: most members do both. not reproduced: most memorise and do not oscillate by `least_budget` steps, or
    most of those that oscillate have not generalised by then. partly: else, if at most half do both, and fewer fail
    than do. undecided: else, or fewer than `least_members`. How deep accuracy falls under `control`, where the learning
    rate does not, is told with a test, but is no part of the verdict.
    """
    table = select(tables["roughness"], study=study)
    members = select(studied(tables["members"], tables["designs"], study), schedule=schedule)
    if members.empty:
        return NOT_RUN
    falls = {name: select(table, schedule=name) for name in (schedule, control)}
    own = members.merge(falls[schedule][["cell", "seed", "fall_after_t2"]], on=["cell", "seed"], how="left")
    n, deep = len(own), own["fall_after_t2"] >= severe
    yes, waiting = generalised_by(own, least_budget)
    both = int((deep & own["generalised"]).sum())
    failing = int((deep & ~yes & ~waiting).sum())
    calm = int((~deep & own["t2"].notna() & (own["last_step"] >= least_budget)).sum())
    oscillate = f"{of(int(deep.sum()), n)} fall by {percent(severe)} or more after they have memorised"
    measured = f"{oscillate}, {both} of these generalise"
    verdict = Evidence(own, measured)
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members))
    text = f"{measured}; {_deepest(falls, schedule, control)}"
    verdict.p_value = majority_p(both, n)
    if most(both, n):
        return verdict(REPRODUCED, f"Most members oscillate and generalise all the same: {text}.")
    if most(calm, n):
        return verdict(NOT_REPRODUCED, f"Most members do not oscillate: {text}.")
    if most(failing, int(deep.sum())):
        return verdict(NOT_REPRODUCED, f"Most members that oscillate do not generalise: {text}.")
    if both > failing and not (deep & waiting).any() and 2 * both <= n:
        verdict.p_value = None
        return verdict(PARTLY, f"Some members oscillate and generalise all the same, but not most: {text}.")
    return verdict(UNDECIDED, f"Too few members, or followed too short a way, to tell: {text}.")


def _deepest(falls: Mapping[str, pd.DataFrame], schedule: str, control: str) -> str:
    """The median largest fall after t2 under both schedules, with p that it is no deeper under the first."""
    found = {name: table.dropna(subset="fall_after_t2") for name, table in falls.items()}
    texts = [
        f"{percent(table['fall_after_t2'].median(), 1)} with a {name} rate"
        for name, table in found.items()
        if len(table)
    ]
    text = f"median largest fall {', '.join(texts)}" if texts else "no member was seen after t2"
    if not all(map(len, found.values())):
        return text
    both = pd.concat(found.values(), ignore_index=True)
    p, _ = trend_p((both["schedule"] == schedule).astype(float), both["seed"], both["fall_after_t2"].rank())
    return f"{text} (one-sided test that it is deeper with the {schedule}'s: p {p_is(p)})"


def smoother(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    rivals: list[Architecture],
    fractions: list[Share],
    lstm_hidden: Count,
    least_members: Count,
) -> Verdict:
    """Is the training accuracy of `architecture` less rough than that of each of `rivals` (table roughness: the share
    of falls in all movement up to t2)? Exact one-sided permutation tests of ranks within each of `fractions`, in
    which a seed with its members at all fractions is relabelled as a whole. Of the LSTM, the width `lstm_hidden`.

    The verdict is that of `jointly` on the rivals; undecided with fewer than `least_members` at a fraction.
    """
    table = select(tables["roughness"], study=study, fraction=fractions)
    own = {name: _of_architecture(table, name, lstm_hidden) for name in (architecture, *rivals)}
    chosen = pd.concat(own.values())
    if chosen.empty:
        return NOT_RUN
    medians = "; ".join(f"{NAMES[name]} {_rough(group)}" for name, group in own.items())
    verdict = Evidence(chosen, medians)
    cells = {
        f"of the {NAMES[name]} at {r:g}": select(group, fraction=r) for name, group in own.items() for r in fractions
    }
    if thin := too_thin(cells, least_members):
        return verdict(UNDECIDED, thin)
    tests = {f"against the {NAMES[name]}": _smoother_p(own[architecture], own[name]) for name in rivals}
    return jointly(verdict, tests, f"median roughness by fraction, {medians}")


def _rough(table: pd.DataFrame) -> str:
    return ", ".join(f"{r:g}: {number(own.median(), 2)}" for r, own in table.groupby("fraction")["train_roughness"])


def _smoother_p(smooth: pd.DataFrame, rough: pd.DataFrame) -> tuple[float, float]:
    both = pd.concat([smooth.assign(level=0.0), rough.assign(level=1.0)], ignore_index=True)
    ranks = both.groupby("fraction")["train_roughness"].rank()
    return trend_p(both["level"], both["seed"], ranks - ranks.groupby(both["fraction"]).transform("mean"))


def may_fail_without(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    weight_decay: Level,
    dropout: Share,
    least_budget: Steps,
    least_members: Count,
) -> Verdict:
    """Without weight decay and without dropout, do fewer members generalise by `least_budget` steps than with
    `weight_decay` alone, and than with `dropout` alone? Fisher's exact test for each, one-sided.

    not reproduced: all of them generalise without either. reproduced: fewer than with each (p: the larger), and more
    than half of those that fail memorise. partly: fewer than with one of the two (p: twice the smaller), or most of
    those that fail do not memorise. undecided: else, fewer than `least_members` of a kind, or members not followed far
    enough could change it.
    """
    members = select(studied(tables["members"], tables["designs"], study), architecture=architecture)
    kinds = {
        "without either": (0, 0),
        "with weight decay alone": (weight_decay, 0),
        "with dropout alone": (0, dropout),
    }
    groups = {kind: select(members, weight_decay=decay, dropout=rate) for kind, (decay, rate) in kinds.items()}
    if groups["without either"].empty:
        return NOT_RUN
    counts = {kind: _counted(group, least_budget) for kind, group in groups.items()}
    shares = ", ".join(f"{of(yes, n)} {kind}" for kind, (yes, _, n) in counts.items())
    bare = groups["without either"]
    verdict = Evidence(pd.concat(groups.values()), f"generalise by {steps(least_budget)} steps: {shares}")
    if thin := too_thin(groups, least_members):
        return verdict(UNDECIDED, thin)
    if counts["without either"][0] == len(bare):
        return verdict(NOT_REPRODUCED, f"Without either all {len(bare)} generalise; {shares}.")
    if any(waiting for _, waiting, _ in counts.values()):
        return verdict(UNDECIDED, f"Members were not followed for {steps(least_budget)} steps; {shares} generalise.")
    (without, _, n), *controls = counts.values()
    p = [fisher(yes, size, without, n) for yes, _, size in controls]
    failed = bare[~(bare["t4"] <= least_budget)]
    fits = int(failed["t2"].notna().sum())
    text = f"{shares} (Fisher p {p_is(p[0])} and {p_is(p[1])}); {of(fits, len(failed))} that fail memorise"
    verdict.p_value = max(p)
    if significant(max(p)) and 2 * fits > len(failed):
        return verdict(REPRODUCED, f"Fewer generalise without either: {text}.")
    if significant(max(p)):
        return verdict(PARTLY, f"Fewer generalise without either, but most that fail do not even memorise: {text}.")
    if significant(2 * min(p)):
        verdict.p_value = 2 * min(p)
        kind = list(kinds)[1 + int(p[1] < p[0])]
        return verdict(PARTLY, f"Fewer generalise without either than {kind}, but not than with the other: {text}.")
    return verdict(UNDECIDED, f"That fewer generalise without either may be chance: {text}.")


def fit_and_generalise_together(
    tables: Tables, *, study: Study, terms: list[Count], fraction: Share, ratio: Ratio, least_members: Count
) -> Verdict:
    """A member fits and generalises together if t4 is at most `ratio` times t2, and apart if it is later, or had not
    come by then. The claim: together with `terms`, at `fraction`, because there are more examples; so apart on as few
    as two terms have there, with two and with `terms`.

    Together, or apart: most of all members, and more than half of those of each kind. reproduced: together with more
    examples and apart with few (p: the larger). partly: together with more examples, but not apart with few. not
    reproduced: apart with more examples. undecided: else, or fewer than `least_members` of a kind.
    """
    members = studied(tables["members"], tables["designs"], study)
    base = select(members, terms=2, fraction=fraction)
    size = base["n_train"].max()
    others = select(members, terms=terms)
    few = others[(others["fraction"] != fraction) & ((others["n_train"] - size).abs() <= 1)]
    many = {f"K = {k}": select(others, terms=k, fraction=fraction) for k in terms}
    controls = {"K = 2": base} | {f"K = {k} on as few examples": select(few, terms=k) for k in terms}
    groups = many | controls
    everyone = pd.concat(groups.values())
    if everyone.empty:
        return NOT_RUN
    together = {kind: _together(group, ratio) for kind, group in groups.items()}
    counts = ", ".join(f"{of(together[kind][0], len(group))} {kind}" for kind, group in groups.items())
    verdict = Evidence(everyone, f"together: {counts}")
    if thin := too_thin({f"of {kind}": group for kind, group in groups.items()}, least_members):
        return verdict(UNDECIDED, thin)

    def for_most(kinds: Mapping[str, pd.DataFrame], which: int) -> tuple[float, bool]:
        counts = [(together[kind][which], len(group)) for kind, group in kinds.items()]
        p = majority_p(sum(yes for yes, _ in counts), sum(n for _, n in counts))
        return p, significant(p) and all(2 * yes > n for yes, n in counts)

    (p_many, holds), (p_few, explained) = for_most(many, 0), for_most(controls, 1)
    text = f"t4 is at most {ratio:g} times t2 of {counts}"
    verdict.p_value = p_many
    if holds and explained:
        verdict.p_value = max(p_many, p_few)
        return verdict(REPRODUCED, f"Fit and generalisation coincide with more examples, and not with few: {text}.")
    if holds:
        return verdict(PARTLY, f"Fit and generalisation coincide, but few examples do not part them: {text}.")
    if for_most(many, 1)[1]:
        return verdict(NOT_REPRODUCED, f"Fit and generalisation come apart: {text}.")
    return verdict(UNDECIDED, f"Too few members to tell what most do: {text}.")


def _together(members: pd.DataFrame, ratio: float) -> tuple[int, int]:
    """Members in which t4 is at most `ratio` times t2, and in which it is not; neither is one that never memorised."""
    limit = ratio * members["t2"]
    yes = members["generalised"] & ~(members["t4"] > limit)
    followed = members["diverged"] | (members["last_step"] >= limit)
    return int(yes.sum()), int((members["t2"].notna() & ~yes & (members["generalised"] | followed)).sum())


TABLES = ("members", "designs", "histories", "roughness")
CRITERIA = (
    more_pronounced,
    in_this_order,
    less_effective,
    little_effect,
    sooner_with_more,
    slower_not_decisive,
    harder_with_more_terms,
    oscillations_do_no_harm,
    smoother,
    may_fail_without,
    fit_and_generalise_together,
)
