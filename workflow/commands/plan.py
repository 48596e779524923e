"""make plan: what a scale costs - cells, members, core-hours, disk, memory - measured on this machine in seconds."""

import os
import time
from collections.abc import Iterable

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import torch
from rich.console import Console
from rich.table import Table

from common import parser, request
from regrok.cell import Cell
from regrok.events import evaluation_steps
from regrok.experiment import designs, override
from regrok.stock import Need
from regrok.training.stack import Stack
from regrok.training.train import STEP_LOSSES

CALIBRATION_SECONDS = 1.0
BYTES_PER_EVALUATION = 25  # of history, compressed
BYTES_PER_STEP_LOSS = 6
MOMENTS = {"adamw": 2, "adam": 2, "sgd": 1, "rmsprop": 2}  # numbers kept a parameter beside its value
MEMORY_MB = 420  # of a training job: Python, torch and a stack


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


class CostModel:
    """CPU seconds as overhead + FLOPs / rate, through two measured points: a small and the literal network."""

    def __init__(self, base: Cell, members: int = 5):
        small = Cell.model_validate(override(base.model_dump(), {"model.hidden": 32, "model.layers": 1}))
        measured = [(cell, *seconds_per_member_step(cell, members)) for cell in (small, base)]
        self.training = self.line([(cell.flops_per_step, training) for cell, training, _ in measured])
        self.evaluation = self.line([(cell.flops_per_evaluation, evaluation) for cell, _, evaluation in measured])

    @staticmethod
    def line(points: list[tuple[float, float]]) -> tuple[float, float]:
        (x0, y0), (x1, y1) = points
        slope = max((y1 - y0) / (x1 - x0), 0.0)
        return max(y0 - slope * x0, 0.0), slope

    def seconds(self, need: Need) -> float:
        """CPU seconds that a member needs at most."""
        cell, follow = need.job.cell, need.job.follow
        evaluations = len(evaluation_steps(follow.budget, follow.dense)) * need.steps_to_go / follow.budget
        training, evaluation = (
            overhead + slope * flops
            for (overhead, slope), flops in (
                (self.training, cell.flops_per_step),
                (self.evaluation, cell.flops_per_evaluation),
            )
        )
        return need.steps_to_go * training + evaluations * evaluation


def disk(need: Need) -> float:
    """Bytes of a member's record at most."""
    cell, follow = need.job.cell, need.job.follow
    checkpoint = 4 * cell.parameters * (1 + MOMENTS[cell.optimizer.name])
    evaluations = len(evaluation_steps(follow.budget, follow.dense))
    return checkpoint + BYTES_PER_EVALUATION * evaluations + BYTES_PER_STEP_LOSS * min(STEP_LOSSES, follow.budget)


def row(name: str, needs: Iterable[Need], costs: CostModel) -> list[str]:
    needs = list(needs)
    steps = sum(need.steps_to_go for need in needs)
    return [
        name,
        f"{len({need.job.cell.id for need in needs})}",
        f"{len(needs)}",
        f"{sum(need.complete for need in needs)}",
        f"{steps / 1e6:.2f}",
        f"{sum(costs.seconds(need) for need in needs if not need.complete) / 3600:.2f}",
        f"{sum(map(disk, needs)) / 1e6:.0f}",
    ]


def main() -> None:
    options = parser(__doc__).parse_args()
    asked = request(options)
    torch.set_num_threads(1)
    costs = CostModel(next(iter(asked.config.settings.values())))
    table = Table(title=f"Scale {asked.scale}: what is asked for, and what is left to train at most")
    for column in ("study", "cells", "members", "at hand", "10⁶ steps", "core-hours", "MB"):
        table.add_column(column, justify="left" if column == "study" else "right")
    needs, seen = asked.needs, set()
    studies: dict[str, set[str]] = {}
    for design in designs(asked.config, asked.scale, asked.reports):
        studies.setdefault(design.study, set()).add(design.cell.id)
    for study, cells in studies.items():
        table.add_row(*row(study, (need for need in needs if need.job.cell.id in cells - seen), costs))
        seen |= cells
    table.add_section()
    table.add_row(*row("total", needs, costs), style="bold")
    console = Console()
    console.print(table)
    hours = sum(costs.seconds(need) for need in needs if not need.complete) / 3600
    cores = os.cpu_count() or 1
    console.print(
        f"At most {hours / cores:.1f} h on this machine's {cores} cores, {MEMORY_MB * cores / 1000:.1f} GB of memory. "
        "Members that generalise stop before their budget, so it is usually about half of that. "
        "A cell that several studies share is counted in the first."
    )


if __name__ == "__main__":
    main()
