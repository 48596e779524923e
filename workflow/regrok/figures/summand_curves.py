"""Figure 7 of report 001: sums of K terms, at the same share of the data and at the same number of examples."""

import pandas as pd
from matplotlib.figure import Figure

from ..analysis import format, summary
from . import curves, one_factor, style

INPUTS = ("histories", "members", "designs")
TITLE = "Sums of K terms"
REPORTS = "001-F7, 001-C14"
ALT = (
    "Training and validation accuracy, and below them the losses, of the Transformer on sums of two, three and four "
    "terms modulo 41, against the optimisation step on a logarithmic axis with a second axis in epochs. Above, all "
    "train on the same share of the examples; below, on the same number of examples. Thin lines are members, the "
    "thick one is the median member."
)
SAME_SIZE = 0.01  # sizes of training sets count as equal within this share: fractions are rounded


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """The sum of two terms stands in both rows."""
    members = summary.studied(members, designs, "summands")
    if members.empty:
        return style.notice("No sum of several terms has been trained yet.", style.DOUBLE)
    same_share = members["fraction"] == one_factor.OWN["fraction"]
    two = members[members["terms"] == 2]
    same_size = (members["n_train"] / two["n_train"].max() - 1).abs() < SAME_SIZE
    rows = [by_terms(members[same_share], share)]
    if members.loc[same_size, "terms"].nunique() > 1:
        rows.append(by_terms(members[same_size], size))
    return curves.draw(rows, histories, epochs=True)


def by_terms(members: pd.DataFrame, what) -> list[curves.Panel]:
    """A panel a number of terms; `what`: a group of members -> what is the same in the row."""
    return [curves.Panel(f"K = {terms}, {what(group)}", group) for terms, group in members.groupby("terms")]


def share(members: pd.DataFrame) -> str:
    return f"fraction {members['fraction'].iloc[0]:g}"


def size(members: pd.DataFrame) -> str:
    return f"{format.steps(members['n_train'].iloc[0])} examples"
