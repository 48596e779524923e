"""make audit: retrain some records' members alone, and compare them with what is kept: bit for bit on the same kind of
machine, within the tolerances of regrok/audit.py elsewhere. The store is only read."""

import sys
from pathlib import Path

from regrok.process import one_thread

one_thread()

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common import console, parser, refuse, request
from regrok import stock
from regrok.audit import DAMAGED, DIFFERS, IDENTICAL, WITHIN, Finding, audit, cost_sentence, draw
from regrok.store import HEADER, Record, Store
from regrok.training.train import Interrupted, postponed_signals

NUMBER = 5  # of members drawn
STYLES = {IDENTICAL: "green", WITHIN: "yellow", DIFFERS: "bold red", DAMAGED: "bold red"}


def whole(value: str, name: str, least: int) -> int:
    if not value.isdecimal() or int(value) < least:
        refuse(f"{name} must be a whole number of at least {least}, not '{value}'.")
    return int(value)


def cpu_seconds(need: stock.Need) -> float:
    return need.at_hand.header["seconds"]["cpu"]


def drawn(needs: list[stock.Need], number: str, everything: bool, seed: str) -> list[stock.Need]:
    """The members to audit; says which and what they cost."""
    size = whole(number, "N", 1) if number else NUMBER
    seed = whole(seed, "SEED", 0) if seed else int(np.random.default_rng().integers(10**6))
    if everything:
        chosen, how = needs, f"all {len(needs)} members"
    else:
        chosen = [needs[index] for index in draw(list(map(cpu_seconds, needs)), size, np.random.default_rng(seed))]
        how = f"{len(chosen)} of {len(needs)} members (SEED={seed}; cheap ones with a greater chance, ALL=1 for all)"
    print(f"Auditing {how}.", cost_sentence(need.at_hand for need in chosen), flush=True)
    return chosen


def machines(record: Record) -> str:
    names = dict.fromkeys(f"{stretch['cpu']} ({stretch['device']})" for stretch in record.machines)
    return ", then ".join(names)


class Report:
    """What has been found, as a table."""

    def __init__(self, output: Console):
        self.output, self.verdicts = output, []
        self.table = Table(title="Records and what retraining them gave")
        for column in ("cell", "seed", "steps", "machine", "verdict", "CPU s"):
            self.table.add_column(column, overflow="fold", justify="right" if column in ("steps", "CPU s") else "left")

    def add(self, finding: Finding, cell: str, seed: str, record: Record | None = None) -> None:
        self.verdicts.append(finding.verdict)
        detail = (
            f" in {finding.detail}" if finding.verdict == DIFFERS else f": {finding.detail}" if finding.detail else ""
        )
        made = (str(record.step), machines(record)) if record else ("", "")
        told = Text.assemble((finding.verdict, STYLES[finding.verdict]), detail)
        self.table.add_row(cell, seed, *made, told, f"{finding.seconds:.1f}")
        if not self.output.is_terminal:
            print(f"{cell} seed {seed}: {finding.verdict}{detail}", flush=True)

    @property
    def intact(self) -> bool:
        return not {DIFFERS, DAMAGED} & set(self.verdicts)

    def show(self, of: int) -> None:
        self.output.print(self.table)
        counts = ", ".join(f"{self.verdicts.count(v)} {v}" for v in STYLES if v in self.verdicts)
        print(f"{len(self.verdicts)} of {of} compared: {counts or 'none'}.")


def compare(chosen: list[stock.Need], damaged: dict[Path, str], report: Report) -> int:
    """Audit the chosen members one after the other; the exit code. What is damaged is told first."""
    for path, sentence in damaged.items():
        *_, cell, seed = (path.parent if path.name == HEADER else path).parts
        report.add(Finding(DAMAGED, sentence), cell, seed)
    store, code = Store(), 0
    try:
        with report.output.status("") as status, postponed_signals() as received:
            for need in chosen:
                cell, today = need.job.cell, stock.code(need.job)
                status.update(f"{cell.id} seed {need.seed}")
                found = audit(cell, need.at_hand, today, store.equivalent(today, damaged), received)
                report.add(found, cell.id, str(need.seed), found.record or need.at_hand)
    except Interrupted as end:
        code = end.exit_code
    report.show(len(chosen) + len(damaged))
    return code or int(not report.intact)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--number", default="", help=f"members to draw; {NUMBER} if empty")
    options.add_argument("--all", default="", help="1: every member")
    options.add_argument("--seed", default="", help="of the draw, to repeat one")
    options = options.parse_args()
    asked = request(options)
    damaged: dict[Path, str] = {}
    needs = [need for need in stock.take(asked.jobs, Store(), damaged) if need.at_hand]
    if not needs and not damaged:
        refuse("there is no record to audit; `make reproduce` makes some.")
    torch.set_num_threads(1)
    chosen = drawn(needs, options.number, options.all not in ("", "0"), options.seed) if needs else []
    sys.exit(compare(chosen, damaged, Report(console())))


if __name__ == "__main__":
    main()
