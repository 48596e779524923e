"""Floor 5. What training costs before it is done - seconds, memory, disk - and which cells share a cluster job."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .events import evaluation_steps, snapshot_steps
from .experiment import Job
from .stock import Need

START_SECONDS = 5.0  # of a training process: interpreter and imports
GROUP_SECONDS = 20 * 60.0  # what a cluster job is worth queueing for; shorter cells share one
LIMIT_MINUTES = 2.0  # of a cluster job's time limit: its start on a slow file system
LIMIT_FACTOR = 3.0  # a node may be slower than the core that MEASURED is of

PROCESS_MB = 620  # Python, PyTorch, a small stack, its evaluation
CLUSTER_MB = 400  # Snakemake, twice, beside the training process of a cluster job
BYTES_PER_PARAMETER = 32  # value, gradient, two moments; as much again while a checkpoint is written
BYTES_PER_FLOP = 0.012  # of a step: what the layers keep of its batch: 330 MB of 8 468 examples of report 003
BYTES_PER_EXAMPLE = 16  # a member: its split and its order
BYTES_PER_EVALUATION = 25  # of history, compressed
BYTES_PER_STEP_LOSS = 6
BYTES_PER_SIGNAL = 45
STACK_LIMIT, STACK_BYTES = 10, 256e6  # as in training/train.py, which needs PyTorch to be read
STEP_LOSSES = 10_000
MOMENTS = {"adamw": 2, "adam": 2, "sgd": 1, "rmsprop": 2}  # numbers kept a parameter beside its value


@dataclass(frozen=True)
class Speed:
    """CPU seconds of a call, as a straight line: `overhead` seconds and `flops` at `rate` FLOP/s."""

    overhead: float
    rate: float

    @classmethod
    def through(cls, measured: Iterable[tuple[float, float]]) -> "Speed":
        """The line through two (flops, seconds)."""
        (x0, y0), (x1, y1) = measured
        slope = max((y1 - y0) / (x1 - x0), 0.0)
        return cls(max(y0 - slope * x0, 0.0), 1 / slope if slope else math.inf)

    def seconds(self, flops: float) -> float:
        return self.overhead + flops / self.rate


@cache
def evaluations_to(budget: int, dense: tuple[tuple[int, int], ...]) -> int:
    return len(evaluation_steps(budget, dense))


@dataclass(frozen=True)
class Core:
    """How fast one core takes a member's training step and evaluation."""

    training: Speed
    evaluation: Speed

    def seconds(self, need: Need) -> float:
        """CPU seconds that a member needs at most: to its budget."""
        return self.of(need.job, need.steps_to_go)

    def of(self, job: Job, steps: float) -> float:
        """CPU seconds that so many of a member's steps take, with their share of its evaluations."""
        if not steps:
            return 0.0
        training = steps * self.training.seconds(job.cell.flops_per_step)
        evaluations = evaluations_to(job.follow.budget, job.follow.dense) * steps / job.follow.budget
        return training + evaluations * self.evaluation.seconds(job.cell.flops_per_evaluation)


# Every model of config.yaml, 12 to 7 600 MFLOP a step, within a fifth (a server core of 2020, AVX-512).
MEASURED = Core(Speed(2e-4, 7e10), Speed(1e-3, 5e10))


def by_cell(needs: Iterable[Need], core: Core = MEASURED) -> dict[str, float]:
    """Cell -> CPU seconds that its training job takes at most; 0 if its members are all in the store."""
    seconds: dict[str, float] = {}
    for need in needs:
        seconds[need.job.cell.id] = seconds.get(need.job.cell.id, 0.0) + core.seconds(need)
    return {cell: total + START_SECONDS if total else 0.0 for cell, total in seconds.items()}


def groups(seconds: dict[str, float], worth: float = GROUP_SECONDS) -> dict[str, str]:
    """Cell -> name of the group in which it is trained, for cells shorter than `worth`; the others stay alone.

    As few groups as are not longer than `worth` on average, about equally long: the longest cell that is left goes to
    the shortest group.
    """
    short = sorted((cell for cell, cost in seconds.items() if cost < worth), key=lambda cell: -seconds[cell])
    lengths = [0.0] * math.ceil(sum(seconds[cell] for cell in short) / worth)
    found = {}
    for cell in short:
        index = lengths.index(min(lengths)) if lengths else 0
        found[cell] = f"cells{index + 1}"
        if lengths:
            lengths[index] += seconds[cell]
    return found


def minutes(seconds: float, attempt: int = 1) -> int:
    """Time limit of a cluster job that takes `seconds`; twice as long with every attempt."""
    return math.ceil((LIMIT_MINUTES + LIMIT_FACTOR * seconds / 60) * 2 ** (attempt - 1))


def limit(
    cell: str, seconds: dict[str, float], groups: dict[str, str], attempt: int = 1, longest: int | None = None
) -> int:
    """Minutes that a cell adds to the time limit of its job, which is the sum over its group: those that it may take,
    or, where the sum would be more than `longest`, its share of that."""
    mates = [other for other in groups if groups[other] == groups[cell]] if cell in groups else [cell]
    wanted = [minutes(seconds.get(mate, 0.0), attempt) for mate in mates]
    index, total = mates.index(cell), sum(wanted)
    if longest is None or total <= longest:
        return wanted[index]
    before, after = (sum(wanted[:end]) * longest // total for end in (index, index + 1))  # the shares add up
    return after - before


def memory(job: Job) -> int:
    """Megabytes that the training process of a job takes at most."""
    cell = job.cell
    members = max(1, min(job.seeds, STACK_LIMIT, int(STACK_BYTES // (16 * cell.parameters))))
    kept = 4 * len(snapshot_steps(job.follow.budget, job.follow.snapshots))  # and twice more while one is written
    return PROCESS_MB + math.ceil(
        members * ((BYTES_PER_PARAMETER + kept) * cell.parameters + BYTES_PER_EXAMPLE * cell.task.examples) / 1e6
        + (2 * kept * cell.parameters + BYTES_PER_FLOP * cell.flops_per_step) / 1e6
    )


def cluster_memory(job: Job, attempt: int = 1) -> int:
    """Megabytes that a cluster job asks for; half as much again with every attempt."""
    return math.ceil((CLUSTER_MB + memory(job)) * 1.5 ** (attempt - 1))


def disk(need: Need) -> float:
    """Bytes of a member's record at most."""
    cell, follow = need.job.cell, need.job.follow
    checkpoint = 4 * cell.parameters * (1 + MOMENTS[cell.optimizer.name])
    weights = 4 * cell.parameters * len(snapshot_steps(follow.budget, follow.snapshots))
    evaluations = len(evaluation_steps(follow.budget, follow.dense))
    steps = BYTES_PER_STEP_LOSS * min(STEP_LOSSES, follow.budget) + BYTES_PER_SIGNAL * min(
        follow.signals, follow.budget
    )
    return checkpoint + weights + BYTES_PER_EVALUATION * evaluations + steps
