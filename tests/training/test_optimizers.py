"""Schedules, decay masks and single optimiser steps against hand computation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny

from regrok.cell import SGD, Adam, Constant, Cosine, Staircase
from regrok.training.optimizers import decayed, optimizer, rate_factor
from regrok.training.stack import Stack

NAMES = ["embed_x", "embed_y", "linears.0.weight_x", "linears.0.bias", "linears.1.weight", "linears.1.bias"]
RATE, DECAY, BETA1, BETA2, EPSILON, MOMENTUM = 0.01, 0.3, 0.9, 0.99, 1e-3, 0.8


def test_constant_after_warm_up():
    schedule = Constant(shape="constant", warmup=4)
    assert [rate_factor(schedule, step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert rate_factor(Constant(shape="constant", warmup=0), 0) == 1


def test_cosine():
    schedule = Cosine(shape="cosine", warmup=0, horizon=6)
    expected = [1, 0.5 + math.sqrt(3) / 4, 0.75, 0.5, 0.25, 0.5 - math.sqrt(3) / 4, 0, 0]
    assert [rate_factor(schedule, step) for step in range(8)] == pytest.approx(expected, abs=1e-15)
    warm = Cosine(shape="cosine", warmup=2, horizon=6)
    assert [rate_factor(warm, step) for step in range(3)] == pytest.approx([0.5, expected[1], 0.75])


def test_staircase():
    schedule = Staircase(shape="staircase", warmup=2, factor=0.5, every=3)
    assert [rate_factor(schedule, step) for step in range(8)] == [0.5, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


@settings(deadline=None)
@given(st.integers(0, 10**7))
def test_no_schedule_raises_the_rate_beyond_the_setting(step):
    for schedule in (
        Constant(shape="constant", warmup=10),
        Cosine(shape="cosine", warmup=10, horizon=5000),
        Staircase(shape="staircase", warmup=10, factor=0.9, every=100),
    ):
        assert 0 <= rate_factor(schedule, step) <= 1


def test_a_stack_applies_its_schedule():
    schedule = {"shape": "staircase", "warmup": 2, "factor": 0.5, "every": 3}
    stack = Stack(tiny({"schedule": schedule, "optimizer.decays": "no_biases"}), [0])
    rates = []
    for _ in range(7):
        stack.advance()
        rates.append({group["lr"] for group in stack.optimizer.param_groups})
    assert rates == [{0.01 * factor} for factor in (0.5, 1, 1, 0.5, 0.5, 0.5, 0.25)]


def test_decayed():
    assert decayed(NAMES, "all") == set(NAMES)
    assert decayed(NAMES, "no_biases") == {"embed_x", "embed_y", "linears.0.weight_x", "linears.1.weight"}
    assert decayed(NAMES, "no_embeddings") == {
        "linears.0.weight_x",
        "linears.0.bias",
        "linears.1.weight",
        "linears.1.bias",
    }


def stepped(settings, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of a decayed and an undecayed buffer that start at 1, 2, ... after steps with these gradients (n, 16)."""
    start = torch.arange(1.0, 17.0)
    buffers = [start.clone()[None], start.clone()[None]]
    for buffer in buffers:
        buffer.grad = torch.zeros_like(buffer)
    engine = optimizer(settings, buffers)
    for gradient in gradients:
        for buffer in buffers:
            buffer.grad.copy_(torch.as_tensor(gradient))
        engine.step()
    return tuple(buffer[0].numpy() for buffer in buffers)


def by_hand_adam(name: str, gradients: np.ndarray, decay: float) -> np.ndarray:
    """Kingma and Ba 2015, algorithm 1; decoupled decay: Loshchilov and Hutter 2019, algorithm 2."""
    value, m, v = np.arange(1.0, 17.0), 0.0, 0.0
    for step, gradient in enumerate(gradients, 1):
        if name == "adamw":
            value = value - RATE * decay * value
        else:
            gradient = gradient + decay * value
        m = BETA1 * m + (1 - BETA1) * gradient
        v = BETA2 * v + (1 - BETA2) * gradient**2
        value = value - RATE * (m / (1 - BETA1**step)) / (np.sqrt(v / (1 - BETA2**step)) + EPSILON)
    return value


def by_hand_sgd(gradients: np.ndarray, decay: float) -> np.ndarray:
    """torch.optim.SGD's heavy ball: the velocity starts as the first gradient and is multiplied by the rate."""
    value, velocity = np.arange(1.0, 17.0), 0.0
    for gradient in gradients:
        velocity = MOMENTUM * velocity + gradient + decay * value
        value = value - RATE * velocity
    return value


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_steps_by_hand(name):
    gradients = np.random.default_rng(0).normal(size=(5, 16))
    if name == "sgd":
        settings = SGD(name="sgd", learning_rate=RATE, weight_decay=DECAY, momentum=MOMENTUM, decays="no_biases")
        expected = [by_hand_sgd(gradients, decay) for decay in (DECAY, 0)]
    else:
        settings = Adam(
            name=name,
            learning_rate=RATE,
            weight_decay=DECAY,
            beta1=BETA1,
            beta2=BETA2,
            epsilon=EPSILON,
            decays="no_biases",
        )
        expected = [by_hand_adam(name, gradients, decay) for decay in (DECAY, 0)]
    for value, wanted in zip(stepped(settings, gradients), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=2e-6)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3


@pytest.mark.parametrize(("decays", "spared"), [("all", ()), ("no_biases", ("bias",)), ("no_embeddings", ("embed",))])
def test_decay_acts_on_what_the_setting_names(decays, spared):
    """Without gradients AdamW multiplies decayed parameters by 1 - rate * decay and leaves the others alone."""
    stack = Stack(tiny({"optimizer.decays": decays, "optimizer.weight_decay": 0.5, "schedule.warmup": 0}), [0, 1])
    before = {name: value.clone() for name, value in stack.parameters.values.items()}
    stack.optimizer.param_groups[0]["lr"] = 0.01
    stack.optimizer.step()
    for name, value in stack.parameters.values.items():
        if any(part in name for part in spared):
            assert torch.equal(value, before[name]), name
        else:
            torch.testing.assert_close(value, before[name] * 0.995, rtol=1e-6, atol=0)


def test_no_decay_at_all_is_adam():
    """adam and adamw differ in the decay alone."""
    ends = []
    for name in ("adam", "adamw"):
        stack = Stack(tiny({"optimizer.name": name, "optimizer.weight_decay": 0.0}), [0])
        for _ in range(30):
            stack.advance()
        ends.append(stack.parameters.buffers[0])
    assert torch.equal(*ends)
