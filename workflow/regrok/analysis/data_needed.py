"""How much data each operation needs: the smallest fraction at which its median member generalises within the budget.

Two ratios of median steps go with it, both at the smallest fraction where every operation and split reaches its median:
against division under the same split, and of unordered against ordered pairs of the same operation.
"""

import numpy as np
import pandas as pd

from . import operations, summary

INPUTS = ("members", "designs")
REPORTS = "000-F3, 000-C4"
COLUMNS = {
    "operation": ("", "operation of the task"),
    "symmetric": ("", "whether x op y = y op x"),
    "pairs": ("", "what the split draws: ordered pairs, or unordered pairs together with their mirror"),
    "fractions": ("1", "fractions tried"),
    "n": ("1", "members at the fraction that has the fewest"),
    "needed": ("1", "smallest fraction at which the median is reached within the budget; missing if none"),
    "below": ("1", "largest fraction tried below that one, so the need lies between the two; missing if none"),
    "compared_at": ("1", "fraction of the two ratios; missing if there is none where every median is reached"),
    "steps_ratio": ("1", "median steps over those of division under the same split"),
    "steps_ratio_low": ("1", "lower end of its 95 % bootstrap interval; missing below 6 members"),
    "steps_ratio_high": ("1", "upper end of its 95 % bootstrap interval; missing below 6 members"),
    "steps_ratio_bound": ("", "> or < where censoring leaves only that side of it known"),
    "steps_ratio_text": ("", "the ratio as printed"),
    "mirror_ratio": ("1", "median steps over those of ordered pairs of the same operation"),
    "mirror_ratio_low": ("1", "lower end of its 95 % bootstrap interval; missing below 6 members"),
    "mirror_ratio_high": ("1", "upper end of its 95 % bootstrap interval; missing below 6 members"),
    "mirror_ratio_bound": ("", "> or < where censoring leaves only that side of it known"),
    "mirror_ratio_text": ("", "the ratio as printed"),
}
REFERENCE = "divide"


def build(members: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row an (operation, pairs) of the study `operations`."""
    cells = operations.build(members, designs)
    at = comparable(cells)
    chosen = summary.studied(members, designs, "operations")
    compared = chosen[chosen["fraction"] == at]
    groups = cells.groupby(["operation", "symmetric", "pairs"], sort=False)
    return summary.table([_row(*key, group, at, compared) for key, group in groups], COLUMNS)


def comparable(cells: pd.DataFrame) -> float:
    """The smallest fraction at which every (operation, pairs) of the table `operations` reaches its median, or nan."""
    series = len(cells[["operation", "pairs"]].drop_duplicates())
    reached = cells[cells["median"] < np.inf].groupby("fraction").size()
    return float(reached.index[reached == series].min())


def _row(operation: str, symmetric: bool, pairs: str, cells: pd.DataFrame, at: float, compared: pd.DataFrame) -> dict:
    needed = cells.loc[cells["median"] < np.inf, "fraction"].min()

    def trained(operation: str, pairs: str) -> pd.DataFrame:
        return compared[(compared["operation"] == operation) & (compared["pairs"] == pairs)]

    own = trained(operation, pairs)
    return {
        "operation": operation,
        "symmetric": symmetric,
        "pairs": pairs,
        "fractions": len(cells),
        "n": cells["n"].min(),
        "needed": needed,
        "below": cells.loc[cells["fraction"] < needed, "fraction"].max(),
        "compared_at": at,
        **summary.relative(own, trained(REFERENCE, pairs), "steps_ratio"),
        **summary.relative(own, trained(operation, "ordered"), "mirror_ratio"),
    }
