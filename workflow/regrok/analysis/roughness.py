"""How rough training is: the share of falls in all movement of the training accuracy while it is learnt, and how far
validation accuracy falls back later.

Read off the evaluations that every cell has. Roughness ends at t2: on the plateau behind it every flicker adds as much
falling as rising, so that a longer plateau alone would look rougher. A member is followed beyond t4 to its budget in
large_modulus, elsewhere only by the margin of 10 %, so late falls of the two studies do not compare.
"""

import numpy as np
import pandas as pd

from ..events import evaluation_steps
from . import summary

INPUTS = ("members", "designs", "histories")
REPORTS = "001-C9, 001-C11"
COLUMNS = {
    "study": ("", "fractions or large_modulus"),
    "architecture": ("", "model"),
    "fraction": ("1", "share of the examples that is trained on"),
    "hidden": ("1", "width of a hidden layer; missing for a Transformer"),
    "schedule": ("", "learning rate after the warm-up"),
    "cell": ("", "id of the cell"),
    "seed": ("1", "seed of the member"),
    "until": ("steps", "t2, or the last step of a member without it: roughness is read up to it"),
    "train_roughness": (
        "1",
        "falls over falls and rises of the training accuracy up to then: 0 if it only rises, 1/2 if it goes nowhere",
    ),
    "fall_after_t2": (
        "1",
        "largest fall of the validation accuracy below its maximum since t2; missing before t2",
    ),
}
STUDIES = ("fractions", "large_modulus")


def build(members: pd.DataFrame, designs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row a member of the two studies, in the order of `members`."""
    alike = histories["step"].isin(evaluation_steps(int(histories["step"].max()) if len(histories) else 0))
    chosen = {study: summary.studied(members, designs, study) for study in STUDIES}
    cells = pd.concat([own["cell"] for own in chosen.values()])
    curves = dict(list(histories[alike & histories["cell"].isin(cells)].groupby(["cell", "seed"])))
    rows = [
        _row(study, member, curves[member["cell"], member["seed"]])
        for study, own in chosen.items()
        for _, member in own.iterrows()
    ]
    return summary.table(rows, COLUMNS)


def roughness(values: np.ndarray) -> float:
    """Falls over falls and rises of a curve, float (n,): in [0, 1], 0 if it never moves."""
    moves = np.diff(values)
    total = np.abs(moves).sum()
    return float(-moves[moves < 0].sum() / total) if total else 0.0


def largest_fall(values: np.ndarray) -> float:
    """How far a curve, float (n,), comes below its maximum so far at most; nan with fewer than two values."""
    return float((np.maximum.accumulate(values) - values).max()) if len(values) > 1 else np.nan


def _row(study: str, member: pd.Series, history: pd.DataFrame) -> dict:
    history = history[history["step"] <= member["last_step"]]
    until = member["t2"] if pd.notna(member["t2"]) else member["last_step"]
    before, after = history[history["step"] <= until], history[history["step"] >= member["t2"]]
    return {
        **member[["architecture", "fraction", "schedule", "cell", "seed"]],
        "study": study,
        "hidden": float(member["hidden"]) if pd.notna(member["hidden"]) else np.nan,
        "until": until,
        "train_roughness": roughness(before["train_acc"].to_numpy(float)),
        "fall_after_t2": largest_fall(after["val_acc"].to_numpy(float)),
    }
