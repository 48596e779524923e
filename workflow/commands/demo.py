"""make demo: one member groks before your eyes."""

import os
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import torch
from rich.console import Console
from rich.live import Live

from common import parser, request
from regrok.cell import Cell
from regrok.events import THRESHOLD
from regrok.experiment import override
from regrok.training.stack import Stack

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 60  # columns of a curve
DEMO = {"optimizer.weight_decay": 0.3}  # memorises well before it generalises
EVERY = 50
LONGEST = 30_000


def curve(values: list[float]) -> str:
    """Accuracies between 0 and 1 as a line of bars."""
    chosen = np.array(values)[np.linspace(0, len(values) - 1, min(WIDTH, len(values))).astype(int)]
    return "".join(BARS[round(value * (len(BARS) - 1))] for value in chosen)


def picture(history: list[dict[str, float]]) -> str:
    lines = []
    for name, label, colour in (("train_acc", "training  ", "blue"), ("val_acc", "validation", "red")):
        values = [row[name] for row in history]
        lines.append(f"{label} [{colour}]{curve(values):<{WIDTH}}[/] {values[-1]:6.1%}")
    return "\n".join([f"step {history[-1]['step']:,}".replace(",", " "), *lines])


def first(history: list[dict[str, float]], name: str) -> int | None:
    return next((row["step"] for row in history if row[name] >= THRESHOLD), None)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--seed", type=int, default=0)
    options = options.parse_args()
    base = next(iter(request(options).config.settings.values()))
    cell = Cell.model_validate(override(base.model_dump(), DEMO))
    torch.set_num_threads(1)
    stack, console, started = Stack(cell, [options.seed]), Console(), time.monotonic()
    console.print(
        f"x ÷ y modulo {cell.task.modulus}, trained on {cell.split.fraction:.0%} of the pairs: a network of "
        f"{cell.parameters} parameters first learns them by heart, then finds the rule."
    )
    history: list[dict[str, float]] = []
    with Live(console=console, auto_refresh=False) as live:
        while stack.step < LONGEST and not (history and history[-1]["val_acc"] >= THRESHOLD):
            for _ in range(EVERY):
                stack.advance()
            metrics = {name: float(value[0]) for name, value in stack.evaluate().items()}
            history.append({"step": stack.step, **metrics})
            live.update(picture(history), refresh=True)
    memorised, generalised = first(history, "train_acc"), first(history, "val_acc")
    console.print(
        f"Training accuracy reached {THRESHOLD:.0%} at step {memorised}, validation accuracy at step {generalised}, "
        f"after {time.monotonic() - started:.0f} seconds."
    )


if __name__ == "__main__":
    main()
