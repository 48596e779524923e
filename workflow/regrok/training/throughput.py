"""How fast cells train, timed in one run: a shared machine drifts, so they take turns."""

import time

import torch

from ..cell import Cell
from .stack import Stack

MEMBERS = 3
REPETITIONS = 5
SECONDS = 1.0  # of one timing, after as much to warm up


def measure(cells: list[Cell], repetitions: int = REPETITIONS, seconds: float = SECONDS) -> list[dict]:
    """Rows of {cell, repetition, steps_per_second}: steps of members a second of CPU time on one thread, evaluation not
    included. Within a repetition the cells follow one another."""
    torch.set_num_threads(1)
    stacks = [Stack(cell, list(range(MEMBERS))) for cell in cells]
    for stack in stacks:
        rate(stack, seconds)
    return [
        {"cell": cell.id, "repetition": repetition, "steps_per_second": rate(stack, seconds)}
        for repetition in range(repetitions)
        for cell, stack in zip(cells, stacks, strict=True)
    ]


def rate(stack: Stack, seconds: float) -> float:
    """Member-steps a second of CPU time, over at least `seconds`."""
    started, steps = time.process_time(), 0
    while not steps or time.process_time() - started < seconds:
        stack.advance()
        steps += len(stack.seeds)
    return steps / (time.process_time() - started)
