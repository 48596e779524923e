"""What runs, how far each training job is, and when all will be done."""

import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn

from common import Request
from regrok import stock
from regrok.cost import MEASURED, START_SECONDS
from regrok.progress import running
from regrok.store import ROOT, Store

LINE_SECONDS = 30.0  # between lines where there is no terminal to redraw


def work(need: stock.Need, step: float) -> float:
    """CPU seconds that a member's first `step` steps would take on the core that costs are measured on."""
    return MEASURED.of(need.job, step)


def work_left(need: stock.Need, report: dict | None) -> float:
    """`work` that a member still needs at most. report: the last of a job at its cell."""
    step = need.record.step if need.record else 0
    if report and need.seed in report.get("seeds", []):
        step = max(step, report["step"])
    return work(need, max(need.job.follow.budget - step, 0))


def share_used(needs: list[stock.Need]) -> float:
    """The share of their budgets that complete members have needed; 1 if there are none."""
    finished = [need for need in needs if need.complete]
    used = sum(work(need, min(need.record.step, need.job.follow.budget)) for need in finished)
    return used / sum(work(need, need.job.follow.budget) for need in finished) if finished else 1.0


def starts(needs: list[stock.Need], reports: Collection[str] = ()) -> float:
    """`work` of starting the training processes of cells that need one, but those of `reports`, which have begun."""
    return START_SECONDS * len({need.job.cell.id for need in needs if not need.complete}.difference(reports))


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 3600:.1f} h" if seconds > 5400 else f"{seconds / 60:.0f} min"


class Terminal(Console):
    """A console whose reader may leave without ending the program."""

    def on_broken_pipe(self) -> None:
        raise


class Display:
    """Progress of `asked`, redrawn on a terminal, a line every half minute elsewhere."""

    def __init__(self, asked: Request, trains: bool):
        self.asked, self.trains, self.console = asked, trains, Terminal()
        self.live = Live(console=self.console, transient=True, auto_refresh=False)
        self.started, self.printed, self.pause = time.monotonic(), -LINE_SECONDS, 1.0
        self.done_before, self.began = None, time.time()

    def __enter__(self) -> "Display":
        if self.console.is_terminal:
            with suppress(OSError):
                self.live.__enter__()
        return self

    def __exit__(self, *error) -> None:
        if self.console.is_terminal:
            with suppress(OSError):
                self.live.__exit__(*error)

    def update(self) -> None:
        """Look at the store and the running jobs, and redraw where that can be: no run ends for its display."""
        begun = time.monotonic()
        with suppress(OSError):
            self.redraw()
        self.pause = max(1.0, 20 * (time.monotonic() - begun))

    def redraw(self) -> None:
        cells = {job.cell.id for job in self.asked.jobs}
        reports = [report for report in running(ROOT) if report["cell"] in cells] if self.trains else []
        try:
            line = self.overall({report["cell"]: report for report in reports}) if self.trains else self.built()
        except (ValueError, OSError) as error:  # the run will say it, and need not end of being watched
            line = f"how far it is cannot be told: {error}"
        if self.console.is_terminal:
            self.live.update(Group(line, *map(self.job, reports)), refresh=True)
        elif time.monotonic() - self.printed > LINE_SECONDS:
            self.printed = time.monotonic()
            jobs = "; ".join(f"{r['cell']} {r['step']}/{r['budget']}" for r in reports)
            self.console.print(f"{line}{' | ' if jobs else ''}{jobs}", soft_wrap=True, highlight=False)

    def overall(self, reports: dict[str, dict]) -> str:
        """One line on all training."""
        needs = stock.take(self.asked.jobs, Store())
        cells = {need.job.cell.id for need in needs}
        open_needs = [need for need in needs if not need.complete]
        open_cells = {need.job.cell.id for need in open_needs}
        if not open_needs:
            return f"{len(cells)} of {len(cells)} cells trained, {self.built()}"
        steps = sum(work_left(need, reports.get(need.job.cell.id)) for need in open_needs)
        done = sum(work(need, need.record.step) for need in needs if need.complete)
        done += sum(work(need, need.job.follow.budget) for need in open_needs) - steps
        begun = len(cells) - len(open_cells.difference(reports))
        left = self.remaining(needs, done + START_SECONDS * begun, steps, starts(needs, reports))
        return f"{len(cells) - len(open_cells)} of {len(cells)} cells trained, {left}"

    def remaining(self, needs: list[stock.Need], done: float, steps: float, starting: float) -> str:
        """How long it will take at the speed so far: if members stop as early as those before, and at most.

        `done` and left: `work` of steps and of starting.
        """
        if self.done_before is None:
            self.done_before, self.started = done, time.monotonic()
        if done <= self.done_before:
            return "time left is not known yet"
        pace = (time.monotonic() - self.started) / (done - self.done_before)
        about = pace * (steps * share_used(needs) + starting)
        end = time.strftime("%H:%M", time.localtime(time.time() + about))
        return f"done in about {duration(about)} ({end}), at most {duration(pace * (steps + starting))} at this speed"

    def job(self, report: dict) -> Progress:
        """A bar for one training job."""
        columns = "{task.fields[cell]:<44.44}", "{task.completed}/{task.total} steps, {task.fields[members]} members"
        bar = Progress(TextColumn(columns[0]), BarColumn(24), TextColumn(columns[1]), console=self.console)
        bar.add_task(
            "", completed=report["step"], total=report["budget"], cell=report["cell"], members=report["members"]
        )
        return bar

    def built(self) -> str:
        """How many tables and figures this run has built so far."""
        scale = self.asked.scale
        found = {"tables": f"results/{scale}/tables/*.parquet", "figures": f"figures/{scale}/*.svg"}
        counts = {name: sum(map(self.is_new, Path().glob(pattern))) for name, pattern in found.items()}
        return "building tables, figures and the paper: " + ", ".join(f"{n} {name}" for name, n in counts.items())

    def is_new(self, path: Path) -> bool:
        """Whether this run has made a file, which Snakemake may be about to replace."""
        try:
            return path.stat().st_mtime >= self.began
        except FileNotFoundError:
            return False
