"""The best point of each optimiser's sweep, cross-fitted: chosen on even seeds, reported on odd ones, and vice versa.

The best of many points looks better than it is on the seeds that chose it; here no seed is reported at a point that it
helped to choose.
"""

import pandas as pd

from . import optimizer_sweep, summary

INPUTS = ("members", "designs")
REPORTS = "000-C2b, 000-C2d, 001-C3"
COLUMNS = {
    "study": ("", "optimizer_sweep (report 000) or optimizer_sweep_001"),
    "optimizer": ("", "adamw (decoupled decay), adam, sgd or rmsprop (decay added to the gradient)"),
    "points": ("1", "points of the sweep"),
    "learning_rate_even": ("1", "learning rate chosen on the even seeds, reported on the odd"),
    "weight_decay_even": ("1", "weight decay chosen on the even seeds, reported on the odd"),
    "learning_rate_odd": (
        "1",
        "learning rate chosen on the odd seeds, reported on the even; missing without odd seeds",
    ),
    "weight_decay_odd": ("1", "weight decay chosen on the odd seeds, reported on the even; missing without odd seeds"),
    "same": ("", "whether both halves chose the same point"),
    "n": ("1", "members reported; 0 if there is but one seed"),
    "events": ("1", "members reported that generalised"),
    "share_memorised": ("1", "share of them whose training accuracy reached the threshold"),
    "share_generalised": ("1", "share of them whose validation accuracy reached the threshold"),
    "share_grokked": ("1", "share of them that generalised long after they memorised"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that a member is followed at most"),
    "text": ("", "the median as printed"),
}
POINT = ["learning_rate", "weight_decay"]


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an optimiser of each sweep."""
    rows = [
        _row(optimizer, group, designs, study)
        for study in optimizer_sweep.STUDIES
        for optimizer, group in summary.studied(members, designs, study).groupby("optimizer")
    ]
    return summary.table(rows, COLUMNS)


def cross_fitted(members: pd.DataFrame, designs: pd.DataFrame, study: str) -> pd.DataFrame:
    """The members that are reported, of one optimiser's `members` as the sweep `study` asks for them; none with one
    seed."""
    own = halves(summary.studied(members, designs, study))
    chosen = {parity: best(half, designs, study)["cell"] for parity, half in own.items()}
    others = {"even": "odd", "odd": "even"}
    reported = [half[half["cell"] == chosen.get(others[parity])] for parity, half in own.items()]
    return pd.concat(reported) if reported else members.head(0)


def halves(members: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The members with even and those with odd seeds, where there are any."""
    odd = members["seed"] % 2 == 1
    return {parity: half for parity, half in (("even", members[~odd]), ("odd", members[odd])) if len(half)}


def best(members: pd.DataFrame, designs: pd.DataFrame, study: str) -> pd.Series:
    """The point of one optimiser in the sweep `study` with the least median; at equal medians (such as two that are not
    reached) the one with more generalised members, then with the larger mean of the best validation accuracy."""
    points = optimizer_sweep.points(members, designs, study)
    ranked = points.sort_values(
        ["median", "share_generalised", "best_val_acc", *POINT], ascending=[True, False, False, True, True]
    )
    return ranked.iloc[0]


def _row(optimizer: str, members: pd.DataFrame, designs: pd.DataFrame, study: str) -> dict:
    choices = {parity: best(half, designs, study) for parity, half in halves(members).items()}
    reported = cross_fitted(members, designs, study)
    return {
        "study": study,
        "optimizer": optimizer,
        "points": members["cell"].nunique(),
        **{f"{setting}_{parity}": choice[setting] for parity, choice in choices.items() for setting in POINT},
        "same": len({choice["cell"] for choice in choices.values()}) == 1,
        **summary.steps(reported),
        **summary.shares(reported),
    }
