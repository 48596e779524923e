"""make status: what of a scale is done, running, waiting, failed or stale, a line a study; how far each running job is,
why others failed, and when all will be done. It reads the store alone, so it may be asked on any node, at any time."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from common import Request, console, parser, refuse, request
from display import duration, share_used, starts, work, work_left
from regrok import stock
from regrok.experiment import designs
from regrok.progress import failures, running, stops
from regrok.store import HEADER, ROOT, Store

STATES = ("done", "running", "waiting", "failed", "stale", "begun")

Report = dict[str, Any]


def state(needs: list[stock.Need], runs: bool, failed: bool) -> str:
    """That of the cell whose members these are."""
    states = {
        "done": all(need.complete for need in needs) and not failed,
        "running": runs,
        "failed": failed,
        "stale": any(need.stale for need in needs),
        "begun": any(need.record for need in needs),
    }
    return next((name for name, holds in states.items() if holds), "waiting")


def studies(asked: Request, cells: dict[str, list[stock.Need]], states: dict[str, str]) -> Table:
    """Cells by state and members that are done, a line a study."""
    table = Table(box=None, collapse_padding=True, pad_edge=False)  # narrow, so that 80 columns hold it
    table.add_column("study", overflow="fold")
    for column in ("cells", *STATES, "members"):
        table.add_column(column, justify="right", no_wrap=True)
    own: dict[str, dict[str, None]] = defaultdict(dict)
    for design in designs(asked.config, asked.scale, asked.reports):
        own[design.study][design.cell.id] = None
    for study, ids in {**own, "in all": cells}.items():
        counts = [sum(states[cell] == name for cell in ids) for name in STATES]
        needs = [need for cell in ids for need in cells[cell]]
        members = f"{sum(need.complete for need in needs)}/{len(needs)}"
        table.add_row(study, str(len(ids)), *(str(count or "") for count in counts), members)
    return table


def accuracies(values: list[float]) -> str:
    low, high = (f"{value:.3f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def job(report: Report, needs: list[stock.Need]) -> str:
    """What a running job has told last. needs: its cell's, if this scale asks for it."""
    told = [f"step {report['step']} of {report['budget']}"]
    if report.get("val_acc"):
        shown = f"validation accuracy {accuracies(report['val_acc'])}, training {accuracies(report['train_acc'])}"
        told.append(f"{report['members']} members, {shown}")
    if left := sum(not need.complete for need in needs):
        told.append(f"{left} of {len(needs)} members left")
    if rate := report.get("steps_per_second"):
        steps = sum(work_left(need, report) for need in needs if not need.complete) / max(report["members"], 1)
        steps = steps / work(needs[0], 1) if needs else report["budget"] - report["step"]
        told.append(f"{rate:.3g} steps/s, at most {duration(steps / rate)} to go")
    told.append(f"process {report['pid']} on {report.get('host', 'an unknown host')}")
    if not report["sure"]:
        told.append("or ended since: the file system has no locks to tell")
    return "; ".join(told)


def outlook(needs: list[stock.Need], reports: dict[str, Report]) -> str:
    """When all will be done at the speed of the jobs that run; without any, what it will cost at that of the past."""
    left = [need for need in needs if not need.complete]
    if not left:
        return "All members are done."
    steps = sum(work_left(need, reports.get(need.job.cell.id)) for need in left)
    about, starting = steps * share_used(needs), starts(needs, reports)
    each_step = {need.job.cell.id: work(need, 1) for need in left}
    running = [(reports[cell], each) for cell, each in each_step.items() if cell in reports]
    speed = sum(report.get("steps_per_second", 0) * report["members"] * each for report, each in running)
    if speed:
        begin = starting / len(running)
        times = duration(about / speed + begin), duration(steps / speed + begin)
        return f"At the speed of the {len(running)} jobs that run, done in about {times[0]}, at most {times[1]}."
    finished = [need for need in needs if need.complete]
    paid = sum(need.record.header["seconds"]["cpu"] for need in finished)
    made = sum(work(need, need.record.step) for need in finished)
    if not made:
        return f"{len(left)} members to train; `make plan` tells what that costs."
    times = duration(about * paid / made + starting), duration(steps * paid / made + starting)
    return f"{len(left)} members to train, about {times[0]} of one core, at most {times[1]}."


def tell(output: Console, title: str, lines: dict[str, str]) -> None:
    """Lines by cell: never cut, however narrow the terminal."""
    for cell, line in lines.items():
        output.print(f"{title}: {cell}\n    {line}", soft_wrap=True, highlight=False, markup=False)


def show(asked: Request, output: Console) -> None:
    damaged: dict[Path, str] = {}
    needs = stock.take(asked.jobs, Store(), damaged)
    cells: dict[str, list[stock.Need]] = defaultdict(list)
    for need in needs:
        cells[need.job.cell.id].append(need)
    reports = {report["cell"]: report for report in running(ROOT)}
    spoilt = {path.parent.parent.name: sentence for path, sentence in damaged.items() if path.name == HEADER}
    unfinished = {cell for cell, own in cells.items() if not all(need.complete for need in own)}
    failed = {cell: said for cell, said in failures(ROOT).items() if cell in unfinished} | spoilt
    states = {cell: state(own, cell in reports, cell in failed) for cell, own in cells.items()}
    output.print(f"Scale {asked.scale}: cells by state, and members that are done", highlight=False)
    output.print(studies(asked, cells, states))
    tell(output, "running", {cell: job(report, cells.get(cell, [])) for cell, report in reports.items()})
    stopped = {cell: said for cell, said in stops(ROOT).items() if cell in unfinished and cell not in failed}
    tell(output, "stopped", stopped)
    tell(output, "failed", failed)
    output.print(outlook(needs, reports), soft_wrap=True, highlight=False)
    stale = stock.stale_sentence(needs)
    for sentence in filter(None, [stale, *(said for path, said in damaged.items() if path.name != HEADER)]):
        output.print(sentence, soft_wrap=True, highlight=False, markup=False)


def main() -> None:
    asked = request(parser(__doc__).parse_args())
    try:
        show(asked, console())
    except OSError as error:
        refuse(str(error))


if __name__ == "__main__":
    main()
