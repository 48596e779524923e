"""Barriers on the line from the weights of a step to those of the end of training, by member and step."""

import numpy as np
import pandas as pd

from .summary import studied, table

INPUTS = ("members", "designs", "landscape_line")
REPORTS = "003-F5, 003-C9"
COLUMNS = {
    "cell": ("", "id of the cell"),
    "seed": ("1", "seed of the member"),
    "architecture": ("", "model"),
    "fraction": ("1", "share of the examples that is trained on"),
    "start": ("steps", "step that the line leaves from"),
    "end": ("steps", "last step, at which it arrives"),
    "t4": ("steps", "steps to grokking; missing if never"),
    "generalised": ("", "whether t4 was reached"),
    "before": ("", "whether the step lies before t4"),
    "train_barrier": ("nats", "largest training loss on the way, above the straight line between its two ends"),
    "val_barrier": ("nats", "the same of the validation loss"),
    "bumps": ("1", "local maxima of the training loss on the way that rise by more than 0.01 nats on either side"),
}
BUMP = 0.01  # nats


def build(members: pd.DataFrame, designs: pd.DataFrame, landscape_line: pd.DataFrame) -> pd.DataFrame:
    """A row a (member, start) of the study `landscape`."""
    chosen = studied(members, designs, "landscape").set_index(["cell", "seed"])
    lines = landscape_line[landscape_line["target"] == "end"].groupby(["cell", "seed", "start"])
    rows = [_row(key, line, chosen.loc[key[:2]]) for key, line in lines if key[:2] in chosen.index]
    return table(rows, COLUMNS)


def _row(key: tuple, line: pd.DataFrame, member: pd.Series) -> dict:
    cell, seed, start = key
    way = line[line["alpha"].between(-1e-9, 1 + 1e-9)].sort_values("alpha")
    alpha = way["alpha"].to_numpy()
    return {
        "cell": cell,
        "seed": seed,
        **member[["architecture", "fraction", "t4", "generalised"]],
        "start": start,
        "end": line["target_step"].iloc[0],
        "before": not start >= member["t4"],
        "train_barrier": barrier(alpha, way["train_loss"].to_numpy()),
        "val_barrier": barrier(alpha, way["val_loss"].to_numpy()),
        "bumps": bumps(way["train_loss"].to_numpy(), BUMP),
    }


def barrier(alpha: np.ndarray, loss: np.ndarray) -> float:
    """The most by which `loss`, (n,), exceeds the straight line between its ends; alpha from 0 to 1, increasing."""
    return float(np.max(loss - (loss[0] + alpha * (loss[-1] - loss[0]))))


def bumps(loss: np.ndarray, least: float) -> int:
    """Maxima between falls and rises of more than `least`."""
    count, low, high, rising = 0, loss[0], loss[0], False
    for value in loss[1:]:
        if rising:
            high = max(high, value)
            if value < high - least:
                count, low, rising = count + 1, value, False
        else:
            low = min(low, value)
            if value > low + least:
                high, rising = value, True
    return count
