"""A member's trajectory depends on its cell and its seed alone: the same bits alone, in any stack, in any course."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny import LSTM, ODD, RESIDUAL, SUMS, TRANSFORMER, VARIANTS, differences, tiny
from torch import Tensor
from torch.nn import functional

from regrok.models.kernels import Kernel
from regrok.models.parameters import Parameters
from regrok.tasks.split import EVALUATED
from regrok.training.stack import BATCHES_AT_HAND, METRICS, Stack, data
from regrok.training.streams import torch_generator

SEEDS = range(5)
STEPS = 40
SEQUENCES = ("transformer", "transformer, dropout", "lstm", "lstm, dropout, three terms", "residual mlp")
SEQUENCES += ("residual mlp, summed, dropout", "transformer, three terms", "tied transformer")


@cache
def alone(variant: str, seed: int) -> tuple[list[dict], list[float], dict[str, float]]:
    """A member trained alone and never evaluated before the end: its state after each step, losses, evaluation."""
    stack = Stack(tiny(VARIANTS[variant]), [seed])
    states, losses = [stack.state(0)], []
    for _ in range(STEPS):
        losses.append(stack.advance()[0].item())
        states.append(stack.state(0))
    return states, losses, {name: values[0] for name, values in stack.evaluate().items()}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("members", [2, 5])
def test_the_same_bits_in_any_stack(variant, members):
    seeds = SEEDS[-members:]
    stack = Stack(tiny(VARIANTS[variant]), list(seeds))
    losses = np.array([stack.advance().tolist() for _ in range(STEPS)])
    evaluation = stack.evaluate()
    for index, seed in enumerate(seeds):
        states, expected_losses, expected = alone(variant, seed)
        assert not differences(stack.state(index), states[-1])
        assert losses[:, index].tolist() == expected_losses
        assert {name: evaluation[name][index] for name in METRICS} == expected


ACTIONS = st.one_of(
    st.tuples(st.just("advance"), st.integers(1, 9)),
    st.tuples(st.just("evaluate"), st.none()),
    st.tuples(st.just("keep"), st.permutations(SEEDS)),
    st.tuples(st.just("resume"), st.permutations(SEEDS)),
)


@pytest.mark.parametrize(
    "variant", ["odd sizes", "sgd, biases spared", "short batch dropped", "transformer, dropout", "rmsprop"]
)
@settings(max_examples=8, deadline=None)
@example(
    course=[
        ("advance", 5),
        ("keep", (4, 1, 2, 0, 3)),
        ("advance", 5),
        ("resume", (3, 0, 2, 1, 4)),
        ("evaluate", None),
        ("advance", 9),
        ("keep", (1, 0, 2, 3, 4)),
        ("advance", 5),
    ]
)
@given(course=st.lists(ACTIONS, min_size=3, max_size=10))
def test_the_same_bits_in_any_course(variant, course):
    """Members leave, the rest changes places, is evaluated, is taken up again by a fresh stack."""
    cell = tiny(VARIANTS[variant])
    stack = Stack(cell, list(SEEDS))
    for action, value in course:
        if action == "advance":
            for _ in range(min(value, STEPS - stack.step)):
                losses = stack.advance().tolist()
                assert losses == [alone(variant, seed)[1][stack.step - 1] for seed in stack.seeds]
        elif action == "evaluate":
            stack.evaluate()
        else:
            order = [index for index in value if index < len(stack.seeds)]
            if action == "keep":
                stack.keep(order[: max(1, len(order) - 1)])
            else:
                fresh = Stack(cell, [9])  # as a process that starts anew
                fresh.restore([stack.seeds[i] for i in order], [stack.state(i) for i in order], stack.step)
                stack = fresh
        for index, seed in enumerate(stack.seeds):
            assert not differences(stack.state(index), alone(variant, seed)[0][stack.step])


@pytest.mark.parametrize("variant", ["base", "float64 loss, odd sizes"])
def test_a_member_that_diverges_takes_nobody_along(variant):
    stack = Stack(tiny(VARIANTS[variant]), [0, 1, 2])
    stack.parameters.buffers[0][1] = torch.nan
    for _ in range(STEPS):
        losses = stack.advance()
    evaluation = stack.evaluate()
    assert losses.isnan().tolist() == [False, True, False]
    assert np.isnan(evaluation["train_loss"]).tolist() == [False, True, False]
    assert evaluation["train_acc"][1] == evaluation["val_acc"][1] == 0
    for seed in (0, 2):
        assert not differences(stack.state(seed), alone(variant, seed)[0][-1])


def test_seeds_and_settings_matter():
    """What makes the comparisons above worth anything."""
    end = alone("base", 0)[0][-1]
    assert differences(end, alone("base", 1)[0][-1])
    assert differences(end, alone("base", 0)[0][-2])
    for variant in VARIANTS.keys() - {"base"}:
        assert differences(end, alone(variant, 0)[0][-1]), variant


def test_a_state_is_a_copy():
    stack = Stack(tiny(), [0, 1])
    stack.advance()
    state = stack.state(1)
    before = {name: array.copy() for name, array in state.items()}
    stack.advance()
    assert not differences(state, before)
    assert differences(state, stack.state(1))


@pytest.mark.parametrize("variant", ["base", "sgd", "biases spared", "sgd without momentum", "rmsprop"])
def test_a_state_holds_parameters_and_moments(variant):
    moments = {
        "sgd": {"momentum_buffer"},
        "sgd without momentum": set(),
        "rmsprop": {"square_avg", "momentum_buffer"},
    }.get(variant, {"exp_avg", "exp_avg_sq"})
    buffers = ["decayed", "undecayed"] if variant == "biases spared" else ["decayed"]
    state = alone(variant, 0)[0][-1]
    filled = {name for name, array in state.items() if array.any()}
    assert filled == {f"{buffer}.{name}" for buffer in buffers for name in {"value", *moments}}


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"split.pairs": "unordered"},
        {"split.fraction": 0.37, **ODD},
        {"task.modulus": 31},
        {"model": TRANSFORMER | {"dropout": 0.5}, **SUMS},
        {"model": LSTM | {"dropout": 0.5}},
        {"model": RESIDUAL | {"dropout": 0.5}},
    ],
)
def test_evaluation_against_a_plain_float64_model(overrides):
    """In one pass of EVALUATION_BATCH examples and in several; examples on neither side of a split do not count, and
    nothing is dropped."""
    cell = tiny(overrides)
    seeds = [3, 4]
    evaluation = Stack(cell, seeds).evaluate()
    module = Stack(cell, seeds).module
    for index, seed in enumerate(seeds):
        examples = data(cell, seed)
        task, every = examples.examples, np.arange(len(examples.examples))
        generator = torch_generator(seed, "initialisation")
        plain = module.Plain(cell.model, task.tokens, task.classes, generator, cell.task.terms).double()
        logits, answers = plain(torch.as_tensor(task.operands(every))), torch.as_tensor(task.answers(every))
        losses = functional.cross_entropy(logits, answers, reduction="none").detach().numpy()
        hits = (logits.argmax(1) == answers).numpy()
        expected = {
            "train_loss": losses[examples.train].mean(),
            "val_loss": losses[examples.validation].mean(),
            "train_acc": hits[examples.train].mean(),
            "val_acc": hits[examples.validation].mean(),
            "weight_norm": np.sqrt(sum(part.square().sum().item() for part in plain.parameters())),
            "zero_loss_share": 0.0,
        }
        assert {name: values[index] for name, values in evaluation.items()} == pytest.approx(expected, rel=1e-6)


def test_float64_loss_reaches_zero_later():
    """Share of training examples whose loss is exactly 0, at margins of some 20 nats: 1 + exp(-20) is 1 in float32."""
    shares = {}
    for precision in ("float32", "float64"):
        stack = Stack(tiny({"loss.precision": precision, "optimizer.weight_decay": 0.0}), [0])
        for _ in range(300):
            stack.advance()
        for name in ("linears.2.weight", "linears.2.bias"):
            stack.parameters.values[name].mul_(4)
        evaluation = stack.evaluate()
        assert evaluation["train_acc"] == [1.0]
        shares[precision] = evaluation["zero_loss_share"][0]
    assert shares["float32"] > 0.9
    assert shares["float64"] < 0.1


@pytest.mark.parametrize("variant", ["base", "odd sizes", "float64 loss", "three layers", "sgd", *SEQUENCES])
@pytest.mark.parametrize("members", [1, 3])
def test_the_form_for_other_devices_trains_alike(variant, members, monkeypatch):
    """All members as one part, kernels by their definitions: as on a GPU, here on the CPU."""
    cell, seeds = tiny(VARIANTS[variant]), list(range(members))
    usual = Stack(cell, seeds)
    monkeypatch.setattr(Parameters, "one_by_one", property(lambda self: False, lambda self, value: None), raising=False)
    monkeypatch.setattr(Kernel, "__call__", lambda self, *tensors: self.definition(*tensors))
    whole = Stack(cell, seeds)
    assert len(whole.models) == 1
    for _ in range(25):
        torch.testing.assert_close(whole.advance(), usual.advance(), rtol=1e-3, atol=1e-5)
    ours, theirs = whole.evaluate(), usual.evaluate()
    for name in METRICS:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("variant", ["base", "shared mlp", "transformer, pre-norm, float64 loss", *SEQUENCES])
def test_a_dry_run_on_another_device(variant, monkeypatch):
    """No number is computed on PyTorch's meta device, but a tensor left behind on the CPU is an error there too."""
    monkeypatch.setattr(Tensor, "cpu", lambda self: torch.zeros_like(self, device="cpu"))  # what a record would hold
    stack = Stack(tiny(VARIANTS[variant]), [0, 1, 2], device="meta")
    for members in (3, 2, 1):
        losses = stack.differentiate()
        assert losses.device.type == "meta"
        assert losses.shape == (members,)
        stack.evaluate()
        stack.keep(list(range(members - 1)) or [0])
        states = [value for state in stack.optimizer.state.values() for value in state.values()]
        assert {value.device.type for value in (*stack.parameters.gradients.values(), *states)} == {"meta"}


def test_a_task_too_large_for_a_table_is_counted_off():
    """Of 2 825 761 examples batches hold some, and accuracies are measured on a sample of either side."""
    cell = tiny({"task": {"operation": "sum", "modulus": 41, "terms": 4}, "model": TRANSFORMER, "batches.size": 256})
    stack = Stack(cell, [0])
    ((inputs, answers),) = stack.batch()
    assert inputs.shape == (256, 4)
    assert torch.equal(inputs.sum(1) % 41, answers)
    ((seen, seen_answers),) = stack.seen
    assert seen.shape == (2 * EVALUATED, 4)
    assert torch.equal(seen.sum(1) % 41, seen_answers)
    assert [int(mask.sum()) for mask in stack.masks.values()] == [EVALUATED, EVALUATED]
    assert not (stack.masks["train"] & stack.masks["validation"]).any()
    places = 41 ** torch.arange(3, -1, -1)
    numbers = (seen * places).sum(1)
    assert stack.data[0].train[numbers].tolist() == stack.masks["train"][0].tolist()
    assert len(numbers.unique()) == 2 * EVALUATED


def test_batches_run_on_beyond_those_at_hand(monkeypatch):
    """The same examples, however many batches are looked up at a time."""
    few, many = Stack(tiny(ODD), [0, 1]), Stack(tiny(ODD), [0, 1])
    steps = 3 * few.batches.per_epoch + 2

    def seen(stack: Stack) -> list[list[int]]:
        found = []
        for step in range(steps):
            stack.step = step
            found.append([torch.cat([inputs, answers[:, None]], 1).tolist() for inputs, answers in stack.batch()])
        return found

    expected = seen(many)
    assert few.batches.per_epoch < BATCHES_AT_HAND
    monkeypatch.setattr("regrok.training.stack.BATCHES_AT_HAND", 3)
    assert seen(few) == expected


def test_dropout_draws_anew_at_every_step_and_never_in_evaluation():
    stack = Stack(tiny({"model": TRANSFORMER | {"dropout": 0.5}, "optimizer.learning_rate": 1e-12}), [0])
    stack.batches.whole, losses = True, []
    stack.batches.settings = stack.batches.settings.model_copy(update={"size": stack.batches.train.shape[1]})
    before = stack.evaluate()["train_loss"]
    for step in (0, 1, 0):
        stack.step = step
        losses.append(stack.differentiate().item())
    assert losses[0] != losses[1]
    assert losses[0] == losses[2]
    assert stack.evaluate()["train_loss"] == before
