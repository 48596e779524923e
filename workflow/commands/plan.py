"""make plan: what a scale costs - cells, members, core-hours, disk, memory - measured on this machine in seconds."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import torch
from rich.console import Console
from rich.table import Table

from common import parser, request
from display import duration
from regrok.cell import Cell
from regrok.cost import Core, Speed, by_cell, disk, memory
from regrok.experiment import designs, override
from regrok.stock import Need, damage_sentence
from regrok.training.stack import Stack

CALIBRATION_SECONDS = 1.0


def seconds_per_member_step(cell: Cell, members: int) -> tuple[float, float]:
    """Measured CPU seconds of a training step and of an evaluation, a member."""
    stack = Stack(cell, list(range(members)))
    stack.advance()
    begun, steps = time.process_time(), 0
    while time.process_time() - begun < CALIBRATION_SECONDS:
        stack.advance()
        steps += 1
    training = (time.process_time() - begun) / steps
    begun = time.process_time()
    stack.evaluate()
    return training / members, (time.process_time() - begun) / members


def measured(base: Cell, members: int = 5) -> Core:
    """The speed of a core of this machine, through two points: a small network and the literal one."""
    small = Cell.model_validate(override(base.model_dump(), {"model.hidden": 32, "model.layers": 1}))
    points = [(cell, *seconds_per_member_step(cell, members)) for cell in (small, base)]
    return Core(
        Speed.through((cell.flops_per_step, training) for cell, training, _ in points),
        Speed.through((cell.flops_per_evaluation, evaluation) for cell, _, evaluation in points),
    )


def row(name: str, needs: Iterable[Need], core: Core) -> list[str]:
    needs = list(needs)
    steps = sum(need.steps_to_go for need in needs)
    return [
        name,
        f"{len({need.job.cell.id for need in needs})}",
        f"{len(needs)}",
        f"{sum(need.complete for need in needs)}",
        f"{steps / 1e6:.2f}",
        f"{sum(by_cell(needs, core).values()) / 3600:.2f}",
        f"{sum(map(disk, needs)) / 1e6:.0f}",
    ]


def main() -> None:
    options = parser(__doc__).parse_args()
    asked = request(options)
    torch.set_num_threads(1)
    core = measured(next(iter(asked.config.settings.values())))
    table = Table(title=f"Scale {asked.scale}: what is asked for, and what is left to train at most")
    for column in ("study", "cells", "members", "at hand", "10⁶ steps", "core-hours", "MB"):
        table.add_column(column, justify="left" if column == "study" else "right")
    damaged: dict[Path, str] = {}
    needs, seen = asked.look(damaged), set()
    studies: dict[str, set[str]] = {}
    for design in designs(asked.config, asked.scale, asked.reports):
        studies.setdefault(design.study, set()).add(design.cell.id)
    for study, cells in studies.items():
        table.add_row(*row(study, (need for need in needs if need.job.cell.id in cells - seen), core))
        seen |= cells
    table.add_section()
    table.add_row(*row("total", needs, core), style="bold")
    console = Console()
    console.print(table)
    seconds = sum(by_cell(needs, core).values())
    cores = os.cpu_count() or 1
    gigabytes = cores * max(map(memory, asked.jobs)) / 1000
    console.print(
        f"At most {duration(seconds / cores)} on this machine's {cores} cores, {gigabytes:.1f} GB of memory. "
        "Members that generalise stop before their budget, so it is usually about half of that. "
        "A cell that several studies share is counted in the first."
    )
    if sentence := damage_sentence(damaged):
        console.print(f"Counted as if it were to be trained: {sentence}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()
