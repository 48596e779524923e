"""Members of one cell, trained together as one batched tensor program."""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..cell import Cell
from ..models.differentiated import Differentiated
from ..models.layers import CrossEntropy, Workspace
from ..models.parameters import Parameters, Part
from ..tasks.split import evaluated, split
from ..tasks.table import Examples
from .batches import BatchOrder
from .optimizers import decayed, optimizer, rate_factor
from .streams import Noise, generator, torch_generator

EVALUATION_BATCH = 512  # examples at a time: large enough for the products, small enough for the cache
BATCHES_AT_HAND = 64  # looked up at a time: more calls cost more, and an epoch of a large task does not fit into memory

METRICS = ("train_loss", "val_loss", "train_acc", "val_acc", "weight_norm", "zero_loss_share")
SIGNALS = ("loss", "grad_norm", "update_norm", "cosine_distance", "weight_norm", "last_layer_norm")


@dataclass(frozen=True)
class Data:
    """A member's task and split. train, validation: bool (n,); seen: numbers of the examples that accuracies are
    measured on, int64."""

    examples: Examples
    train: np.ndarray
    validation: np.ndarray
    seen: np.ndarray


def data(cell: Cell, seed: int) -> Data:
    """The examples of a cell's task and the split that `seed` draws."""
    examples = cell.task.table()
    train, validation = split(examples, cell.split.fraction, cell.split.pairs, generator(seed, "split"))
    return Data(examples, train, validation, evaluated(train, validation, generator(seed, "evaluation")))


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
            plain = self.plain(torch_generator(seed, "initialisation"))
            with torch.no_grad():
                self.parameters.load(index, self.unfold(plain))

    def place(self, seeds: list[int]) -> None:
        """Everything whose shape depends on the members: data, parameters (zero), layers, optimiser (fresh)."""
        self.seeds = list(seeds)
        self.data = [data(self.cell, seed) for seed in seeds]
        shapes = {name: tuple(value.shape) for name, value in self.unfold(self.plain()).items()}
        self.parameters = Parameters(
            shapes, decayed(list(shapes), self.cell.optimizer.decays), len(seeds), device=self.device
        )
        parts = self.parameters.parts()
        self.lead = () if self.parameters.one_by_one else (len(seeds),)
        workspace = Workspace(self.lead, self.device)
        self.models = [self.model(part, workspace) for part in parts]
        self.loss = CrossEntropy(self.cell.loss.precision, workspace, self.cell.task.places)
        for buffer, gradient in zip(self.parameters.buffers, self.parameters.gradient_buffers, strict=True):
            buffer.grad = gradient
        self.optimizer = optimizer(self.cell.optimizer, self.parameters.buffers)
        train = np.stack([np.flatnonzero(member.train) for member in self.data])
        self.batches = BatchOrder(self.cell.batches, self.seeds, train)
        self.epoch, self.at_hand = -1, range(0)
        seen = np.stack([member.seen for member in self.data])
        self.seen = [self.look_up(index) for index in seen.reshape(len(parts), *self.lead, -1)]
        self.masks = {
            side: torch.as_tensor(np.stack([getattr(m, side)[m.seen] for m in self.data]), device=self.device)
            for side in ("train", "validation")
        }

    def model(self, part: Part, workspace: Workspace) -> Any:
        """What computes a part: the architecture's own code, or its plain form differentiated."""
        if hasattr(self.module, "Stacked"):
            return self.module.Stacked(self.cell.model, part, workspace)
        return Differentiated(self.plain(), part)

    def unfold(self, plain: torch.nn.Module) -> dict[str, Tensor]:
        """A plain module's parameters under the names that the stack has for them."""
        named = dict(plain.named_parameters())
        return self.module.unfold(plain) if hasattr(self.module, "unfold") else named

    def plain(self, generator: torch.Generator | None = None) -> torch.nn.Module:
        """The plain form of a member, initialised from `generator`."""
        return self.module.Plain(self.cell.model, generator=generator, **self.cell.shape)

    def look_up(self, index: np.ndarray) -> tuple[Tensor, Tensor]:
        """Inputs int64 (*index.shape, K) and answers (*index.shape,), or (*index.shape, places) of several places, of
        examples by their numbers."""
        examples = self.data[0].examples
        found = examples.operands(index), examples.answers(index)
        return tuple(torch.from_numpy(np.ascontiguousarray(part)).to(self.device) for part in found)

    def batch(self) -> list[tuple[Tensor, Tensor]]:
        """Inputs (B, K) and answers (B,) or (B, places) of the next step, for each part of the stack."""
        epoch, index = divmod(self.step, self.batches.per_epoch)
        if self.batches.whole:
            epoch = 0  # as all others
        if epoch != self.epoch:
            self.epoch, self.at_hand = epoch, range(0)
            self.orders = self.batches.order(epoch)
        if index not in self.at_hand:
            size = self.batches.size
            self.at_hand = range(index, index + BATCHES_AT_HAND)
            orders = self.orders[:, index * size : self.at_hand.stop * size]
            self.batches_at_hand = [
                list(zip(*(part.split(size, len(self.lead)) for part in found), strict=True))
                for found in (self.look_up(order) for order in orders.reshape(len(self.models), *self.lead, -1))
            ]
        return [batches[index - self.at_hand.start] for batches in self.batches_at_hand]

    def noise(self) -> list[Noise | None]:
        """What dropout draws in the next step, for each part of the stack; None without dropout."""
        if not getattr(self.cell.model, "dropout", 0):
            return [None] * len(self.models)
        groups = [self.seeds] if self.lead else [[seed] for seed in self.seeds]
        return [Noise(seeds, self.step) for seeds in groups]

    def differentiate(self) -> Tensor:
        """Fill the gradients of every member on the next step's batch; returns the losses on it, (S,)."""
        losses = []
        for model, (inputs, answers), noise in zip(self.models, self.batch(), self.noise(), strict=True):
            model.prepare()
            loss, gradient = self.loss.forward(model.forward(inputs, noise), answers)
            model.backward(gradient)
            losses.append(loss)
        return losses[0] if self.lead else torch.tensor(losses, dtype=self.loss.dtype)

    def advance(self) -> Tensor:
        """One training step of every member; returns their batch losses before it, (S,)."""
        losses = self.differentiate()
        self.update()
        return losses

    def watched_advance(self) -> dict[str, np.ndarray]:
        """The same step; returns SIGNALS -> float64 (S,): batch loss and gradient norm before it, its length and cosine
        distance, and the norms of all weights and of the last layer's after it."""
        buffers = self.parameters.buffers
        before = [buffer.clone() for buffer in buffers]
        losses, gradient = self.differentiate(), norms(self.parameters.gradient_buffers)
        self.update()
        steps = norms([after - old for after, old in zip(buffers, before, strict=True)])
        old, new = norms(before), norms(buffers)
        distance = (steps**2 - (new - old) ** 2) / (2 * new * old)  # 1 - cos, which in float32 would be noise
        last = norms([self.parameters.values[self.module.last_layer(self.cell.model)].flatten(1)])
        return dict(zip(SIGNALS, (losses.double().cpu().numpy(), gradient, steps, distance, new, last), strict=True))

    def update(self) -> None:
        """One step of the optimiser."""
        rate = self.cell.optimizer.learning_rate * rate_factor(self.cell.schedule, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.step += 1

    def evaluate(self) -> dict[str, np.ndarray]:
        """Means over the training and the validation examples that are evaluated: METRICS -> float64 (S,)."""
        examples = self.masks["train"].shape[1]
        losses = torch.empty(len(self.models), *self.lead, examples, dtype=torch.float64, device=self.device)
        correct = torch.empty_like(losses, dtype=torch.bool)
        for model, (inputs, answers), *judgements in zip(self.models, self.seen, losses, correct, strict=True):
            model.prepare()
            for first in range(0, examples, EVALUATION_BATCH):
                part = slice(first, first + EVALUATION_BATCH)
                chosen = (slice(None),) * len(self.lead) + (part,)
                judged = self.loss.judge(model.forward(inputs[chosen]), answers[chosen])
                for judgement, values in zip(judgements, judged, strict=True):
                    judgement[..., part] = values
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

    def weights(self, index: int) -> np.ndarray:
        """A copy of one member's rows of the parameter buffers, one after the other: float32 (d,)."""
        return torch.cat([buffer[index] for buffer in self.parameters.buffers]).cpu().numpy()

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


def norms(buffers: list[Tensor]) -> np.ndarray:
    """Euclidean norm of each member's rows in (S, width) tensors: float64 (S,). Row by row: it must not depend on S."""
    rows = [[torch.linalg.vector_norm(row, dtype=torch.float64) for row in buffer] for buffer in buffers]
    return torch.linalg.vector_norm(torch.tensor(rows), dim=0).numpy()
