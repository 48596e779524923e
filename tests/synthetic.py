"""Base tables made up by formula, for tests of analysis/ and figures/: no training, no torch, same tables every time.

The curves are sigmoids in log-step; t1..t4 are read off them by regrok.events, so `histories` and `members` agree.
"""

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from regrok import config, events, experiment
from regrok.analysis import factors, probed
from regrok.analysis.factors import FACTORS
from regrok.cell import Cell
from regrok.events import Follow, evaluation_steps
from regrok.experiment import override
from regrok.tasks.modular import OPERATIONS
from regrok.tasks.split import evaluated_sizes

REPOSITORY = Path(__file__).parents[1]
FACTOR_DTYPES = {column: dtype for column, (_, dtype, *_) in FACTORS.items()}
EVENTS = ("t1", "t2", "t3", "t4")
DTYPES = {
    "cells": {
        "cell": "str",
        **FACTOR_DTYPES,
        "n_parameters": "int64",
        "steps_per_epoch": "int64",
        "flops_per_step": "float64",
    },
    "designs": {
        "study": "str",
        "report": "str",
        "cell": "str",
        "varied": "str",
        "seeds": "int64",
        "budget": "int64",
        "stop": "str",
        "reference": "bool",
    },
    "members": {
        "cell": "str",
        **FACTOR_DTYPES,
        "n_parameters": "int64",
        "seed": "int64",
        "n_train": "int64",
        "n_val": "int64",
        "evaluated_train": "int64",
        "evaluated_val": "int64",
        "steps_per_epoch": "int64",
        "family": "str",
        "symbol": "str",
        "symmetric": "bool",
        "chance": "float64",
        "budget": "int64",
        "last_step": "int64",
        "stop_reason": "str",
        **{f"{event}{suffix}": "float64" for event in EVENTS for suffix in ("_after", "")},
        "generalised": "bool",
        "delay": "float64",
        "delay_ratio": "float64",
        "grokked": "bool",
        "diverged": "bool",
        "final_train_acc": "float64",
        "final_val_acc": "float64",
        "final_train_loss": "float64",
        "final_val_loss": "float64",
        "best_val_acc": "float64",
        "zero_loss_share": "float64",
        "zero_loss_half_step": "float64",
        "wall_seconds": "float64",
        "cpu_seconds": "float64",
        "evaluation_cpu_seconds": "float64",
        "overhead_cpu_seconds": "float64",
        "flops": "float64",
    },
    "provenance": {
        **dict.fromkeys(("device", "cpu", "capability", "torch", "numpy", "numba"), "str"),
        "members": "int64",
    },
    "throughput": {"cell": "str", "repetition": "int64", "steps_per_second": "float64"},
    "histories": {
        "cell": "str",
        "seed": "int64",
        "step": "int64",
        "train_loss": "float32",
        "val_loss": "float32",
        "train_acc": "float32",
        "val_acc": "float32",
        "weight_norm": "float32",
        "zero_loss_share": "float32",
    },
}

PROVENANCE = {"device": "cpu", "cpu": "Processor", "capability": "AVX2"} | {
    "torch": "2.13.0",
    "numpy": "2.4.6",
    "numba": "0.68.1",
}
FRACTIONS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)
BASE = {
    "task": {"operation": "divide", "modulus": 97},
    "split": {"fraction": 0.5, "pairs": "ordered"},
    "model": {"architecture": "mlp", "embedding": 80, "hidden": 128, "layers": 2, "embedding_std": 1.0},
    "optimizer": {
        "name": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 1.0,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "decays": "all",
    },
    "schedule": {"shape": "constant", "warmup": 10},
    "batches": {"size": 512, "order": "shuffled", "last": "keep"},
    "loss": {"precision": "float32"},
}
ADAM = BASE["optimizer"] | {"name": "adam"}
NO_DECAY = ADAM | {"weight_decay": 0.0}
SGD = {"name": "sgd", "learning_rate": 1e-3, "weight_decay": 1.0, "momentum": 0.9, "decays": "all"}
TRANSFORMER = {"architecture": "transformer", "width": 128, "layers": 2, "heads": 4, "norm": "post", "dropout": 0.0}
SENSITIVITY = [
    *({"model.embedding": width} for width in (24, 128)),
    *({"model.embedding_std": std} for std in (0.02, 0.1)),
    {"optimizer.beta2": 0.98},
    *({"optimizer.decays": decays} for decays in ("no_biases", "no_embeddings")),
    {"batches.last": "drop"},
    {"batches.order": "replacement"},
    {"schedule": {"shape": "cosine", "warmup": 10, "horizon": 100_000}},
    {"schedule.warmup": 0},
    {"schedule.warmup": 100},
]
DENSE = ((10, 6000),)
DIVERGES = 7  # seed of the one member that diverges, in the cell with these settings
DIVERGING = {"optimizer.name": "sgd", "optimizer.learning_rate": 0.3, "optimizer.weight_decay": 1e-2}
TYPICAL = {0.9: 1400, 0.7: 1700, 0.6: 2100, 0.5: 2900, 0.4: 4700, 0.35: 7200, 0.3: 14_000}  # t4 of divide, in steps
TYPICAL_001 = {"transformer": 3000, "residual_mlp": 3300, "lstm": 4200}  # t4 at 0.7
LARGEST = 30  # cells of a study of config.yaml
SLOWER = {"divide": 1.0, "multiply": 1.2, "add": 1.6, "subtract": 1.5}
CAPACITY = {(32, 1): None, (64, 1): 6.0, (128, 1): 1.5, (64, 2): 1.3, (32, 3): 3.0}


def studies() -> dict[str, list[dict]]:
    """The overrides of BASE that each study of report 000 asks for."""
    sweep = [
        {"optimizer": optimizer | {"learning_rate": rate, "weight_decay": decay}}
        for optimizer, rates, decays in (
            (BASE["optimizer"], (3e-4, 1e-3, 3e-3), (0.1, 1.0, 3.0)),
            (ADAM, (3e-4, 1e-3, 3e-3), (1e-4, 1e-3, 1e-2)),
            (SGD, (0.03, 0.1, 0.3), (1e-4, 1e-3, 1e-2)),
        )
        for rate, decay in product(rates, decays)
    ]
    shapes = zip(CAPACITY, (24, 58, 116, 57, 34), strict=True)
    return {
        "data_fraction": [{"split.fraction": fraction} for fraction in FRACTIONS],
        "transition": [{"split.fraction": 0.5}],
        "operations": [
            {"task.operation": operation, "split.fraction": fraction, "split.pairs": pairs}
            for operation, fraction, pairs in product(OPERATIONS, FRACTIONS, ("ordered", "unordered"))
        ],
        "no_decay": [{"optimizer": NO_DECAY, "loss.precision": precision} for precision in ("float32", "float64")],
        "optimizers": [{"optimizer": optimizer} for optimizer in (BASE["optimizer"], ADAM, SGD, NO_DECAY)],
        "optimizer_sweep": sweep,
        "against_transformer": [{}, {"model": TRANSFORMER, "optimizer.beta2": 0.98}],
        "architectures": [
            {"model.embedding": embedding, "model.hidden": hidden, "model.layers": layers}
            for (hidden, layers), matched in shapes
            for embedding in (80, matched)
        ],
        "sensitivity": [
            {"split.fraction": fraction} | change for fraction in (0.3, 0.5) for change in ({}, *SENSITIVITY)
        ],
    }


def base_tables(seeds: int = 8, scale: str = "desk", rng: int = 0, empty: bool = False) -> dict[str, pd.DataFrame]:
    """Fresh copies of `cells`, `designs`, `members`, `histories` for all studies, those in `studies` by it, the others
    as config.yaml has them, and of the tables of all probes, as tests/made_up has them.

    seeds: members a cell; scale: smoke, laptop, desk or cluster, sets the budgets; rng: seed of the noise.
    empty: the smoke case, 300 steps, at most 2 seeds and no event of any kind.
    """
    return {name: frame.copy() for name, frame in _base_tables(seeds, scale, rng, empty).items()}


def frame(name: str, rows: list[dict] | None = None) -> pd.DataFrame:
    """Base table `name` with the contract's columns and dtypes, of `rows` (dicts that have every column)."""
    dtypes = DTYPES[name]
    return pd.DataFrame(rows or [], columns=list(dtypes)).astype(dtypes)


def member(**changes) -> dict:
    """A row of `members`: divide at 0.5, memorised at 400, not generalised by 10 000 steps; then `changes`.

    Columns that follow from t2, t4 and the budget are worked out unless they are among the changes.
    """
    cell = Cell.model_validate(BASE)
    row = {"cell": "cell", **factors.of(cell), "n_parameters": cell.parameters, "seed": 0}
    row |= {
        "n_train": 4656,
        "n_val": 4656,
        "steps_per_epoch": 10,
        **{name: getattr(cell.task, name) for name in ("family", "symbol", "symmetric", "chance")},
        "budget": 10_000,
        "stop_reason": "budget",
    }
    row |= {"t1_after": 50.0, "t1": 100.0, "t2_after": 350.0, "t2": 400.0}
    row |= dict.fromkeys(("t3_after", "t3", "t4_after", "t4"), np.nan)
    row |= {"diverged": False, "final_train_acc": 1.0, "final_val_acc": 0.01, "final_train_loss": 1e-3}
    row |= {"final_val_loss": 9.0, "best_val_acc": 0.02, "zero_loss_share": 0.0, "zero_loss_half_step": np.nan}
    row |= {
        "wall_seconds": 20.0,
        "cpu_seconds": 18.0,
        "evaluation_cpu_seconds": 2.0,
        "overhead_cpu_seconds": 1.0,
    } | changes
    reached = not np.isnan(row["t4"])
    worked_out = {
        "last_step": row["budget"],
        "evaluated_train": row["n_train"],
        "evaluated_val": row["n_val"],
        "generalised": reached,
        "delay": row["t4"] - row["t2"],
        "delay_ratio": row["t4"] / row["t2"],
        "grokked": reached and row["t4"] - row["t2"] >= events.GROKKING_DELAY,
        "flops": 1e6 * changes.get("last_step", row["budget"]),
    }
    if reached:
        worked_out["t4_after"] = row["t4"] - 50
    return row | worked_out | changes


def design(**changes) -> dict:
    """A row of `designs`: the cell "cell" of data_fraction."""
    row = {"study": "data_fraction", "report": "000", "cell": "cell", "varied": "split.fraction"}
    return row | {"seeds": 8, "budget": 10_000, "stop": "event", "reference": False} | changes


@lru_cache
def _base_tables(seeds: int, scale: str, rng: int, empty: bool) -> dict[str, pd.DataFrame]:
    seeds = min(seeds, 2) if empty else seeds
    cells: dict[str, Cell] = {}
    designs = []
    for study, points in studies().items():
        for overrides in points:
            cell = Cell.model_validate(override(BASE, overrides))
            cells[cell.id] = cell
            designs.append(_design(study, cell, overrides, seeds, scale, empty))
    for asked in _configured(scale):
        cells[asked.cell.id] = asked.cell
        limits = {"seeds": min(seeds, asked.seeds), "budget": 300 if empty else asked.budget}
        row = {name: getattr(asked, name) for name in ("study", "report", "stop", "reference")}
        designs.append(design(cell=asked.cell.id, varied=",".join(asked.varied), **row, **limits))
    designs = frame("designs", designs)
    members, histories = [], []
    for cell in cells.values():
        follow = _follow(designs[designs["cell"] == cell.id])
        steps = evaluation_steps(follow.budget, follow.dense)
        for seed in range(designs.loc[designs["cell"] == cell.id, "seeds"].max()):
            history = _history(cell, follow, steps, seed, rng, empty)
            members.append(_member(cell, follow, seed, history))
            histories.append(pd.DataFrame({"cell": cell.id, "seed": seed} | history))
    base = {
        "cells": frame("cells", [_cell(cell) for cell in cells.values()]),
        "designs": designs,
        "members": frame("members", members),
        "histories": pd.concat(histories, ignore_index=True).astype(DTYPES["histories"]),
        "throughput": frame("throughput", [] if empty else _throughput(designs, cells)),
        "provenance": frame("provenance", [PROVENANCE | {"members": len(members)}]),
    }
    return base | {probe: _probed(probe, base) for probe in probed.probes()}


def _configured(scale: str) -> list[experiment.Design]:
    """What config.yaml asks for in the studies that `studies` does not have, at most `LARGEST` cells of each."""
    asked: dict[str, list[experiment.Design]] = {}
    for one in experiment.designs(config.load(REPOSITORY / "config.yaml"), scale):
        asked.setdefault(one.study, []).append(one)
    chosen = []
    for study in [study for study in asked if study not in studies()]:
        designs = asked[study]
        places = np.linspace(0, len(designs) - 1, min(len(designs), LARGEST)).round().astype(int)
        chosen += [designs[place] for place in places]
    return chosen


def _probed(probe: str, base: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What a probe is made to have measured, by the function of its name in tests/made_up; nothing without one."""
    columns = list(probed.columns(probe))
    if find_spec(f"made_up.{probe}") is None or base["members"].empty:
        return pd.DataFrame(columns=columns)
    return import_module(f"made_up.{probe}").table(base)[columns]


def _throughput(designs: pd.DataFrame, cells: dict[str, Cell]) -> list[dict]:
    """The perceptron at 600 steps a second, the Transformer at 40; the machine drifts, and both with it."""
    timed = designs.loc[designs["study"] == "against_transformer", "cell"]
    rates = {"mlp": 600.0, "transformer": 40.0}
    return [
        {"cell": cell, "repetition": i, "steps_per_second": drift * rates[cells[cell].model.architecture]}
        for i, drift in enumerate((1.0, 0.9, 1.2, 0.8, 1.1))
        for cell in timed
    ]


def _cell(cell: Cell) -> dict:
    return (
        {"cell": cell.id}
        | factors.of(cell)
        | {
            "n_parameters": cell.parameters,
            "steps_per_epoch": cell.steps_per_epoch,
            "flops_per_step": cell.flops_per_step,
        }
    )


def _design(study: str, cell: Cell, overrides: dict, seeds: int, scale: str, empty: bool) -> dict:
    low = cell.split.fraction <= 0.35
    budget = {"smoke": 300, "laptop": 20_000, "desk": 500_000 if low else 100_000, "cluster": 1_000_000}[scale]
    return design(
        study=study,
        cell=cell.id,
        varied=",".join(overrides),
        seeds=seeds,
        budget=300 if empty else budget,
        stop="budget" if study == "no_decay" else "event",
        reference=study == "data_fraction" and cell.split.fraction == 0.3,
    )


def _targets(cell: Cell, seed: int, noise: np.random.Generator) -> tuple[float, float]:
    """Steps at which training and validation accuracy reach 0.99; inf for never."""
    spread = np.exp(0.1 * noise.standard_normal())
    if cell.model.architecture in TYPICAL_001:
        return _targets_001(cell, spread)
    if cell.model.architecture in ("shared_mlp", "tied_transformer"):
        return _targets_full_batch(cell, spread)
    optimizer, capacity = cell.optimizer, CAPACITY.get((cell.model.hidden, cell.model.layers), 1.0)
    t2 = 350.0 * spread
    decay = optimizer.weight_decay
    if capacity is None or (optimizer.name != "adamw" and decay >= 1):
        return np.inf, np.inf
    if decay == 0 or cell.split.fraction not in TYPICAL:
        return t2, np.inf
    t4 = TYPICAL[cell.split.fraction] * SLOWER.get(cell.task.named, 2.0) * capacity * spread
    if cell.split.pairs == "unordered":
        t4 *= 1.3
    if cell.task.operation == "subtract" and seed % 6 == 5:
        t4 *= 2
    if capacity == 6.0 and seed % 2:
        return t2, np.inf
    if optimizer.name == "adamw":
        return t2, t4 * 1e-3 / (optimizer.learning_rate * decay)
    if decay == 1e-3:
        return 2 * t2, (3 if optimizer.name == "adam" else 15) * t4 * np.exp(0.5 * noise.standard_normal())
    return 2 * t2, np.inf


def _targets_full_batch(cell: Cell, spread: float) -> tuple[float, float]:
    t2, rate, decay = 150.0 * spread, cell.optimizer.learning_rate, cell.optimizer.weight_decay
    if rate * decay > 0.5:
        return np.inf, np.inf
    if not decay or rate < 2e-3:
        return t2, np.inf
    return t2, 1.1 * t2 + 3000 * spread * (0.5 / cell.split.fraction) ** 3 * (9e-4 / (rate * decay)) ** 0.6


def _targets_001(cell: Cell, spread: float) -> tuple[float, float]:
    optimizer, t2 = cell.optimizer, 400.0 * spread
    if optimizer.name != "adamw" and optimizer.weight_decay >= 1:
        return np.inf, np.inf
    if cell.task.terms > 2:
        return (5 * t2, 6 * t2) if cell.split.fraction > 0.1 else (t2, np.inf)
    if optimizer.weight_decay == 0 and not cell.model.dropout:
        return t2, np.inf
    t4 = TYPICAL_001[cell.model.architecture] * spread * (0.7 / cell.split.fraction) ** 2 * (1 - cell.model.dropout)
    slower = {"adamw": 1.0, "rmsprop": 1.5, "sgd": 4.0}[optimizer.name]
    return t2, t4 * slower * np.sqrt(5e-4 / min(optimizer.learning_rate, 1e-3))


def _follow(asked: pd.DataFrame) -> Follow:
    until = asked.groupby("stop")["budget"].max()
    dense = DENSE if asked["study"].eq("transition").any() else ()
    return Follow(int(until.get("event", 0)), int(until.get("budget", 0)), dense)


def _history(cell: Cell, follow: Follow, steps: np.ndarray, seed: int, rng: int, empty: bool) -> dict[str, np.ndarray]:
    noise = np.random.default_rng([rng, crc32(cell.id.encode()), seed])
    t2, t4 = (np.inf, np.inf) if empty else _targets(cell, seed, noise)
    n_train, n_val = _sizes(cell)
    train_acc = _accuracy(steps, t2, 0.25, n_train, cell.task.chance, noise)
    val_acc = np.minimum(_accuracy(steps, t4, 0.05, n_val, cell.task.chance, noise), train_acc.max())
    keep = steps <= events.last_step(events.generalisation(steps, val_acc), follow)
    steps, train_acc, val_acc = steps[keep], train_acc[keep], val_acc[keep]
    rises = np.log1p(steps) if cell.optimizer.weight_decay == 0 else 0
    float32 = cell.loss.precision == "float32" and cell.optimizer.weight_decay == 0
    history = {
        "step": steps,
        "train_loss": 4.6 * (1 - train_acc) + 1e-3 / (1 + steps / 100),
        "val_loss": 4.6 + 3 * np.log1p(steps / 100) * (train_acc - val_acc) - 4.59 * val_acc,
        "train_acc": train_acc,
        "val_acc": val_acc,
        "weight_norm": 60 + rises - 25 * np.minimum(1, steps / min(t4, 1e6)),
        "zero_loss_share": steps / (steps + 24_000) if float32 else np.zeros(len(steps)),
    }
    if not empty and seed == DIVERGES and DIVERGING.items() <= cell.factors.items():
        history = {key: values[:20].copy() for key, values in history.items()}
        history["train_loss"][-1] = history["val_loss"][-1] = np.nan
    return history


def _accuracy(
    steps, target: float, width: float, examples: int, chance: float, noise: np.random.Generator
) -> np.ndarray:
    """A sigmoid in log-step from chance to 1 that reaches 0.99 at `target`; share of `examples`, float32."""
    distance = np.log(np.maximum(steps, 1)) - np.log(target)
    share = 1 / (1 + np.exp(-np.log(99) - distance / width)) if np.isfinite(target) else np.zeros(len(steps))
    guesses = noise.binomial(examples, chance, len(steps)) / examples
    return (np.round((guesses * (1 - share) + share) * examples) / examples).astype("float32")


def _sizes(cell: Cell) -> tuple[int, int]:
    """Training and validation examples that accuracies are measured on."""
    return evaluated_sizes(cell.task.examples, cell.train_examples)


def _member(cell: Cell, follow: Follow, seed: int, history: dict[str, np.ndarray]) -> dict:
    n_train, n_val = cell.train_examples, cell.task.examples - cell.train_examples
    found = events.events(history, *_sizes(cell), 1 / cell.task.chance)
    last, budget = int(history["step"][-1]), follow.budget
    diverged = bool(np.isnan(history["train_loss"][-1]))
    halved = history["step"][history["zero_loss_share"] >= 0.5]
    return member(
        **{"cell": cell.id} | factors.of(cell),
        n_parameters=cell.parameters,
        seed=seed,
        n_train=n_train,
        n_val=n_val,
        evaluated_train=_sizes(cell)[0],
        evaluated_val=_sizes(cell)[1],
        steps_per_epoch=cell.steps_per_epoch,
        **{name: getattr(cell.task, name) for name in ("family", "symbol", "symmetric", "chance")},
        budget=budget,
        last_step=last,
        stop_reason="diverged" if diverged else "budget" if last == budget else "event",
        **{
            key: time
            for event in EVENTS
            for key, time in zip((f"{event}_after", event), _times(found[event]), strict=True)
        },
        diverged=diverged,
        **{f"final_{key}": history[key][-1] for key in ("train_acc", "val_acc", "train_loss", "val_loss")},
        best_val_acc=history["val_acc"].max(),
        zero_loss_share=history["zero_loss_share"][-1],
        zero_loss_half_step=float(halved[0]) if len(halved) else np.nan,
        wall_seconds=last / 500,
        cpu_seconds=last / 550,
        evaluation_cpu_seconds=last / 5500,
        overhead_cpu_seconds=last / 11000,
        flops=last * cell.flops_per_step,
    )


def _times(event: events.Event) -> tuple[float, float]:
    return event.after, event.at
