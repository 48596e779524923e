"""How the claims of report 002 are judged."""

import numpy as np
import pandas as pd

from ..wording import listed
from .format import number, percent, steps
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
    Level,
    Ratio,
    Share,
    Steps,
    Study,
    Tables,
    Verdict,
    combined_p,
    generalised_by,
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
    trend_p,
)
from .summary import studied

RENEWED = "seeds that generalise and whose initial embeddings have decayed"


def decay_removes_delay(
    tables: Tables,
    *,
    study: Study,
    weak: Level,
    strong: Level,
    delay: Steps,
    ratio: Ratio,
    least_budget: Steps,
    least_members: Count,
) -> Verdict:
    """Is there a clear delay at the weight decay `weak`, and none at `strong`? A delay is clear if t4 comes at least
    `delay` steps after t2, or never by `least_budget`, and t4 is at least `ratio` times t2; there is none if a member
    generalises and its delay is not clear. A one-sided exact sign test asks at either whether most members do it.

    reproduced: most members have a clear delay at `weak` and most have none at `strong`. partly: one of both.
    not reproduced: most members do the opposite at one of them and neither is shown. undecided: else; with fewer than
    `least_members` that memorise at either; with members that neither generalised nor reached `least_budget`.
    """
    members = studied(tables["members"], tables["designs"], study)
    groups = {value: select(members, weight_decay=value) for value in (weak, strong)}
    chosen = pd.concat(groups.values())
    if chosen.empty:
        return NOT_RUN
    verdict = Evidence(chosen, "; ".join(_waits(value, group) for value, group in groups.items()))
    memorised = {value: group.dropna(subset="t2") for value, group in groups.items()}
    names = {f"that memorise at a weight decay of {value:g}": group for value, group in memorised.items()}
    if thin := too_thin(names, least_members):
        return verdict(UNDECIDED, thin)
    if (unseen := sum(int(generalised_by(group, least_budget)[1].sum()) for group in memorised.values())) > 0:
        return verdict(UNDECIDED, f"{unseen} members were not followed to {steps(least_budget)} steps.")
    late = {value: _clear(group, delay, ratio) for value, group in memorised.items()}
    soon = {value: group["generalised"].to_numpy() & ~late[value] for value, group in memorised.items()}
    n = {value: len(group) for value, group in memorised.items()}
    clear, none = int(late[weak].sum()), int(soon[strong].sum())
    text = (
        f"at {weak:g} {of(clear, n[weak])} members have a clear delay, "
        f"at {strong:g} {of(none, n[strong])} generalise without one"
    )
    p = {weak: majority_p(clear, n[weak]), strong: majority_p(none, n[strong])}
    shown = most(clear, n[weak]), most(none, n[strong])
    verdict.p_value = max(p.values()) if all(shown) else min(1.0, 2 * min(p.values()))
    if all(shown):
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    if any(shown):
        return verdict(PARTLY, f"Only one half is shown: {text}.")
    if most(int(soon[weak].sum()), n[weak]) or most(int(late[strong].sum()), n[strong]):
        return verdict(NOT_REPRODUCED, f"Most members do the opposite: {text}.")
    return verdict(UNDECIDED, f"Nothing is shown either way: {text}.")


def _clear(members: pd.DataFrame, delay: float, ratio: float) -> np.ndarray:
    """Whether a member that memorises generalises clearly later, or never, bool (n,)."""
    t2, t4 = members["t2"].to_numpy(float), members["t4"].to_numpy(float)
    return np.isnan(t4) | ((t4 - t2 >= delay) & (t4 >= ratio * t2))


def _waits(value: float, members: pd.DataFrame) -> str:
    if members.empty:
        return f"weight decay {value:g}: not run"
    medians = [f"{name} {steps(members[name].median())}" for name in ("t2", "t4")]
    ratio = number(members["delay_ratio"].median(), 2)
    return (
        f"weight decay {value:g}: median {', '.join(medians)}, ratio {ratio}, "
        f"{of(int(members['generalised'].sum()), len(members))} generalise"
    )


def circle_with_generalisation(
    tables: Tables, *, architecture: Architecture, ordered: Share, factor: Ratio, least_members: Count
) -> Verdict:
    """Does generalisation coincide with an ordered circle? Of seeds whose members generalise, each by a one-sided exact
    sign test: one frequency holds at least `ordered` of the variance of the first two components at the end; and order
    has made half of its way within a factor of `factor` of t4.

    reproduced: both. partly: one. not reproduced: most fail both. undecided: else, and with fewer seeds than
    `least_members`.
    """
    members = _embedded(tables, architecture)
    if members.empty:
        return NOT_RUN
    grown = members[members["generalised"].astype(bool)]
    n, ratio = grown["seed"].nunique(), grown["half_step"] / grown["t4"]
    counts = seeds_that(grown, grown["last_order"] >= ordered), seeds_that(grown, ratio.between(1 / factor, factor))
    text = f"of {n} seeds that generalise {counts[0]} end on an ordered circle, in {counts[1]} it comes with t4"
    medians = (
        f"median order {number(grown['last_order'].median(), 2)}, half of it at {number(ratio.median(), 2)} times t4"
    )
    return _two_signs(Evidence(members, f"{text}; {medians}"), counts, n, least_members, "seeds that generalise")


def structure_from_the_start(
    tables: Tables, *, architecture: Architecture, most_retained: Share, least_members: Count
) -> Verdict:
    """Is the order there from the start, on the final components? Of seeds that generalise, two parts, each against
    independent initialisations on the same components: the own initial embeddings have more of the final order (the
    members' rank p-values, combined by Fisher's method), and are nearer to the final picture (sign-flip permutation
    test of the difference in Procrustes distance). The verdict is that of `jointly`, with the p of the opposite from
    the ranks from below; undecided with fewer seeds than `least_members` of whose final embeddings at most a share of
    `most_retained`, in norm, is what decay has left of the initial ones.
    """
    members = _embedded(tables, architecture)
    grown = _renewed(members, most_retained)
    if members.empty:
        return NOT_RUN
    medians = ", ".join(
        f"{what} {number(grown[own].median(), 2)} against {number(grown[null].median(), 2)}"
        for what, own, null in (
            ("order", "initial_order", "null_order"),
            ("distance", "initial_disparity", "null_disparity"),
        )
    )
    n = grown["seed"].nunique()
    verdict = Evidence(members, f"initial {medians} of independent initialisations ({n} seeds)")
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members, RENEWED))
    nearer = (grown["null_disparity"] - grown["initial_disparity"]).groupby(grown["seed"]).mean().to_numpy()
    tests = {
        "by order": (combined_p(grown, grown["null_order_p"]), combined_p(grown, grown["null_order_less_p"])),
        "by distance": (sign_flip_p(nearer), sign_flip_p(-nearer)),
    }
    return jointly(verdict, tests, verdict.measured)


def nearer_when_wider(
    tables: Tables, *, architectures: list[Architecture], weight_decay: dict[str, Level], least_members: Count
) -> Verdict:
    """Is the initial circle nearer to the final one in wider models? A one-sided permutation test of trend of the
    initial Procrustes distance over the logarithm of the width, members of one seed and width together, for each
    architecture. The verdict is that of `jointly` on the architectures; undecided with fewer than two widths of
    `least_members` each.
    """
    groups = {name: select(_embedded(tables, name), weight_decay=weight_decay[name]) for name in architectures}
    chosen = pd.concat(groups.values())
    if chosen.empty:
        return NOT_RUN
    medians = "; ".join(
        f"{NAMES[name]} {', '.join(f'{width:g}: {number(own.median(), 3)}' for width, own in by_width)}"
        for name, group in groups.items()
        if len(by_width := list(group.groupby("width")["initial_disparity"]))
    )
    verdict = Evidence(chosen, f"median initial distance by width, {medians}")
    sizes = {name: group.groupby("width").size() for name, group in groups.items()}
    thin = [name for name, size in sizes.items() if (size >= least_members).sum() < 2]
    if thin:
        needed = f"{least_members} members of two widths"
        return verdict(UNDECIDED, f"The {listed([NAMES[name] for name in thin])} lacks {needed}: {medians}.")
    tests = {f"for the {NAMES[name]}": _trend(group) for name, group in groups.items()}
    return jointly(verdict, tests, verdict.measured)


def _trend(members: pd.DataFrame) -> tuple[float, float]:
    """One-sided p that distance does not fall with width, and that it does not rise."""
    return trend_p(np.log(members["width"]), members["seed"], -members["initial_disparity"])


def may_be_spread(tables: Tables, *, least_frequencies: Ratio, ordered: Share, least_members: Count) -> Verdict:
    """May a circle be spread over components at several frequencies, without perfect order in the first two? Members of
    any model that generalise although the final structure has at least `least_frequencies` frequencies, or no
    frequency holds `ordered` of the variance in the first two components.

    reproduced: there are at least two. not reproduced: there is none among at least `least_members` that generalise.
    undecided: else.
    """
    found = tables["embedding_members"]
    if found.empty:
        return NOT_RUN
    grown = found[found["generalised"].astype(bool)]
    spread, loose = grown["frequencies"] >= least_frequencies, grown["last_order"] < ordered
    count, n = int((spread | loose).sum()), len(grown)
    loosely = f"{int(loose.sum())} are not ordered in the first two components"
    text = (
        f"of {n} members that generalise {int(spread.sum())} have a structure of at least {least_frequencies:g} "
        f"frequencies, {loosely}; median {number(grown['frequencies'].median(), 2)} frequencies"
    )
    verdict = Evidence(found, text)
    if count >= 2:
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members, "that generalise"))
    if not count:
        return verdict(NOT_REPRODUCED, f"None is spread: {text}.")
    return verdict(UNDECIDED, f"A single one is spread: {text}.")


def prunes_noise(tables: Tables, *, architecture: Architecture, most_retained: Share, least_members: Count) -> Verdict:
    """Does training prune the noise around an initial structure? Of seeds that generalise, two parts: the share of
    the variance outside the final structure falls (one-sided exact sign test); and the initial embeddings have more of
    that structure than independent initialisations (the members' rank p-values, combined by Fisher's method): otherwise
    it is made, not found.

    reproduced: both. partly: the first, but the second is not shown. not reproduced: noise does not fall in most.
    undecided: else, and with fewer seeds than `least_members` of whose final embeddings at most a share
    of `most_retained`, in norm, is what decay has left of the initial ones.
    """
    members = _embedded(tables, architecture)
    grown = _renewed(members, most_retained)
    if members.empty:
        return NOT_RUN
    n, falls = grown["seed"].nunique(), seeds_that(grown, grown["last_structure"] > grown["initial_structure"])
    shares = ", ".join(
        f"{what} {percent(grown[name].median())}"
        for what, name in (
            ("at the start", "initial_structure"),
            ("of independent initialisations", "null_structure"),
            ("at the end", "last_structure"),
        )
    )
    verdict = Evidence(members, f"median share in the final structure: {shares} ({n} seeds)")
    if n < least_members:
        return verdict(UNDECIDED, too_few(n, least_members, RENEWED))
    found = combined_p(grown, grown["null_structure_p"])
    text = f"noise falls in {of(falls, n)} seeds, p {p_is(found)} of an initial structure; {verdict.measured}"
    verdict.p_value = max(majority_p(falls, n), found)
    if most(falls, n) and significant(found):
        return verdict(REPRODUCED, f"{text[0].upper()}{text[1:]}.")
    if most(falls, n):
        verdict.p_value = majority_p(falls, n)
        return verdict(PARTLY, f"Noise falls, but the structure is not shown to have been there: {text}.")
    if most(n - falls, n):
        return verdict(NOT_REPRODUCED, f"Noise does not fall: {text}.")
    return verdict(UNDECIDED, f"Members differ: {text}.")


def _two_signs(verdict: Evidence, counts: tuple[int, int], n: int, least: int, what: str) -> Verdict:
    """The verdict by two sign tests: both, one, both opposed, or neither."""
    if n < least:
        return verdict(UNDECIDED, too_few(n, least, what))
    p, shown = [majority_p(count, n) for count in counts], [most(count, n) for count in counts]
    verdict.p_value = max(p) if all(shown) else min(1.0, 2 * min(p))
    text = f"{verdict.measured[0].upper()}{verdict.measured[1:]}."
    if all(shown):
        return verdict(REPRODUCED, text)
    if any(shown):
        return verdict(PARTLY, text)
    if all(most(n - count, n) for count in counts):
        return verdict(NOT_REPRODUCED, text)
    return verdict(UNDECIDED, f"Nothing is shown either way: {verdict.measured}.")


def _renewed(members: pd.DataFrame, most_retained: float) -> pd.DataFrame:
    """Those that generalise and have little of their initial embeddings left, which any null would miss."""
    grown = members[members["generalised"].astype(bool)].dropna(subset=["null_order_p"])
    return grown[grown["retained"] <= most_retained]


def _embedded(tables: Tables, architecture: str) -> pd.DataFrame:
    return select(tables["embedding_members"], architecture=architecture)


TABLES = ("members", "designs", "embedding_members")
CRITERIA = (
    decay_removes_delay,
    circle_with_generalisation,
    structure_from_the_start,
    nearer_when_wider,
    may_be_spread,
    prunes_noise,
)
