"""How sudden the transition is: steps from the last validation accuracy of 5 % or less to the first of 99 %.

Evaluations bracket both ends, so the width is known up to an interval.
"""

import numpy as np
import pandas as pd

from ..events import generalisation
from . import summary

INPUTS = ("members", "designs", "histories")
REPORTS = "000-C12"
COLUMNS = {
    "cell": ("", "id of the cell"),
    "seed": ("1", "seed of the member"),
    "generalised": ("", "whether the validation accuracy reached the threshold"),
    "t4": ("steps", "first evaluation with validation accuracy at the threshold; missing if never"),
    "below": ("steps", "last evaluation before t4 with validation accuracy of at most 5 %"),
    "width": ("steps", "t4 - below: the transition takes at most this long"),
    "width_after": (
        "steps",
        "the transition takes longer than this: the evaluation before t4 - the one after below, or 0",
    ),
    "spacing": ("steps", "from the evaluation before t4 to t4"),
    "steepest": ("1", "largest gain of validation accuracy within any 100 steps"),
}
LOW = 0.05  # the report's "1 %", with room for the noise of guessing
WINDOW = 100  # steps, of the report's "within 100 steps"


def build(members: pd.DataFrame, designs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row a member of the study `transition`; members that have not generalised have only `steepest`."""
    chosen = summary.studied(members, designs, "transition")
    curves = histories[histories["cell"].isin(chosen["cell"])].groupby(["cell", "seed"])
    rows = [_row(member, curves.get_group((member["cell"], member["seed"]))) for _, member in chosen.iterrows()]
    return summary.table(rows, COLUMNS)


def _row(member: pd.Series, history: pd.DataFrame) -> dict:
    steps, accuracy = history["step"].to_numpy(), history["val_acc"].to_numpy()
    t4 = generalisation(steps, accuracy)  # by all evaluations of the history: closer than the table of members has it
    return {
        **member[["cell", "seed"]],
        "generalised": t4.reached,
        "t4": t4.at,
        **_width(steps, accuracy, t4.after, t4.at),
        "steepest": steepest(steps, accuracy, WINDOW),
    }


def _width(steps: np.ndarray, accuracy: np.ndarray, after: float, t4: float) -> dict:
    low = np.flatnonzero((steps < t4) & (accuracy <= LOW))
    if not len(low):  # never generalised (t4 is nan), or above LOW from the start
        return {}
    below, above = steps[low[-1]], steps[low[-1] + 1]
    return {"below": below, "width": t4 - below, "width_after": max(0.0, after - above), "spacing": t4 - after}


def steepest(steps: np.ndarray, accuracy: np.ndarray, window: int) -> float:
    """Largest gain of `accuracy` from one evaluation to a later one at most `window` steps away; 0 if there is none.

    steps: (n,), increasing; accuracy: float (n,), of any precision.
    """
    first = np.searchsorted(steps, steps - window)
    return float(max(accuracy[i] - accuracy[start : i + 1].min() for i, start in enumerate(first)))
