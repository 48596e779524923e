"""make bench: the training engine against plain PyTorch and against the machine's limit, in one run on one thread.

Each repetition times, one after the other, a plain loop, the engine, and a matrix product; figures are medians over
the repetitions of ratios within one, since a shared machine's speed drifts by more than what is measured.
"""

import argparse
import importlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from regrok.cell import Cell
from regrok.experiment import override
from regrok.training.stack import Stack, data
from regrok.training.train import machine

SECONDS = 0.5  # of one timing
SGEMM = 1024  # rows and columns of the product that measures the machine's limit


@dataclass(frozen=True)
class Workload:
    """A stack to train. ratio, fraction: the least that the engine must reach; None where no floor is set."""

    about: str
    settings: dict[str, Any]  # on top of mlp_000 in config.yaml
    members: int
    ratio: float
    fraction: float | None


TRANSFORMER = {"architecture": "transformer", "width": 128, "layers": 2, "heads": 4, "norm": "post", "dropout": 0.0}

WORKLOADS = {
    "mlp-000": Workload("report 000's MLP, p 97, batch 512", {}, 5, 1.7, 0.55),
    "mlp-small-32": Workload("Table 3's 32 x 1", {"model.hidden": 32, "model.layers": 1}, 10, 5, None),
    "mlp-small-64": Workload("Table 3's 64 x 1", {"model.hidden": 64, "model.layers": 1}, 10, 5, None),
    "mlp-002": Workload(
        "simple-grokking's MLP, p 53, full batch of 1 685",
        {
            "task": {"operation": "add", "modulus": 53},
            "split.fraction": 0.6,
            "batches.size": "full",
            "model": {"architecture": "shared_mlp", "embedding": 128, "hidden": 128, "layers": 1, "embedding_std": 1.0},
            "optimizer.learning_rate": 0.03,
            "optimizer.weight_decay": 0.03,
        },
        5,
        4,
        0.45,
    ),
    "transformer-97": Workload(
        "report 001's Transformer, p 97, batch 512",
        {"task": {"operation": "add", "modulus": 97}, "model": TRANSFORMER},
        3,
        2.8,
        0.6,
    ),
    "transformer-41": Workload(
        "report 001's Transformer, p 41, batch 256",
        {
            "task": {"operation": "add", "modulus": 41},
            "split.fraction": 0.7,
            "batches.size": 256,
            "model": TRANSFORMER,
        },
        3,
        2.8,
        0.6,
    ),
    "transformer-003": Workload(
        "report 003's Transformer, p 97, full batch of 4 704",
        {
            "task": {"operation": "add", "modulus": 97},
            "batches.size": "full",
            "model": TRANSFORMER | {"architecture": "tied_transformer", "embedding_std": 1.0},
            "optimizer.learning_rate": 1e-4,
        },
        1,
        2.5,
        None,
    ),
    "lstm-41": Workload(
        "report 001's LSTM of 512, p 41, batch 256",
        {
            "task": {"operation": "add", "modulus": 41},
            "split.fraction": 0.7,
            "batches.size": 256,
            "model": {"architecture": "lstm", "width": 128, "hidden": 512, "layers": 2, "dropout": 0.0},
        },
        3,
        1.7,
        0.6,
    ),
}


def plain_steps(cell: Cell) -> Iterator[None]:
    """One model as one would write it today: nn modules, fused AdamW, shuffled minibatches, no evaluation."""
    examples, settings = data(cell, 0), cell.optimizer
    module = importlib.import_module(f"regrok.models.{cell.model.architecture}")
    table, train = examples.examples, np.flatnonzero(examples.train)
    model = module.Plain(cell.model, table.tokens, table.classes, terms=cell.task.terms)
    inputs, answers = (torch.as_tensor(part) for part in (table.operands(train), table.answers(train)))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        if len(inputs) == cell.batch_size:
            return iter([(inputs, answers)])
        return ((inputs[batch], answers[batch]) for batch in torch.randperm(len(inputs)).split(cell.batch_size))

    while True:
        for batch, wanted in batches():
            optimizer.zero_grad()
            functional.cross_entropy(model(batch), wanted).backward()
            optimizer.step()
            yield


def engine_steps(cell: Cell, members: int) -> Iterator[None]:
    stack = Stack(cell, list(range(members)))
    while True:
        stack.advance()
        yield


def products(size: int = SGEMM) -> Iterator[None]:
    left, right, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    while True:
        torch.mm(left, right, out=out)
        yield


def rate(steps: Iterator[None], count: int) -> float:
    """Steps a second over `count` steps."""
    started = time.perf_counter()
    for _ in range(count):
        next(steps)
    return count / (time.perf_counter() - started)


def warmed(steps: Iterator[None], epoch: int) -> int:
    """Steps that fill about SECONDS, in whole epochs of `epoch` steps, after as many to warm up."""
    rate(steps, epoch)
    return max(1, round(rate(steps, epoch) * SECONDS / epoch)) * epoch


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    return {"median": float(median), "quartiles": [float(low), float(high)]}


def measure(workload: Workload, base: dict[str, Any], repetitions: int) -> dict[str, Any]:
    """Rates of the three, interleaved, and what follows from them."""
    cell = Cell.model_validate(override(base, workload.settings))
    epoch = -(-cell.train_examples // cell.batch_size)
    runs = {"plain": plain_steps(cell), "engine": engine_steps(cell, workload.members), "sgemm": products()}
    counts = {name: warmed(steps, 1 if name == "sgemm" else epoch) for name, steps in runs.items()}
    rates = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, steps in runs.items():
            rates[name].append(rate(steps, counts[name]))
    engine = workload.members * np.array(rates["engine"])
    flops = 2 * SGEMM**3 * np.array(rates["sgemm"])
    return {
        "about": workload.about,
        "cell": cell.model_dump(),
        "members": workload.members,
        "flops_per_member_step": cell.flops_per_step,
        "plain_steps_per_second": spread(rates["plain"]),
        "member_steps_per_second": spread(engine),
        "sgemm_flops_per_second": spread(flops),
        "ratio_to_plain": spread(engine / rates["plain"]) | {"floor": workload.ratio},
        "fraction_of_limit": spread(engine * cell.flops_per_step / flops) | {"floor": workload.fraction},
    }


def table(results: dict[str, Any]) -> Table:
    """A row a workload: medians, and half of the distance between the quartiles."""
    shown = Table("workload", "plain", "engine", "ratio to plain", "floor", "of the limit", "floor")
    for name, result in results.items():
        row = [f"{result[key]['median']:.0f}/s" for key in ("plain_steps_per_second", "member_steps_per_second")]
        for figure in (result["ratio_to_plain"], result["fraction_of_limit"]):
            low, high = figure["quartiles"]
            row += [f"{figure['median']:.2f} ± {(high - low) / 2:.2f}", str(figure["floor"] or "")]
        shown.add_row(name, *row)
    return shown


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("workloads", nargs="*", default=list(WORKLOADS), help=", ".join(WORKLOADS))
    options.add_argument("--repetitions", type=int, default=9)
    options = options.parse_args()
    torch.set_num_threads(1)
    base = yaml.safe_load(Path("config.yaml").read_text())["settings"]["mlp_000"]
    console, results = Console(), {}
    for name in options.workloads:
        with console.status(f"{name}: {WORKLOADS[name].about}"):
            results[name] = measure(WORKLOADS[name], base, options.repetitions)
    console.print(table(results))
    target = Path("results/bench.json")
    target.parent.mkdir(exist_ok=True)
    here = machine("cpu")
    earlier = json.loads(target.read_text()) if target.exists() else {}
    kept = earlier["workloads"] if earlier.get("machine") == here else {}
    target.write_text(json.dumps({"machine": here, "workloads": kept | results}, indent=1) + "\n")
    console.print(f"written to {target}")


if __name__ == "__main__":
    main()
