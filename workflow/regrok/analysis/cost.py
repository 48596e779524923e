"""What was trained and what it cost.

A cell that several studies share is counted once, in the first study of config.yaml that asks for it.
"""

import numpy as np
import pandas as pd

from . import summary

INPUTS = ("members", "designs", "histories")
REPORTS = ""
COLUMNS = {
    "study": ("", "study, in the order of config.yaml; the last row is the total"),
    "asked": ("1", "cells that the study asks for"),
    "cells": ("1", "cells with members that the study is the first to ask for: all further columns are theirs"),
    "members": ("1", "members"),
    "member_steps": ("steps", "optimisation steps of all members together"),
    "evaluations": ("1", "evaluations of all members together"),
    "evaluation_share": ("1", "share of the CPU time that evaluation took"),
    "overhead_share": ("1", "share of it that starting, imports, set-up and writing records took"),
    "flops": ("FLOP", "training FLOPs, evaluation not included"),
    "cpu_hours": ("h", "CPU time"),
    "wall_hours": ("h", "wall time, each member's share of its stack added up"),
}


def build(members: pd.DataFrame, designs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row a study, and the total."""
    first = designs.drop_duplicates("cell").set_index("cell")["study"]
    counts = histories.groupby(["cell", "seed"]).size().rename("evaluations").reset_index()
    members = members.merge(counts, on=["cell", "seed"], how="left").fillna({"evaluations": 0})
    owner = members["cell"].map(first)
    studies = list(designs["study"].unique())
    rows = [_row(s, designs[designs["study"] == s], members[owner == s]) for s in studies]
    return summary.table([*rows, _row("total", designs, members[owner.isin(studies)])], COLUMNS)


def _row(study: str, designs: pd.DataFrame, members: pd.DataFrame) -> dict:
    cpu_seconds = members["cpu_seconds"].sum()

    def share(part: str) -> float:
        return members[f"{part}_cpu_seconds"].sum(skipna=False) / cpu_seconds if cpu_seconds else np.nan

    return {
        "study": study,
        "asked": designs["cell"].nunique(),
        "cells": members["cell"].nunique(),
        "members": len(members),
        "member_steps": members["last_step"].sum(),
        "evaluations": int(members["evaluations"].sum()),
        "evaluation_share": share("evaluation"),
        "overhead_share": share("overhead"),
        "flops": members["flops"].sum(),
        "cpu_hours": cpu_seconds / 3600,
        "wall_hours": members["wall_seconds"].sum() / 3600,
    }
