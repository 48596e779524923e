"""Optimisers and learning-rate schedules."""

import math

import torch
from torch import Tensor

from ..cell import SGD, Adam, Constant, Cosine, RMSprop, Staircase


def decayed(names: list[str], decays: str) -> set[str]:
    """The parameters, by name, that weight decay acts on."""
    spared = {"all": (), "no_biases": ("bias",), "no_embeddings": ("embed",)}[decays]
    return {name for name in names if not any(part in name for part in spared)}


def optimizer(settings: Adam | SGD | RMSprop, buffers: list[Tensor]) -> torch.optim.Optimizer:
    """A torch.optim optimiser, fused where there is one, over the decayed and the undecayed buffer of `Parameters` (in
    that order)."""
    decays = (settings.weight_decay, 0.0)
    groups = [
        {"params": [buffer], "weight_decay": decay}
        for buffer, decay in zip(buffers, decays, strict=True)
        if buffer.numel()
    ]
    if settings.name == "rmsprop":
        return torch.optim.RMSprop(
            groups,
            lr=settings.learning_rate,
            alpha=settings.alpha,
            eps=settings.epsilon,
            momentum=settings.momentum,
            foreach=False,
        )
    common = {"lr": settings.learning_rate, "fused": True}
    if settings.name == "sgd":
        return torch.optim.SGD(groups, momentum=settings.momentum, **common)
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[settings.name]
    return kind(groups, betas=(settings.beta1, settings.beta2), eps=settings.epsilon, **common)


def rate_factor(schedule: Constant | Cosine | Staircase, step: int) -> float:
    """What step number `step` (from 0) multiplies the learning rate by. Warm-up is linear: 1/w, 2/w, ..., 1."""
    warm = min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else 1.0
    match schedule:
        case Constant():
            return warm
        case Cosine(horizon=horizon):
            return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, step / horizon)))
        case Staircase(factor=factor, every=every):
            return warm * factor ** (step // every)
