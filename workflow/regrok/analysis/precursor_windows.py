"""What each signal does in the steps before a member generalises, and over the same steps in members that do not.

Every window has a largest value, and norms shrink under weight decay anyway: of each member that generalises, the
window before its t4 is compared with the same steps of members that were at risk then and are not about to generalise.
There are three kinds of them, with less in common each: members of the same cell that do so more than a window later,
or never; members at another training fraction but the same weight decay, and members at another decay, that never do.
"""

import numpy as np
import pandas as pd

from .summary import table

INPUTS = ("precursor_signals",)
REPORTS = "000-C7, 000-C8, 000-C9"
WINDOW = 1000  # steps before t4
BAND = (100, 500)  # report 000, section 3.2: a peak so many steps before
LOSS_FACTOR = 3.0  # by which training losses may differ to count as equal
COLUMNS = {
    "signal": ("", "weight_norm, gradient_variance, relative_variance or sharpness"),
    "cell": ("", "id of the cell of the member that generalises"),
    "seed": ("1", "its seed"),
    "t4": ("steps", "its steps to grokking, with which the window ends"),
    "other_cell": ("", "id of the cell that was looked at: its own, or a control's"),
    "other_seed": ("1", "seed of the member that was looked at"),
    "control": ("", "what that is: empty for the member itself; setting, decay or other, as described above"),
    "points": ("1", "values of the signal in the window"),
    "lead": ("steps", "from the largest value in the window to its end"),
    "in_band": ("", "whether lead is between 100 and 500 steps"),
    "change": ("1", "log10 of the last value in the window over the first"),
    "falling": ("1", "share of the changes from one value to the next that are falls"),
    "at_equal_loss": (
        "1",
        "log10 of the member's median value in the last half of its window over the control's where the training loss "
        "is nearest, at most a factor of three away; missing for the member itself or without such a point",
    ),
}
LEAST = 3  # values
MATCHED = ("setting", "decay")  # controls that are trained with the same weight decay


def build(precursor_signals: pd.DataFrame) -> pd.DataFrame:
    """A row a (signal, member that generalises, member that was looked at)."""
    rows = []
    for signal, own in precursor_signals.groupby("signal", sort=False):
        series = {key: one.sort_values("step") for key, one in own.groupby(["cell", "seed"])}
        about = own.drop_duplicates(["cell", "seed"]).set_index(["cell", "seed"])
        for key, one in series.items():
            t4 = about.loc[key, "t4"]
            if np.isfinite(t4) and t4 > WINDOW:
                for name, kind in at_risk(about, key).items():
                    rows.append(_row(signal, key, t4, name, kind, series[name], one))
    return table([row for row in rows if row["points"] >= LEAST], COLUMNS)


def at_risk(about: pd.DataFrame, key: tuple) -> dict[tuple, str]:
    """(cell, seed) -> what it is for the member `key`; about: weight_decay, t4 and followed, by (cell, seed)."""
    own = about.loc[key]
    found = {key: ""}
    for name, other in about.iterrows():
        never = np.isnan(other["t4"]) and other["followed"] >= own["t4"]
        if name != key and name[0] == key[0] and (never or other["t4"] > own["t4"] + WINDOW):
            found[name] = "setting"
        elif name[0] != key[0] and never:
            found[name] = "decay" if other["weight_decay"] == own["weight_decay"] else "other"
    return found


def _row(signal: str, key: tuple, t4: float, name: tuple, kind: str, other: pd.DataFrame, own: pd.DataFrame) -> dict:
    window = other[other["step"].between(t4 - WINDOW, t4)]
    values, steps = window["value"].to_numpy(float), window["step"].to_numpy(float)
    row = {"signal": signal, "cell": key[0], "seed": key[1], "t4": t4, "other_cell": name[0], "other_seed": name[1]}
    row |= {"control": kind, "points": len(values)}
    if len(values) < LEAST:
        return row
    lead = float(t4 - steps[np.argmax(values)])
    before = other[other["step"] <= np.nan_to_num(float(other["t4"].iloc[0]) - WINDOW, nan=np.inf)]
    return row | {
        "lead": lead,
        "in_band": BAND[0] <= lead <= BAND[1],
        "change": float(np.log10(values[-1] / values[0])) if min(values[0], values[-1]) > 0 else np.nan,
        "falling": float(np.mean(np.diff(values) < 0)),
        "at_equal_loss": equal_loss(own[own["step"].between(t4 - WINDOW / 2, t4)], before) if kind else np.nan,
    }


def equal_loss(own: pd.DataFrame, other: pd.DataFrame) -> float:
    """log10 of the median value of `own` over that of `other` at the step whose training loss is nearest to own's
    median; nan if none is within a factor of `LOSS_FACTOR`, or if a value is not above zero."""
    loss, losses = own["train_loss"].median(), other["train_loss"].to_numpy(float)
    if not len(own) or not loss > 0 or not (losses > 0).any():
        return np.nan
    distance = np.abs(np.log(np.where(losses > 0, losses, np.nan) / loss))
    nearest = int(np.nanargmin(distance))
    ratio = own["value"].median() / other["value"].to_numpy(float)[nearest]
    return float(np.log10(ratio)) if distance[nearest] <= np.log(LOSS_FACTOR) and ratio > 0 else np.nan
