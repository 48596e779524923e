"""Members of one cell, trained together as one batched tensor program."""

import importlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..cell import Cell
from ..models.layers import CrossEntropy, Workspace
from ..models.parameters import Parameters
from ..tasks.split import split
from .batches import BatchOrder
from .optimizers import decayed, optimizer, rate_factor
from .streams import generator, torch_generator

EVALUATION_BATCH = 512  # examples at a time: large enough for the products, small enough for the cache

METRICS = ("train_loss", "val_loss", "train_acc", "val_acc", "weight_norm", "zero_loss_share")


@dataclass(frozen=True)
class Data:
    """A member's task and split. inputs: int64 (n, 2); answers: int64 (n,); train, validation: bool (n,)."""

    inputs: np.ndarray
    answers: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    tokens: int
    classes: int


def data(cell: Cell, seed: int) -> Data:
    """The examples of a cell's task and the split that `seed` draws."""
    family = importlib.import_module(f"..tasks.{cell.task.family}", __package__)
    examples = family.table(**cell.task.model_dump())
    train, validation = split(examples, cell.split.fraction, cell.split.pairs, generator(seed, "split"))
    inputs = np.stack([examples.x, examples.y], axis=1)
    return Data(inputs, examples.answer, train, validation, examples.tokens, examples.classes)


class Stack:
    """S members of `cell` at the same step.

    On a CPU a member's trajectory depends on its cell and seed alone, bit for bit. On a GPU products are batched over
    the members, and how they round may depend on how many these are.
    """

    def __init__(self, cell: Cell, seeds: list[int], device: str = "cpu"):
        self.cell, self.device = cell, device
        self.module = importlib.import_module(f"..models.{cell.model.architecture}", __package__)
        self.step = 0
        self.place(seeds)
        for index, seed in enumerate(seeds):
            plain = self.module.Plain(
                cell.model, self.data[0].tokens, self.data[0].classes, torch_generator(seed, "initialisation")
            )
            with torch.no_grad():
                self.parameters.load(index, self.module.unfold(plain))

    def place(self, seeds: list[int]) -> None:
        """Everything whose shape depends on the members: data, parameters (zero), layers, optimiser (fresh)."""
        self.seeds = list(seeds)
        self.data = [data(self.cell, seed) for seed in seeds]
        first = self.data[0]
        plain = self.module.Plain(self.cell.model, first.tokens, first.classes)
        shapes = {name: tuple(value.shape) for name, value in self.module.unfold(plain).items()}
        self.parameters = Parameters(
            shapes, decayed(list(shapes), self.cell.optimizer.decays), len(seeds), device=self.device
        )
        parts = self.parameters.parts()
        self.lead = () if self.parameters.one_by_one else (len(seeds),)
        workspace = Workspace(self.lead, self.device)
        self.models = [self.module.Stacked(self.cell.model, part, workspace) for part in parts]
        self.loss = CrossEntropy(self.cell.loss.precision, workspace)
        for buffer, gradient in zip(self.parameters.buffers, self.parameters.gradient_buffers, strict=True):
            buffer.grad = gradient
        self.optimizer = optimizer(self.cell.optimizer, self.parameters.buffers)
        train = np.stack([np.flatnonzero(member.train) for member in self.data])
        self.batches = BatchOrder(self.cell.batches, self.seeds, train)
        self.epoch = -1
        self.inputs = torch.as_tensor(first.inputs, device=self.device)
        self.answers = torch.as_tensor(first.answers, device=self.device)
        self.masks = {
            part: torch.as_tensor(np.stack([getattr(member, part) for member in self.data]), device=self.device)
            for part in ("train", "validation")
        }

    def batch(self) -> list[tuple[Tensor, Tensor]]:
        """Inputs (B, 2) and answers (B,) of the next step, for each part of the stack."""
        epoch, index = divmod(self.step, self.batches.per_epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            size = self.cell.batches.size
            orders = torch.as_tensor(self.batches.order(epoch), device=self.device).view(
                len(self.models), *self.lead, -1
            )
            self.epoch_batches = [
                list(zip(self.inputs[order].split(size, -2), self.answers[order].split(size, -1), strict=True))
                for order in orders
            ]
        return [batches[index] for batches in self.epoch_batches]

    def differentiate(self) -> Tensor:
        """Fill the gradients of every member on the next step's batch; returns the losses on it, (S,)."""
        losses = []
        for model, (inputs, answers) in zip(self.models, self.batch(), strict=True):
            model.prepare()
            loss, gradient = self.loss.forward(model.forward(inputs), answers)
            model.backward(gradient)
            losses.append(loss)
        return losses[0] if self.lead else torch.tensor(losses, dtype=self.loss.dtype)

    def advance(self) -> Tensor:
        """One training step of every member; returns their batch losses before it, (S,)."""
        losses = self.differentiate()
        rate = self.cell.optimizer.learning_rate * rate_factor(self.cell.schedule, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.step += 1
        return losses

    def evaluate(self) -> dict[str, np.ndarray]:
        """Means over the training and the validation set of each member: METRICS -> float64 (S,)."""
        examples = len(self.answers)
        losses = torch.empty(len(self.models), *self.lead, examples, dtype=torch.float64, device=self.device)
        correct = torch.empty_like(losses, dtype=torch.bool)
        for model, own_losses, own_correct in zip(self.models, losses, correct, strict=True):
            model.prepare()
            for first in range(0, examples, EVALUATION_BATCH):
                part = slice(first, first + EVALUATION_BATCH)
                inputs, answers = self.inputs[part], self.answers[part]
                logits = model.forward(inputs.expand(*self.lead, *inputs.shape))
                judged = self.loss.judge(logits, answers.expand(*self.lead, *answers.shape))
                own_losses[..., part], own_correct[..., part] = judged
        loss, correct = (values.view(len(self.seeds), -1) for values in (losses, correct))
        train, validation = self.masks["train"], self.masks["validation"]

        def mean(values: Tensor, mask: Tensor) -> np.ndarray:
            return (torch.where(mask, values, 0).sum(1, dtype=torch.float64) / mask.sum(1)).cpu().numpy()

        return {
            "train_loss": mean(loss, train),
            "val_loss": mean(loss, validation),
            "train_acc": mean(correct, train),
            "val_acc": mean(correct, validation),
            "weight_norm": self.parameters.norms().cpu().numpy(),
            "zero_loss_share": mean(loss == 0, train),
        }

    def state(self, index: int) -> dict[str, np.ndarray]:
        """Everything but the step that one member needs to go on: its rows of the parameter buffers and of the
        optimiser's moments."""
        rows = {}
        for kind, buffer in zip(("decayed", "undecayed"), self.parameters.buffers, strict=True):
            rows[f"{kind}.value"] = buffer[index]
            for key, value in self.optimizer.state.get(buffer, {}).items():
                if torch.is_tensor(value) and value.shape == buffer.shape:
                    rows[f"{kind}.{key}"] = value[index]
        return {key: row.cpu().numpy().copy() for key, row in rows.items()}

    def restore(self, seeds: list[int], states: list[dict[str, np.ndarray]], step: int) -> None:
        """Replace the members by those of `states`, which were all left at `step`."""
        self.place(seeds)
        self.step = step
        for kind, buffer in zip(("decayed", "undecayed"), self.parameters.buffers, strict=True):
            rows = {
                key.partition(".")[2]: torch.as_tensor(np.stack([state[key] for state in states]), device=self.device)
                for key in states[0]
                if key.startswith(f"{kind}.")
            }
            buffer.copy_(rows.pop("value"))
            if rows:
                self.optimizer.state[buffer] = {"step": torch.tensor(float(step), device=self.device), **rows}

    def keep(self, indices: list[int]) -> None:
        """Go on with these members only."""
        self.restore([self.seeds[i] for i in indices], [self.state(i) for i in indices], self.step)
