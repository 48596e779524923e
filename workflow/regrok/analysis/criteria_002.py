"""How the claims of report 002 are judged."""

import numpy as np
import pandas as pd

from .format import number, steps
from .judging import (
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Count,
    Evidence,
    Level,
    Ratio,
    Steps,
    Study,
    Tables,
    Verdict,
    generalised_by,
    majority_p,
    most,
    of,
    select,
    too_thin,
)
from .summary import studied


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


TABLES = ("members", "designs")
CRITERIA = (decay_removes_delay,)
