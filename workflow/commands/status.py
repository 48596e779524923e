"""make status: what of a scale is at hand, running, stale or missing, a line a study."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from common import parser, request
from regrok import stock
from regrok.experiment import designs
from regrok.progress import running
from regrok.store import ROOT

STATES = ("complete", "begun", "stale", "missing")


def state(need: stock.Need) -> str:
    if need.complete:
        return "complete"
    if need.stale:
        return "stale"
    return "begun" if need.record else "missing"


def main() -> None:
    asked = request(parser(__doc__).parse_args())
    needs = asked.needs
    table = Table("study", "cells", *STATES, title=f"Members at scale {asked.scale}")
    cells: dict[str, set[str]] = {}
    for design in designs(asked.config, asked.scale, asked.reports):
        cells.setdefault(design.study, set()).add(design.cell.id)
    for study, own in cells.items():
        counts = Counter(state(need) for need in needs if need.job.cell.id in own)
        table.add_row(study, str(len(own)), *(str(counts[name]) for name in STATES))
    console = Console()
    console.print(table)
    for report in running(ROOT):
        console.print(f"running: {report['cell']}, step {report['step']} of {report['budget']}")
    if sentence := stock.stale_sentence(needs):
        console.print(sentence)


if __name__ == "__main__":
    main()
