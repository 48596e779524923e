"""When the embeddings of a member become an ordered circle, how near to it they begin, and what becomes of the rest."""

import numpy as np
import pandas as pd

from .summary import studied, table

INPUTS = ("members", "designs", "embedding")
REPORTS = "002-C1, 002-C2, 002-C3, 002-C4, 002-C6"
STUDIES = ("representation", "simple_grokking", "perceptron_width")
COLUMNS = {
    "cell": ("", "id of the cell"),
    "seed": ("1", "seed of the member"),
    "architecture": ("", "model"),
    "width": ("1", "width of the embeddings"),
    "weight_decay": ("1", "weight decay"),
    "t2": ("steps", "training accuracy reaches the threshold"),
    "t4": ("steps", "steps to grokking; missing if never"),
    "generalised": ("", "whether t4 was reached"),
    "first_order": ("1", "order on the own two components before the first step"),
    "last_order": ("1", "the same after the last"),
    "half_step": ("steps", "first snapshot at which order has made half of its way; missing if it does not rise"),
    "frequency": ("1", "frequency of the final circle"),
    "roundness": ("1", "smaller over larger standard deviation on the own two components at the end"),
    "participation": ("1", "number of frequencies that the final embeddings are spread over"),
    "frequencies": ("1", "number of frequencies of the final structure"),
    "initial_order": ("1", "final_order before the first step"),
    "null_order": ("1", "that of independent initialisations, mean"),
    "null_order_p": ("1", "share of independent initialisations that have at least as much"),
    "null_order_less_p": ("1", "share of independent initialisations that have at most as much"),
    "initial_disparity": ("1", "Procrustes distance from the beginning to the end on the final components"),
    "null_disparity": ("1", "that of independent initialisations, mean"),
    "initial_structure": ("1", "share of the initial variance in the frequencies of the final structure"),
    "null_structure": ("1", "that of independent initialisations, mean"),
    "null_structure_p": ("1", "share of independent initialisations that have at least as much"),
    "last_structure": ("1", "share of the final variance in them"),
    "retained": ("1", "what decay alone has left of the initial embeddings, over the final ones, in norm"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame, embedding: pd.DataFrame) -> pd.DataFrame:
    """A row a member that was measured."""
    chosen = pd.concat([studied(members, designs, study) for study in STUDIES])
    chosen = chosen.drop_duplicates(["cell", "seed"]).set_index(["cell", "seed"])
    rows = [
        {"cell": cell, "seed": seed} | _row(chosen.loc[(cell, seed)], own.sort_values("step"))
        for (cell, seed), own in embedding.groupby(["cell", "seed"])
        if (cell, seed) in chosen.index
    ]
    return table(rows, COLUMNS)


def half_step(steps: np.ndarray, order: np.ndarray) -> float:
    """First of `steps` at which `order`, (n,), has made half of its way from the first to the last; nan if it fell."""
    if order[-1] <= order[0]:
        return np.nan
    return float(steps[np.argmax(order >= (order[0] + order[-1]) / 2)])


def _row(member: pd.Series, course: pd.DataFrame) -> dict:
    first, last = course.iloc[0], course.iloc[-1]
    width = member["embedding"] if pd.isna(member["width"]) else member["width"]
    return {
        **member[["architecture", "weight_decay", "t2", "t4", "generalised"]],
        "width": int(width),
        "first_order": first["order"],
        "last_order": last["order"],
        "half_step": half_step(course["step"].to_numpy(), course["order"].to_numpy(float)),
        **last[["frequency", "roundness", "participation", "frequencies"]],
        "initial_order": first["final_order"],
        "initial_disparity": first["disparity"],
        "initial_structure": first["structure"],
        **first[[name for name in first.index if name.startswith("null_")]],
        "last_structure": last["structure"],
        "retained": last["retained"],
    }
