"""Figure 5 of report 001: the Transformer under other weight decays, batch sizes, learning rates and optimisers."""

import pandas as pd
from matplotlib.figure import Figure

from ..analysis import summary
from . import curves, one_factor, style

INPUTS = ("histories", "members", "designs")
TITLE = "Optimisers and their settings"
REPORTS = "001-F5"
ALT = (
    "Training and validation accuracy, and below them the losses, of the Transformer against the optimisation step "
    "on a logarithmic axis: first AdamW at several weight decays, then at other batch sizes and learning rates than "
    "the report's, then SGD and RMSprop at two learning rates. What a panel does not name is as in the report. Thin "
    "lines are members, the thick one is the median member."
)
VARIED = {"weight_decay": "Weight decay", "batch_size": "Batch size", "learning_rate": "Learning rate"}
OTHERS = {"adam": "Adam, L2", "sgd": "SGD", "rmsprop": "RMSprop"}


@style.styled
def draw(histories: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Figure:
    """The report's own setting stands among the weight decays alone."""
    members = summary.studied(members, designs, "optimizers_001")
    if members.empty:
        return style.notice("The Transformer has not been trained with other optimisers yet.", style.DOUBLE)
    return curves.draw(curves.wrapped([*varied(members), *others(members)]), histories)


def varied(members: pd.DataFrame) -> list[curves.Panel]:
    """A panel a value of each setting of AdamW."""
    own = one_factor.OWN
    return [
        curves.Panel(f"{name} {value:g}", group)
        for setting, name in VARIED.items()
        for value, group in one_factor.alike(members, setting).groupby(setting)
        if setting == "weight_decay" or value != own[setting]
    ]


def others(members: pd.DataFrame) -> list[curves.Panel]:
    """A panel a learning rate of each other optimiser."""
    groups = members.groupby(["optimizer", "learning_rate"])
    return [
        curves.Panel(f"{name}, rate {rate:g}", group)
        for key, name in OTHERS.items()
        for (optimizer, rate), group in groups
        if optimizer == key
    ]
