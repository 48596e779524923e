"""Every setting of every cell, with what its studies ask of it."""

import pandas as pd

from . import factors, summary

INPUTS = ("cells", "designs")
REPORTS = "000-T1"
COLUMNS = {
    "cell": ("", "id of the cell"),
    "studies": ("", "studies that ask for the cell"),
    "seeds": ("1", "members: seeds 0 to seeds - 1"),
    "budget": ("steps", "steps that a member is followed at most"),
    "stop": ("", "event: members may stop after t4; budget: all are followed to the budget"),
    "n_parameters": ("1", "parameters of the model"),
    "flops_per_step": ("FLOP", "training FLOPs of one step of one member"),
    **factors.COLUMNS,
}


def build(cells: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a cell that a study asks for, in the order of `designs`."""
    asked = designs.groupby("cell", sort=False).agg(
        studies=("study", lambda names: ", ".join(dict.fromkeys(names))),
        seeds=("seeds", "max"),
        budget=("budget", "max"),
        stop=("stop", "min"),  # "budget" before "event": one study that asks for all of it prevails
    )
    merged = asked.reset_index().merge(cells, on="cell")
    return merged[list(COLUMNS)] if len(merged) else summary.table([], COLUMNS)
