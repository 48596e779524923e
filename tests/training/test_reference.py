"""The engine against a plain PyTorch loop: an nn.Module, torch.optim, one model, no tricks."""

import importlib

import numpy as np
import pytest
import torch
from tiny import LSTM, RESIDUAL, RMSPROP, SHARED, SUMS, TIED, TRANSFORMER
from torch import nn
from torch.nn import functional

from regrok.cell import Cell
from regrok.experiment import override
from regrok.tasks.sums import Sums
from regrok.tasks.table import Table
from regrok.training.batches import BatchOrder
from regrok.training.stack import Stack, data
from regrok.training.streams import torch_generator

STEPS = 200
OPTIMIZERS = {
    "adamw": {},
    "adam": {"optimizer.name": "adam", "optimizer.weight_decay": 1e-3},
    "sgd": {
        "optimizer": {"name": "sgd", "learning_rate": 0.03, "weight_decay": 1e-3, "momentum": 0.9, "decays": "all"}
    },
    "rmsprop": {"optimizer": RMSPROP},
}
MODELS = {"transformer": TRANSFORMER, "tied_transformer": TIED, "lstm": LSTM, "residual_mlp": RESIDUAL}


def plain(cell: Cell, seed: int, task: Table | Sums) -> nn.Module:
    module = importlib.import_module(f"regrok.models.{cell.model.architecture}")
    return module.Plain(cell.model, task.tokens, task.classes, torch_generator(seed, "initialisation"), cell.task.terms)


def plain_loop(cell: Cell, seed: int, dtype: torch.dtype) -> tuple[nn.Module, list[float]]:
    examples = data(cell, seed)
    model = plain(cell, seed, examples.examples).to(dtype)
    settings = cell.optimizer
    common = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.name == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), momentum=settings.momentum, **common)
    elif settings.name == "rmsprop":
        own = {"alpha": settings.alpha, "eps": settings.epsilon, "momentum": settings.momentum}
        optimizer = torch.optim.RMSprop(model.parameters(), **own, **common)
    else:
        kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
        optimizer = kind(model.parameters(), betas=(settings.beta1, settings.beta2), eps=settings.epsilon, **common)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / cell.schedule.warmup))
    order = BatchOrder(cell.batches, [seed], np.flatnonzero(examples.train)[None])
    every = np.arange(len(examples.examples))
    inputs, answers = map(torch.as_tensor, (examples.examples.operands(every), examples.examples.answers(every)))
    losses = []
    for step in range(STEPS):
        epoch, index = divmod(step, order.per_epoch)
        batch = torch.as_tensor(order.order(epoch)[0]).split(cell.batch_size)[index]
        loss = functional.cross_entropy(model(inputs[batch]), answers[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warmup.step()
        losses.append(loss.item())
    return model, losses


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_engine_follows_a_plain_loop(base_cell, optimizer):
    """Within float32 rounding: the engine is no further from a float64 loop than a few times the float32 loop is."""
    small = {"task.modulus": 31, "model.embedding": 24, "model.hidden": 32, "batches.size": 100}
    assert_follows(Cell.model_validate(override(base_cell, small | OPTIMIZERS[optimizer])))


def test_engine_follows_a_plain_loop_of_one_table(base_cell):
    """In full batches, as report 002 has it."""
    small = {"task": {"operation": "add", "modulus": 31}, "model": SHARED, "batches.size": "full"}
    assert_follows(Cell.model_validate(override(base_cell, small)))


@pytest.mark.parametrize("task", [{"operation": "add", "modulus": 13}, SUMS["task"]], ids=["two terms", "three terms"])
@pytest.mark.parametrize("model", MODELS)
def test_engine_follows_a_plain_loop_of_sequence_models(base_cell, model, task):
    cell = {"task": task, "model": MODELS[model], "batches.size": 20}
    assert_follows(Cell.model_validate(override(base_cell, cell)))


def assert_follows(cell: Cell):
    stack = Stack(cell, [3, 4])
    losses = [stack.advance()[0].item() for _ in range(STEPS)]
    exact, exact_losses = plain_loop(cell, 3, torch.float64)
    single, single_losses = plain_loop(cell, 3, torch.float32)

    assert losses == pytest.approx(single_losses, rel=2e-3)
    assert losses[:50] == pytest.approx(exact_losses[:50], rel=1e-5)
    values, references = stack.parameters.member(0), stack.unfold(exact)
    rounding = max(
        (a - b).abs().max().item() for a, b in zip(stack.unfold(single).values(), references.values(), strict=True)
    )
    for name, reference in references.items():
        assert (values[name] - reference).abs().max().item() < max(10 * rounding, 1e-4), name


@pytest.mark.parametrize(
    "overrides",
    [{}, {"model.layers": 1}, {"model.layers": 3, "model.embedding": 7}, {"model.architecture": "shared_mlp"}],
)
def test_gradients_against_float64_autograd(base_cell, overrides):
    cell = Cell.model_validate(
        override(base_cell, {"task.modulus": 17, "model.hidden": 24, "batches.size": 50} | overrides)
    )
    stack = Stack(cell, [0, 1, 2])
    losses = stack.differentiate()
    for index, (seed, (inputs, answers)) in enumerate(zip(stack.seeds, stack.batch(), strict=True)):
        model = plain(cell, seed, data(cell, seed).examples).double()
        loss = functional.cross_entropy(model(inputs), answers)
        loss.backward()
        assert losses[index].item() == pytest.approx(loss.item(), rel=1e-6)
        for part in model.parameters():
            part.data = part.grad
        for name, expected in stack.unfold(model).items():
            torch.testing.assert_close(
                stack.parameters.gradients[name][index].double(), expected, rtol=1e-4, atol=1e-7, msg=name
            )
