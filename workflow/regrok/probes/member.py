"""A trained member as a probe sees it: cut where its scale stops following it, whatever a bigger one has added."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..events import evaluation_steps, generalisation, last_step, snapshot_steps
from ..experiment import Job
from ..store import Record

if TYPE_CHECKING:
    from .snapshots import Snapshots


@dataclass(frozen=True)
class Member:
    """What the record of a member holds that its job asks for. Everything raises ValueError if a file is damaged."""

    job: Job
    record: Record

    @property
    def cell(self):
        return self.job.cell

    @property
    def seed(self) -> int:
        return self.record.seed

    @cached_property
    def last_step(self) -> int:
        """Where the job stops following it, or how far it has come."""
        history, budget = self.record.history(), self.job.follow.budget
        common = np.isin(history["step"], evaluation_steps(budget))
        t4 = generalisation(history["step"][common], history["val_acc"][common])
        return min(self.record.step, last_step(t4, self.job.follow))

    def history(self) -> dict[str, np.ndarray]:
        """Column -> array over evaluations: step int64, train_loss, val_loss, train_acc, val_acc, weight_norm,
        zero_loss_share float32."""
        history, follow = self.record.history(), self.job.follow
        wanted = np.isin(history["step"], evaluation_steps(follow.budget, follow.dense))
        return {name: column[wanted & (history["step"] <= self.last_step)] for name, column in history.items()}

    def step_losses(self) -> np.ndarray:
        """Batch loss before each of the first steps, at most 10 000: float32 (n,)."""
        return self.record.step_losses()[: self.last_step]

    def signals(self) -> dict[str, np.ndarray]:
        """Column -> array over the first steps: step, int64 from 1; float64 are the batch loss and the norm of its
        gradient before the step (loss, grad_norm), the length of the step (update_norm), 1 - cos of the angle between
        the weights before and after it (cosine_distance), and the norms of all weights and of the last layer's after
        it (weight_norm, last_layer_norm)."""
        until = min(self.last_step, self.job.follow.signals)
        return {name: column[:until] for name, column in self.record.signals().items()}

    def snapshots(self) -> "Snapshots":
        """The weights that were kept."""
        from .snapshots import Snapshots  # PyTorch, which not every probe needs

        steps, weights = self.record.snapshots()
        wanted = np.isin(steps, snapshot_steps(self.last_step, self.job.follow.snapshots))
        return Snapshots(self.cell, self.seed, steps[wanted], weights[wanted])
