"""How the claims of report 003 on predicting generalisation from the first training losses are judged."""

import numpy as np
import pandas as pd

from . import discrimination
from .format import number, steps
from .judging import (
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    UNDECIDED,
    Architecture,
    Count,
    Evidence,
    Share,
    Study,
    Tables,
    Verdict,
    p_is,
    significant,
)
from .prediction import usable

PERMUTATIONS = 9999


def predicts_generalisation(
    tables: Tables, *, study: Study, architecture: Architecture, window: Count, near: Share, least_cells: Count
) -> Verdict:
    """Do oscillations of the first `window` training losses tell which members will generalise, and more than is known
    without them? Of members that have not generalised when the window ends. Two parts.

    Skill: a two-sided permutation test of the rank correlation of a cell's mean activity with the share of its members
    that generalise, summed over the fractions; cells are relabelled within a fraction. The sign is left open, as in the
    report. Gain: the 95 % interval of the gain in log loss over trivial baselines, on cells left out, over all
    fractions (table prediction_gain), lies above zero.

    reproduced: skill and gain. partly: skill, and the gain's interval is not above zero. not reproduced: no skill, and
    the interval of the AUROC lies within `near` of one half at every fraction that has one. undecided: else, and with
    fewer than `least_cells` cells of either outcome.
    """
    known = _at_risk(tables, study, architecture, window)
    if known.empty:
        return NOT_RUN
    found = tables["prediction_skill"]
    found = found[(found["architecture"] == architecture) & (found["window"] == window)]
    found = found[(found["population"] == "at risk") & (found["predictor"] == "activity") & found["auroc"].notna()]
    found = found[found["fraction"] != "pooled"].sort_values("fraction")
    each = ", ".join(f"{row.fraction}: {_range(row)}" for row in found.itertuples()) or "none"
    gains = tables["prediction_gain"]
    gain = gains[(gains["architecture"] == architecture) & (gains["fraction"] == "all")]
    if gain.empty:
        gain = gains[gains["architecture"] == architecture]
    gained = f"gain {_of_gain(gain.iloc[0])}" if len(gain) else "no gain could be computed"
    verdict = Evidence(known, f"AUROC by fraction {each}; {gained}")
    if (thin := _thin(known, least_cells)) or gain.empty:
        return verdict(UNDECIDED, thin or "At no fraction do enough cells of either outcome lie.")
    correlation, verdict.p_value = association(known)
    text = f"rank correlation {number(correlation, 2)} (p {p_is(verdict.p_value)}); {verdict.measured}"
    if significant(verdict.p_value):
        if gain["gain_low"].iloc[0] > 0:
            return verdict(REPRODUCED, f"There is skill and gain: {text}.")
        return verdict(PARTLY, f"There is skill, but none that is shown to go beyond what is trivially known: {text}.")
    if len(found) and found["auroc_low"].min() > 0.5 - near and found["auroc_high"].max() < 0.5 + near:
        return verdict(NOT_REPRODUCED, f"There is no skill to speak of: {text}.")
    return verdict(UNDECIDED, f"No skill is shown, and none is excluded: {text}.")


def early_suffices(
    tables: Tables,
    *,
    study: Study,
    architecture: Architecture,
    window: Count,
    longer: Count,
    margin: Share,
    least_cells: Count,
) -> Verdict:
    """Do the first `window` training losses predict as well as the first `longer`? Of members that have not generalised
    after `longer`: the AUROC of the activity (turned so that the longer window's is above one half) within each
    fraction, averaged over fractions by their members, and the difference between the two windows with a bootstrap
    interval at 95 % that draws cells and seeds.

    reproduced: the shorter window has skill by the test of `predicts_generalisation`, and the interval of longer minus
    shorter lies below `margin`. partly: it has skill, and the longer one is better (interval above zero). not
    reproduced: it is worse by more than `margin` (interval above it) and has no skill. undecided: else, and with fewer
    than `least_cells` cells of either outcome.
    """
    known = {name: _at_risk(tables, study, architecture, name) for name in (window, longer)}
    if known[longer].empty:
        return NOT_RUN
    short, long = (known[name].set_index(["cell", "seed"]) for name in (window, longer))
    short = short.loc[short.index.isin(long.index)]
    long = long.loc[short.index]
    both = long.reset_index().assign(shorter=short["activity"].to_numpy())
    values, difference = _compared(both)
    measured = f"mean AUROC {number(values[0], 2)} of {steps(window)} losses, {number(values[1], 2)} of {steps(longer)}"
    verdict = Evidence(both, measured if np.isfinite(values).all() else "no fraction with both outcomes")
    if (thin := _thin(both, least_cells)) or not np.isfinite(difference).all():
        return verdict(UNDECIDED, thin or "At no fraction do members of either outcome lie.")
    _, verdict.p_value = association(both.assign(activity=both["shorter"]))
    low, high = difference
    text = f"{measured}, difference [{number(low, 2)}, {number(high, 2)}]; p {p_is(verdict.p_value)} of the shorter"
    skill = significant(verdict.p_value)
    if skill and high < margin:
        return verdict(REPRODUCED, f"The first losses suffice: {text}.")
    if skill and low > 0:
        return verdict(PARTLY, f"The first losses tell something, later ones more: {text}.")
    if not skill and low > margin:
        return verdict(NOT_REPRODUCED, f"The first losses do not suffice: {text}.")
    return verdict(UNDECIDED, f"The difference is not known well enough: {text}.")


def association(members: pd.DataFrame) -> tuple[float, float]:
    """(mean rank correlation over fractions, two-sided permutation p): mean activity of a cell with the share of its
    members that generalise, cells relabelled within a fraction; fractions weigh by their cells."""
    cells = members.groupby(["fraction", "cell"])[["activity", "generalised"]].mean().reset_index()
    rng, total, drawn, size = np.random.default_rng(0), 0.0, np.zeros(PERMUTATIONS), 0
    for _, group in cells.groupby("fraction"):
        x, y = (_ranks(group[name].to_numpy(float)) for name in ("activity", "generalised"))
        if not (x.any() and y.any()):
            continue
        total += len(x) * (x @ y)
        drawn += len(x) * (rng.permuted(np.tile(x, (PERMUTATIONS, 1)), axis=1) @ y)
        size += len(x)
    if not size:
        return np.nan, 1.0
    extreme = np.sum(np.abs(drawn) >= abs(total) - 1e-9)
    return total / size, (1 + extreme) / (1 + PERMUTATIONS)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Centred mid-ranks of unit length; zeros where all are equal."""
    ranks = ((values[:, None] > values) + 0.5 * (values[:, None] == values)).sum(axis=1)
    ranks = ranks - ranks.mean()
    length = np.sqrt(ranks @ ranks)
    return ranks / length if length > 1e-9 else np.zeros(len(ranks))


def _at_risk(tables: Tables, study: str, architecture: str, window: int) -> pd.DataFrame:
    asked = tables["designs"].loc[tables["designs"]["study"] == study, "cell"]
    known = usable(tables["prediction"], window)
    return known[(known["architecture"] == architecture) & known["at_risk"].astype(bool) & known["cell"].isin(asked)]


def _thin(members: pd.DataFrame, least: int) -> str | None:
    shares = members.groupby("cell")["generalised"].mean()
    counts = {"in which most members generalise": (shares > 0.5).sum(), "in which most do not": (shares <= 0.5).sum()}
    what, count = min(counts.items(), key=lambda item: item[1])
    return None if count >= least else f"{count} cells {what} are too few: at least {least} are needed."


def _compared(members: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """((AUROC of the shorter window, of the longer), interval of longer - shorter), means over fractions."""
    rng, parts = np.random.default_rng(0), []
    for _, group in members.groupby("fraction"):
        positive = group["generalised"].to_numpy(bool)
        scores = [group[name].to_numpy(float) for name in ("shorter", "activity")]
        whole = [discrimination.auroc(score, positive)[0] for score in scores]
        if np.isfinite(whole).all():
            draws = discrimination.draws_of_members(group, rng)
            drawn = [discrimination.auroc(score, positive, draws) for score in scores]
            parts.append((len(group), np.array(whole), np.array(drawn)))
    if not parts:
        return (np.nan, np.nan), (np.nan, np.nan)
    share = np.array([size for size, *_ in parts], dtype=float)
    whole = np.average([values for _, values, _ in parts], axis=0, weights=share)
    sign = 1 if whole[1] >= 0.5 else -1
    drawn = np.average([values for *_, values in parts], axis=0, weights=share)
    values = 0.5 + sign * (whole - 0.5)
    return (float(values[0]), float(values[1])), discrimination.interval(sign * (drawn[1] - drawn[0]))


def _range(row) -> str:
    return f"{number(row.auroc, 2)} [{number(row.auroc_low, 2)}, {number(row.auroc_high, 2)}]"


def _of_gain(row: pd.Series) -> str:
    return f"{number(row['gain'], 2)} nats [{number(row['gain_low'], 2)}, {number(row['gain_high'], 2)}]"


TABLES = ("designs", "prediction", "prediction_skill", "prediction_gain")
CRITERIA = (predicts_generalisation, early_suffices)
