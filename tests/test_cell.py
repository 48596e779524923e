"""Cells: what makes two the same, and what makes one impossible."""

import copy

import pytest
from pydantic import ValidationError

from regrok.cell import Cell

SGD = {
    "task": {"operation": "add", "modulus": 97},
    "optimizer": {"name": "sgd", "learning_rate": 0.1, "weight_decay": 0, "momentum": 0.9, "decays": "no_biases"},
    "schedule": {"shape": "cosine", "warmup": 0, "horizon": 5000},
}
LSTM = {"architecture": "lstm", "width": 7, "hidden": 9, "layers": 2, "dropout": 0.0}
MLP = {"architecture": "mlp", "embedding": 80, "hidden": 128, "layers": 2, "embedding_std": 1.0}
SHARED = MLP | {"architecture": "shared_mlp"}


@pytest.fixture
def cell(base_cell):
    """Make the base cell with some blocks replaced and some settings changed: block__key=value."""

    def make(blocks=None, **changes) -> Cell:
        settings = copy.deepcopy(base_cell | (blocks or {}))
        for path, value in changes.items():
            block, key = path.split("__")
            settings[block][key] = value
        return Cell.model_validate(settings)

    return make


def test_ids_never_change(cell):
    """Records are found by these: a change here orphans every record that exists."""
    assert cell().id == "divide97-f0.5-mlp-adamw-wd1-2d0afad1"
    assert cell(SGD).id == "add97-f0.5-mlp-sgd-wd0-91cf2b40"


@pytest.mark.parametrize(
    "spelling",
    [
        {"optimizer__weight_decay": 1},
        {"optimizer__weight_decay": "1"},
        {"optimizer__learning_rate": "1e-3"},
        {"batches__size": 512.0},
        {"model__embedding_std": 1},
    ],
)
def test_equal_numbers_make_the_same_cell(cell, spelling):
    assert cell(**spelling).id == cell().id
    assert cell(**spelling) == cell()


def test_the_order_of_settings_does_not_matter(cell, base_cell):
    backwards = {block: dict(reversed(settings.items())) for block, settings in reversed(base_cell.items())}
    assert Cell.model_validate(backwards).id == cell().id


@pytest.mark.parametrize(
    "change",
    [
        {"task__operation": "multiply"},
        {"task__modulus": 89},
        {"split__fraction": 0.5000001},
        {"split__pairs": "unordered"},
        {"model__layers": 3},
        {"optimizer__name": "adam"},
        {"optimizer__epsilon": 1e-7},
        {"schedule__warmup": 11},
        {"batches__last": "drop"},
        {"loss__precision": "float64"},
    ],
)
def test_every_setting_makes_another_cell(cell, change):
    assert cell(**change).id != cell().id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task__modulus": 96}, "'divide' needs a prime modulus, and 96 is not prime"),
        ({"split__fraction": 0.05}, r"at most 466, the training set \(fraction 0.05 of 9312 examples\), not 512"),
        ({"split__fraction": 1.0}, "less than 1"),
        ({"task__operation": "plus"}, "'add', 'subtract', 'multiply', 'divide'"),
        ({"task__operation": "xor"}, "task.xor.bits"),
        ({"optimizer__momentum": 0.9}, "momentum"),
        ({"optimizer__weight_decay": float("nan")}, "finite"),
        ({"optimizer__weight_decay": True}, "must be a number"),
        ({"model__layers": True}, "must be a number"),
        ({"model__layers": 1.5}, "integer"),
        ({"batches__size": "all"}, "one of several kinds"),
        ({"batches__size": True}, "one of several kinds"),
    ],
)
def test_impossible_cells(cell, change, message):
    with pytest.raises(ValidationError, match=message):
        cell(**change)


def test_a_modulus_may_be_composite_without_division(cell):
    assert cell(SGD, task__modulus=96).task.examples == 96 * 96


def test_sizes(cell):
    assert cell().task.examples == 97 * 96
    assert cell().train_examples == 4656
    assert cell(SGD).train_examples == 4704  # round(0.5 x 9409), to the even neighbour


def test_a_batch_may_be_the_whole_training_set(cell):
    assert cell(batches__size=4656).batch_size == 4656


def test_a_full_batch_is_the_training_set_of_whatever_fraction(cell):
    full = cell(batches__size="full")
    assert full.batches.size == "full"
    assert (full.batch_size, full.steps_per_epoch) == (4656, 1)
    assert cell(batches__size="full", split__fraction=0.05).batch_size == 466
    assert full.id != cell(batches__size=4656).id
    assert full.flops_per_step == cell(batches__size=4656).flops_per_step


def test_parameters_by_hand(cell):
    """2 x 97 x 80 + (160 + 1) x 128 + (128 + 1) x 128 + (128 + 1) x 97, "about 65 000" in report 000."""
    assert cell().parameters == 15520 + 20608 + 16512 + 12513 == 65153
    assert cell(model__layers=1, model__hidden=32, model__embedding=24).parameters == 4656 + 49 * 32 + 33 * 97


def test_flops_by_hand(cell):
    """A multiply-add is 2; the folded layer has 2 x 97 rows of 80 x 128, the others 128 x 128 + 128 x 97 a pair."""
    forward = 2 * (2 * 97 * 80 * 128 + 512 * (128 * 128 + 128 * 97))
    short = 2 * (2 * 97 * 80 * 128 + 48 * (128 * 128 + 128 * 97))
    assert cell().flops_per_step == pytest.approx(3 * (9 * forward + short) / 10)  # an epoch ends with a batch of 48
    assert cell(batches__last="drop").flops_per_step == 3 * forward
    assert cell().flops_per_evaluation == 2 * (2 * 97 * 80 * 128 + 9312 * (128 * 128 + 128 * 97))


def test_factors_are_one_flat_row(cell, base_cell):
    factors = cell().factors
    assert factors["split.fraction"] == 0.5
    assert factors["optimizer.weight_decay"] == 1.0
    assert len(factors) == sum(len(block) for block in base_cell.values())


def test_a_cell_cannot_be_changed(cell):
    with pytest.raises(ValidationError, match="frozen"):
        cell().split.fraction = 0.3


@pytest.mark.parametrize(
    ("terms", "pairs", "model", "message"),
    [
        (3, "ordered", MLP, "the model 'mlp' takes two operands, and the task has 3"),
        (3, "ordered", SHARED, "the model 'shared_mlp' takes two operands, and the task has 3"),
        (3, "unordered", LSTM, "split.pairs must be 'ordered' for 3 operands, not 'unordered'"),
        (9, "ordered", LSTM, "at most 33554432 can be put into a random order"),
        (2, "ordered", LSTM, "greater than or equal to 3"),
    ],
)
def test_sums_of_several_terms(cell, terms, pairs, model, message):
    blocks = {"task": {"operation": "sum", "modulus": 11, "terms": terms}, "model": model}
    with pytest.raises(ValidationError, match=message):
        cell(blocks, split__pairs=pairs)


def test_steps_of_an_epoch_by_hand(cell):
    """4 656 examples are nine batches of 512 and 48."""
    assert cell().steps_per_epoch == 10
    assert cell(batches__last="drop").steps_per_epoch == 9
    terms = cell({"task": {"operation": "sum", "modulus": 41, "terms": 3}, "model": LSTM}, batches__size=256)
    assert (terms.train_examples, terms.steps_per_epoch) == (34_460, 135)
    assert terms.id.startswith("sum41x3-f0.5-lstm-adamw-wd1-")
