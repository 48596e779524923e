"""What the criteria share: verdicts, the types of their parameters, and tests of what members do.

Common to all criteria:

- A member that has neither generalised nor been followed far enough is open; a verdict is given only if it would be the
  same whatever the open members did. What a claim of "never" or "limited" means is bound to a budget, and below it is
  undecided.
- "Most" members do something if a one-sided exact sign test says so at 5 % (5 of 5, 7 of 8, 9 of 10); a median needs 6
  members.
- "not reproduced" rests on evidence against the claim: a counterexample, or a test of the opposite. Where a test finds
  nothing either way, the verdict is undecided.
- `p_value` is that of the test on which "reproduced" or "partly" would rest, so that a small one speaks for the claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal, get_args

import numpy as np
import pandas as pd
import scipy
from pydantic import Field

from ..cell import Cell
from ..tasks.modular import OPERATIONS
from ..wording import listed
from . import early_stopping, format, survival
from .factors import FACTORS
from .format import p_value as p_text
from .format import steps

REPRODUCED, PARTLY, NOT_REPRODUCED, UNDECIDED = "reproduced", "partly", "not reproduced", "undecided"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, UNDECIDED)
LEVEL = 0.05
NAMES = {
    "mlp": "perceptron",
    "shared_mlp": "perceptron",
    "sequence_mlp": "perceptron",
    "transformer": "Transformer",
    "tied_transformer": "Transformer",
    "residual_mlp": "MLP",
    "lstm": "LSTM",
}


def names(part: str, setting: str) -> object:
    """The type of the names that a setting of a cell may have."""
    part = Cell.model_fields[part].annotation
    return Literal[
        tuple(name for kind in get_args(part) or [part] for name in get_args(kind.model_fields[setting].annotation))
    ]


Tables = Mapping[str, pd.DataFrame]
Study = Annotated[str, Field(description="One of the studies that the claim needs.")]
Operation = Literal[tuple(OPERATIONS)]
Architecture = names("model", "architecture")
Optimizer = names("optimizer", "name")
Precision = names("loss", "precision")
Schedule = names("schedule", "shape")
Setting = Literal[tuple(FACTORS)]
Held = dict[Setting, float | str]
Rule = Literal[tuple(early_stopping.RULES)]
Count = Annotated[int, Field(ge=1)]
Steps = Count
Share = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(gt=0)]
Level = Annotated[float, Field(ge=0)]


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


# What members did


def select(members: pd.DataFrame, **where: object) -> pd.DataFrame:
    """Rows whose columns equal `where`; a list means one of its values."""
    for column, value in where.items():
        values = value if isinstance(value, list) else [value]
        members = members[members[column].isin(values)]
    return members


def judged_by(members: pd.DataFrame, horizon: float) -> str:
    """The step by which something may be said of `members`: `horizon`, or how far they were to be followed."""
    return steps(min(horizon, members["budget"].max()) if len(members) else horizon)


def generalised_by(members: pd.DataFrame, horizon: float) -> tuple[pd.Series, pd.Series]:
    """(yes, open): bool by member, whether t4 <= horizon, and whether it was not followed far enough to say."""
    yes = members["t4"] <= horizon
    followed = members["generalised"] | members["diverged"] | (members["last_step"] >= horizon)
    return yes, ~yes & ~followed


def majority_p(yes: int, n: int) -> float:
    """One-sided exact sign test that more than half of a population does what `yes` of `n` did."""
    return float(scipy.stats.binomtest(yes, n, 0.5, alternative="greater").pvalue) if n else 1.0


def most(yes: int, n: int) -> bool:
    return significant(majority_p(yes, n))


def of(count: int, n: int) -> str:
    return f"{count} of {n}"


def of_with_interval(count: int, n: int) -> str:
    """ "3 of 4 [0.19, 0.99]", with the exact 95 % interval of Clopper and Pearson."""
    if not n:
        return of(count, n)
    low, high = scipy.stats.binomtest(count, n).proportion_ci()
    return f"{of(count, n)} [{format.number(low, 2)}, {format.number(high, 2)}]"


def too_few(n: int, least: int, what: str = "members") -> str:
    return f"{n} {what} are too few: at least {least} are needed."


def extent(members: pd.DataFrame) -> str:
    """How far members were followed: "to 300 steps", "to between 300 and 20 000 steps"."""
    least, most = members["last_step"].min(), members["last_step"].max()
    return f"to {steps(least)} steps" if least == most else f"to between {steps(least)} and {steps(most)} steps"


def median_steps(members: pd.DataFrame) -> float:
    return survival.median(*survival.durations(members)).value


def reached(value: float) -> str:
    return f"{steps(value)} steps" if np.isfinite(value) else "not reached"


@dataclass
class Evidence:
    """Makes verdicts on the same members."""

    members: pd.DataFrame
    measured: str
    p_value: float | None = None

    def __call__(self, verdict: str, reason: str) -> Verdict:
        cells = tuple(sorted(set(self.members["cell"])))
        return Verdict(verdict, reason, self.measured, cells, len(self.members), self.p_value)


NOT_RUN = Verdict(UNDECIDED, "Nothing that bears on it was run at this scale.", "not run")


def fisher(yes_a: int, n_a: int, yes_b: int, n_b: int) -> float:
    """One-sided p that a does it no more often than b."""
    return float(scipy.stats.fisher_exact([[yes_a, n_a - yes_a], [yes_b, n_b - yes_b]], alternative="greater").pvalue)


def p_is(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def seeds_that(members: pd.DataFrame, holds: pd.Series | np.ndarray) -> int:
    """Seeds most of whose members do it; holds: bool, an entry a member. Members of one seed share its random streams,
    and count once."""
    return int((pd.Series(np.asarray(holds, float)).groupby(members["seed"].to_numpy()).mean() > 0.5).sum())


def combined_p(members: pd.DataFrame, p_values: pd.Series) -> float:
    """Fisher's combination of p-values over seeds; of the members of one seed, which need not be independent, twice
    the mean is a p-value (Rüschendorf 1982)."""
    by_seed = p_values.groupby(members["seed"])
    own = by_seed.mean().where(by_seed.size() == 1, np.minimum(1, 2 * by_seed.mean()))
    return float(scipy.stats.combine_pvalues(own.to_numpy(float), method="fisher").pvalue)


def sign_flip_p(scores: np.ndarray) -> float:
    """One-sided exact permutation p of a mean above zero (65 536 random flips beyond 16 scores)."""
    if not scores.any():
        return 1.0
    test = scipy.stats.permutation_test(
        (scores,), np.mean, permutation_type="samples", alternative="greater", n_resamples=2**16, rng=0, vectorized=True
    )
    return float(test.pvalue)


def told(members: pd.DataFrame) -> str:
    """Their median steps to grokking in words."""
    return format.median(survival.median(*survival.durations(members)), members["budget"].max())


def brief(members: pd.DataFrame) -> str:
    """Their median steps to grokking in a few words."""
    value = median_steps(members)
    return steps(value) if np.isfinite(value) else f"{of(int(members['generalised'].sum()), len(members))} generalise"


def too_thin(groups: Mapping[str, pd.DataFrame], least_members: int) -> str | None:
    """Which group has the fewest members, in a sentence, if these are too few; else None."""
    sizes = {name: len(group) for name, group in groups.items()}
    name = min(sizes, key=sizes.get)
    if sizes[name] >= least_members:
        return None
    more = sum(size < least_members for size in sizes.values()) - 1
    others = f", as they are in {more} other group{'s' if more > 1 else ''}" if more else ""
    return f"{sizes[name]} members {name} are too few{others}: at least {least_members} are needed."


# Which of several groups is sooner


def timed(members: pd.DataFrame, level: float, stratum: str | None = None, factor: object = 1) -> pd.DataFrame:
    """level, stratum (by a column), seed, time (multiplied by `factor`) and event of each member, for `sooner_p`."""
    time, event = survival.durations(members)
    rows = {"level": float(level), "seed": members["seed"].to_numpy(), "time": time * factor, "event": event}
    return pd.DataFrame(rows).assign(stratum=members[stratum].to_numpy() if stratum else "")


def sooner_p(rows: list[pd.DataFrame]) -> tuple[float, float]:
    """One-sided p that members of a higher level are not sooner, and that they are not later.

    rows: of `timed`. A permutation test of trend (`survival.trend`) on log-rank scores within each stratum, in which
    all members count as followed to its first censoring. What is relabelled is a level's seed with its members in all
    strata, since these share their random streams; that levels share them too makes the test conservative.
    """
    table = pd.concat(rows, ignore_index=True)
    scores = pd.Series(0.0, index=table.index)
    for _, group in table.groupby("stratum"):
        alike = survival.followed_alike(group["time"].to_numpy(), group["event"].to_numpy())
        scores[group.index] = survival.logrank_scores(*alike)
    return trend_p(table["level"], table["seed"], scores)


def trend_p(levels: pd.Series, seeds: pd.Series, scores: pd.Series) -> tuple[float, float]:
    """One-sided permutation p that scores do not rise with levels, and that they do not fall; a level's seed is
    relabelled as a whole."""
    totals = scores.groupby([levels, seeds]).sum()
    return survival.trend(totals.to_numpy(), totals.index.get_level_values(0).to_numpy(float), np.random.default_rng(0))


def jointly(verdict: Evidence, tests: Mapping[str, tuple[float, float]], text: str) -> Verdict:
    """The verdict on a claim of several parts, with the p of a test for each and of one for its opposite.

    reproduced: every part is shown (p: the largest). partly: some part is (p: the least times the number of parts). not
    reproduced: none is, and the opposite of some part is shown (by the least p times their number). undecided: else.
    """
    parts = len(tests)
    shown = [part for part, (p, _) in tests.items() if significant(parts * p)]
    opposed = [part for part, (_, p) in tests.items() if significant(parts * p)]
    text += "; one-sided " + ", ".join(f"p {p_is(p)} {part}" for part, (p, _) in tests.items())
    verdict.p_value = max(p for p, _ in tests.values())
    if significant(verdict.p_value):
        return verdict(REPRODUCED, f"It holds {listed(list(tests))}: {text}.")
    if shown:
        verdict.p_value = min(1.0, parts * min(p for p, _ in tests.values()))
        rest = listed([part for part in tests if part not in shown])
        less = f"the opposite holds {listed(opposed)}" if opposed else f"it is not shown {rest}"
        return verdict(PARTLY, f"It holds {listed(shown)}, but {less}: {text}.")
    if opposed:
        return verdict(NOT_REPRODUCED, f"The opposite holds {listed(opposed)}: {text}.")
    return verdict(UNDECIDED, f"Nothing is shown either way: {text}.")
