"""Floor 0. When a member leaves chance, memorises and generalises, and where it may stop being followed.

t1, t3: training / validation accuracy leaves chance; t2, t4: it reaches the threshold (Notsawo et al. 2023, section 2).
"""

from dataclasses import dataclass

import numpy as np

THRESHOLD = 0.99  # accuracy that counts as reached
CONFIRMATIONS = 3  # evaluations in a row an event must hold
CHANCE_TAIL = 1e-4  # probability that guessing exceeds the bound for leaving chance, at one evaluation
GROKKING_DELAY = 1000  # least t4 - t2, in steps, to call a generalisation grokking
MARGIN = 0.1  # share of t4 that a member is followed beyond t4
LEAST_MARGIN = 200  # and at least so many steps

EARLY_STEPS = (0, 1, 2, 5, 10, 20)
LEAST_GAP = 50
SNAPSHOTS_A_DECADE = (1, 1.5, 2, 3, 5, 7)  # times a power of ten from 100 on: steps at which every cell is evaluated


@dataclass(frozen=True)
class Event:
    """First evaluation at which something held, in steps; it happened in (after, at]. Both nan if it never did."""

    after: float
    at: float

    @property
    def reached(self) -> bool:
        return not np.isnan(self.at)


NEVER = Event(np.nan, np.nan)


@dataclass(frozen=True)
class Follow:
    """How far a member is to be followed: to t4 plus a margin but at most `until_event` steps, and in any
    case `until_budget` steps. `dense`: (every, until) pairs of additional evaluations; `snapshots`: the same of weights
    that are kept beside those at log-spaced steps, none if empty; `signals`: steps whose signals are recorded."""

    until_event: int
    until_budget: int
    dense: tuple[tuple[int, int], ...] = ()
    snapshots: tuple[tuple[int, int], ...] = ()
    signals: int = 0

    @property
    def budget(self) -> int:
        return max(self.until_event, self.until_budget)

    @property
    def measurement(self) -> tuple:
        """What is measured, however far a member is followed."""
        return (self.dense, self.snapshots, self.signals) if self.snapshots or self.signals else self.dense


def spacing(step: int) -> int:
    """Steps from one evaluation to the next: 1 to 2.5 % of `step`, at least 50, dividing every round number."""
    decade = 10 ** int(np.log10(max(step, 1)))
    mantissa = step // decade
    percent = 2 if mantissa < 2 else 5 if mantissa < 5 else 10
    return max(LEAST_GAP, percent * decade // 100)


def evaluation_steps(budget: int, dense: tuple[tuple[int, int], ...] = ()) -> np.ndarray:
    """Steps at which a member is evaluated up to and including `budget`: int64, increasing from 0."""
    steps = {step for step in EARLY_STEPS if step <= budget}
    step = LEAST_GAP
    while step <= budget:
        steps.add(step)
        step += spacing(step)
    for every, until in dense:
        steps.update(range(0, min(budget, until) + 1, every))
    return np.array(sorted(steps | {budget}))


def snapshot_steps(budget: int, stretches: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Steps at which a member's weights are kept up to and including `budget`: int64, increasing; none without
    `stretches`, (every, until) pairs, which come on top of log-spaced steps."""
    if not stretches:
        return np.array([], dtype=np.int64)
    decades = (10**n for n in range(2, len(str(budget)) + 1))
    steps = {*EARLY_STEPS, LEAST_GAP, *(int(factor * decade) for decade in decades for factor in SNAPSHOTS_A_DECADE)}
    for every, until in stretches:
        steps.update(range(0, until + 1, every))
    return np.array(sorted(step for step in steps if step <= budget))


def first_sustained(steps: np.ndarray, holds: np.ndarray) -> Event:
    """The first of `CONFIRMATIONS` evaluations in a row at which `holds` (bool, shape of `steps`)."""
    runs = np.convolve(holds, np.ones(CONFIRMATIONS, dtype=int), "valid") if len(holds) >= CONFIRMATIONS else []
    found = np.flatnonzero(np.asarray(runs) == CONFIRMATIONS)
    if not len(found):
        return NEVER
    index = found[0]
    return Event(float(steps[index - 1]) if index else 0.0, float(steps[index]))


def chance_bound(examples: int, classes: float) -> float:
    """Accuracy that guessing among `classes`, the inverse of the chance of being right, exceeds on `examples` with
    probability below `CHANCE_TAIL`."""
    from scipy.stats import binom  # takes a second to import, and most readers of this module need no event

    return float(binom.isf(CHANCE_TAIL, examples, 1 / classes)) / examples


def generalisation(steps: np.ndarray, val_acc: np.ndarray) -> Event:
    """t4."""
    return first_sustained(steps, val_acc >= THRESHOLD)


def events(history: dict[str, np.ndarray], n_train: int, n_val: int, classes: float) -> dict[str, Event]:
    """t1..t4 of a history with columns step, train_acc, val_acc."""
    steps, train, val = (np.asarray(history[key]) for key in ("step", "train_acc", "val_acc"))
    return {
        "t1": first_sustained(steps, train > chance_bound(n_train, classes)),
        "t2": first_sustained(steps, train >= THRESHOLD),
        "t3": first_sustained(steps, val > chance_bound(n_val, classes)),
        "t4": generalisation(steps, val),
    }


def last_step(t4: Event, follow: Follow) -> int:
    """The step to which a member with this t4 (NEVER, if not reached yet) is to be followed."""
    if not t4.reached:
        return follow.budget
    beyond = t4.at + max(LEAST_MARGIN, MARGIN * t4.at)
    if beyond >= follow.until_event:
        return follow.budget
    grid = evaluation_steps(follow.until_event, follow.dense)
    return max(follow.until_budget, int(grid[np.searchsorted(grid, beyond)]))
