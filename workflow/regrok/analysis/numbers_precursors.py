"""The numbers that the section on precursors of report 000 cites, beside those of cells."""

from collections.abc import Mapping
from math import isfinite

import pandas as pd

from . import format
from .entries import Entries, Entry, entry, missing, of, percent, steps
from .precursor_rules import BACK, RULES
from .precursor_signals import SIGNALS
from .precursor_windows import BAND, MATCHED, WINDOW

TABLES = ("precursor_windows", "precursor_rules")
EXPECTED = {"precursors": ["0.5", "0.2", "0.5.no_decay"]}


def key(study: str, cell: pd.Series) -> str:
    """The part of a cell's key that follows the study."""
    return f"{cell['fraction']:g}" + ("" if cell["weight_decay"] else ".no_decay")


def build(tables: Mapping[str, pd.DataFrame]) -> Entries:
    """Entries under reported.precursors, precursors and precursor_rules."""
    yield "reported.precursors.earliest", steps(BAND[1])
    yield "reported.precursors.latest", steps(BAND[0])
    yield "precursors.window", steps(WINDOW)
    yield "precursors.back", steps(BACK)
    windows = tables["precursor_windows"]
    for signal in SIGNALS:
        own = windows[windows["signal"] == signal]
        groups = [own[own["control"].isin(kinds)] for kinds in ([""], MATCHED, ["other"])]
        yield from ((f"precursors.{signal}.{name}", value) for name, value in _window(*groups))
    rules = tables["precursor_rules"].set_index("rule")
    for rule in RULES:
        for name in ("precision", "recall", "skill"):
            yield (
                f"precursor_rules.{rule}.{name}",
                _bounded(rules.loc[rule], name) if rule in rules.index else missing(),
            )


def _window(own: pd.DataFrame, controls: pd.DataFrame, others: pd.DataFrame) -> Entries:
    n = len(own)
    yield "in_band", of(int(own["in_band"].astype(bool).sum()), n)
    yield "lead", steps(own["lead"].median(), n) if n else missing()
    yield "controls", percent(controls["in_band"].astype(bool).mean()) if len(controls) else missing()
    for name, rows in (("change", own), ("controls_change", controls), ("others_change", others)):
        change = rows["change"].median() if len(rows) else float("nan")
        text = format.percent(10**change - 1).replace("-", "−")
        yield name, entry(10**change - 1, text, n=len(rows)) if isfinite(change) else missing()


def _bounded(row: pd.Series, name: str) -> Entry:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if not isfinite(value):
        return entry(None, "undefined")
    ends = f" [{format.number(low, 2)},{format.FIXED}{format.number(high, 2)}]" if isfinite(low) else ""
    return entry(value, format.number(value, 2) + ends, low, high)
