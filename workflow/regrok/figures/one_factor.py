"""What figures of report 001 share: members at the report's own settings but for what a panel or a row varies."""

import pandas as pd

from ..analysis.reported_001 import FRACTION, HYPERPARAMETERS

OWN = {"terms": 2, "fraction": FRACTION, "optimizer": "adamw"} | {
    setting: HYPERPARAMETERS[setting] for setting in ("learning_rate", "weight_decay", "batch_size", "dropout")
}
LSTM_HIDDEN = 128  # hidden width of the LSTM that every scale trains


def alike(members: pd.DataFrame, *free: str) -> pd.DataFrame:
    """The `members` at the report's settings, those in `free` aside."""
    for setting, value in OWN.items():
        if setting not in free:
            members = members[members[setting] == value]
    return members


def one_lstm(members: pd.DataFrame) -> pd.DataFrame:
    """Without LSTMs of other hidden widths than `LSTM_HIDDEN`, or than the widest where that was not trained."""
    lstm = members["architecture"] == "lstm"
    widths = members.loc[lstm, "hidden"]
    return members[~lstm | (members["hidden"] == (LSTM_HIDDEN if (widths == LSTM_HIDDEN).any() else widths.max()))]
