"""Laws of steps to grokking against the training fraction, fitted to the members of report 003's study."""

import pandas as pd

from . import scaling, survival
from .summary import studied, table

INPUTS = ("members", "designs")
REPORTS = "003-C1"
COLUMNS = scaling.COLUMNS | {"source": ("", "architecture of the members")}


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an (architecture, law) of the study fractions_003."""
    own = studied(members, designs, "fractions_003")
    rows = [
        row
        for name, group in own.groupby("architecture")
        for row in scaling.rows(name, group["fraction"].to_numpy(float), *survival.intervals(group))
    ]
    return table(rows, COLUMNS)
