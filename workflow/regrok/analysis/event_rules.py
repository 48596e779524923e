"""How much the dates of t1..t4 depend on the rule that defines them.

In use are accuracies of 90 % (Liu et al. 2022, Table 1), 99 % (Power et al. 2022; ours) and 100 % (Notsawo et al. 2023)
for t2 and t4, and for t1 and t3 an accuracy above that of guessing (ours) or above zero (Notsawo et al. 2023). All are
read off the same evaluations, each sustained for three of them, and compared member by member with ours.
"""

import numpy as np
import pandas as pd
import scipy

from ..events import chance_bound, first_sustained
from . import format
from .summary import studied, table

INPUTS = ("members", "designs", "histories")
REPORTS = "003-F1, 003-C2"
COLUMNS = {
    "architecture": ("", "model"),
    "event": ("", "t1, t2, t3 or t4"),
    "rule": ("", "accuracy at which it happens: 'chance' (above that of guessing), 'any' (above 0), or a threshold"),
    "n": ("1", "members"),
    "reached": ("1", "members for which it happened by this rule"),
    "median": ("steps", "median step among those"),
    "pairs": ("1", "members for which it happened by this rule and by ours, chance or 0.99, after step 0"),
    "ratio": ("1", "median over these of its step by this rule over that by ours"),
    "low": ("1", "low end of its distribution-free 95 % interval; missing below 6"),
    "high": ("1", "high end"),
    "text": ("", "the ratio as printed"),
}
STUDY = "fractions_003"
RULES = {
    "t1": ("chance", "any"),
    "t2": ("0.99", "0.9", "1"),
    "t3": ("chance", "any"),
    "t4": ("0.99", "0.9", "1"),
}
"""Ours first."""
SIDE = {"t1": "train", "t2": "train", "t3": "val", "t4": "val"}


def build(members: pd.DataFrame, designs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, event, rule), of all members of the study fractions_003."""
    chosen = studied(members, designs, STUDY)
    dated = dates(chosen, histories)
    rows = [
        {"architecture": name, "event": event, "rule": rule} | _row(group, event, rule)
        for name, group in dated.groupby("architecture")
        for event, rules in RULES.items()
        for rule in rules
    ]
    return table(rows, COLUMNS)


def dates(members: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row a member: architecture, and a column "event rule" with the step, nan if it did not happen."""
    curves = histories[histories["cell"].isin(members["cell"])].groupby(["cell", "seed"])
    rows = [
        {"architecture": member["architecture"]} | _dates(member, curves.get_group((member["cell"], member["seed"])))
        for _, member in members.iterrows()
    ]
    return pd.DataFrame(
        rows, columns=["architecture", *(f"{event} {rule}" for event in RULES for rule in RULES[event])]
    )


def _dates(member: pd.Series, history: pd.DataFrame) -> dict[str, float]:
    history = history[history["step"] <= member["last_step"]]
    steps = history["step"].to_numpy()
    return {
        f"{event} {rule}": first_sustained(steps, _holds(member, history, SIDE[event], rule)).at
        for event, rules in RULES.items()
        for rule in rules
    }


def _holds(member: pd.Series, history: pd.DataFrame, side: str, rule: str) -> np.ndarray:
    accuracy = history[f"{side}_acc"].to_numpy()
    if rule == "chance":
        return accuracy > chance_bound(int(member[f"evaluated_{side}"]), 1 / member["chance"])
    if rule == "any":
        return accuracy > 0
    return accuracy >= float(rule)


def _row(dated: pd.DataFrame, event: str, rule: str) -> dict:
    ours, other = dated[f"{event} {RULES[event][0]}"], dated[f"{event} {rule}"]
    both = (ours > 0) & (other > 0)
    ratios = np.sort((other[both] / ours[both]).to_numpy(float))
    low, high = median_interval(ratios)
    value = float(np.median(ratios)) if len(ratios) else np.nan
    return {
        "n": len(dated),
        "reached": int(other.notna().sum()),
        "median": other.median(),
        "pairs": len(ratios),
        "ratio": value,
        "low": low,
        "high": high,
        "text": format.ratio(value, low, high, ""),
    }


def median_interval(ordered: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The narrowest pair of order statistics, equally far from both ends, that covers a median with `level`.

    ordered: increasing, (n,). (nan, nan) below 6 values, where there is none.
    """
    n = len(ordered)
    outside = np.arange(n // 2)  # values beyond each end
    allowed = outside[2 * scipy.stats.binom.cdf(outside, n, 0.5) <= 1 - level]
    if not len(allowed):
        return np.nan, np.nan
    return float(ordered[allowed[-1]]), float(ordered[n - 1 - allowed[-1]])
