"""Table 3 of report 000 in both of its readings: embedding width 80 throughout, or the width that gives its counts."""

import numpy as np
import pandas as pd

from . import reported, summary

INPUTS = ("members", "designs")
REPORTS = "000-T3, 000-C6, 000-C11"
COLUMNS = {
    "hidden": ("1", "width of each hidden layer"),
    "layers": ("1", "number of hidden layers"),
    "reading": (
        "",
        "fixed: the embedding width of the described model; matched: the width that gives the reported count",
    ),
    "embedding": ("1", "width of each operand's embedding"),
    "cell": ("", "id of the cell"),
    "n_parameters": ("1", "parameters of the model"),
    "reported_parameters": ("1", "parameters by the report"),
    "parameter_ratio": ("1", "n_parameters / reported_parameters"),
    "n": ("1", "members"),
    "share_memorised": ("1", "share of the members whose training accuracy reached the threshold"),
    "share_generalised": ("1", "share of the members whose validation accuracy reached the threshold"),
    "share_grokked": ("1", "share of the members that generalised long after they memorised"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of the 95 % interval of the median; missing below 6 members"),
    "high": ("steps", "upper end of the 95 % interval of the median; inf if beyond the budget"),
    "budget": ("steps", "steps that a member is followed at most"),
    "text": ("", "the median as printed"),
    "reported": ("", "whether it groks by the report: yes, sometimes or no"),
}
EMBEDDING = 80  # width that gives the report's "about 65 000 parameters" with two hidden layers of 128


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a cell of the study `architectures`: first the fixed reading, each in the order of Table 3."""
    chosen = summary.studied(members, designs, "architectures")
    rows = [_row(cell, group) for cell, group in summary.by_cell(chosen)]
    order = list(reported.ARCHITECTURES)
    rows.sort(key=lambda row: (row["reading"], order.index(shape) if (shape := _shape(row)) in order else len(order)))
    return summary.table(rows, COLUMNS)


def _shape(row: dict) -> tuple[int, int]:
    return row["hidden"], row["layers"]


def _row(cell: pd.Series, members: pd.DataFrame) -> dict:
    row = dict(cell[["hidden", "layers", "embedding", "cell", "n_parameters"]])
    theirs = reported.ARCHITECTURES.get(_shape(row), {"parameters": np.nan, "grokking": ""})
    return {
        **row,
        "reading": "fixed" if row["embedding"] == EMBEDDING else "matched",
        "reported_parameters": theirs["parameters"],
        "parameter_ratio": row["n_parameters"] / theirs["parameters"],
        **summary.steps(members),
        **summary.shares(members),
        "reported": theirs["grokking"],
    }
