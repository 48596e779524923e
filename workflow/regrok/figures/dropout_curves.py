"""Figure 6 of report 001: three architectures at several dropout rates, the Transformer also without weight decay."""

import pandas as pd
from matplotlib.figure import Figure

from ..analysis import summary
from . import curves, style

INPUTS = ("histories", "members", "designs")
TITLE = "Dropout in three architectures"
REPORTS = "001-F6"
ALT = (
    "Training and validation accuracy, and below them the losses, against the optimisation step on a logarithmic "
    "axis: a column a dropout rate, a row each for the Transformer, the Transformer without weight decay, the "
    "residual MLP and the LSTM. Thin lines are members, the thick one is the median member."
)
ROWS = {  # (architecture, whether weights decay) -> (before the rate in a title, after it)
    ("transformer", True): ("Transformer, dropout ", ""),
    ("transformer", False): ("Transformer, ", ", no decay"),
    ("residual_mlp", True): ("Residual MLP, dropout ", ""),
    ("lstm", True): ("LSTM, dropout ", ""),
}


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """A row that has not been trained at all is left out."""
    members = summary.studied(members, designs, "dropout")
    if members.empty:
        return style.notice("No architecture has been trained with dropout yet.", style.DOUBLE)
    rates = sorted(members["dropout"].unique())
    rows = []
    for (architecture, decay), (before, after) in ROWS.items():
        own = members[(members["architecture"] == architecture) & ((members["weight_decay"] > 0) == decay)]
        if len(own):
            rows.append([curves.Panel(f"{before}{rate:g}{after}", own[own["dropout"] == rate]) for rate in rates])
    return curves.draw(rows, histories)
