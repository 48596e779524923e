import numpy as np
import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import optimizers


def build(*members):
    return optimizers.build(frame("members", members), frame("designs", [design(study="optimizers")])).iloc[0]


def test_medians_over_members():
    row = build(
        *(
            member(seed=i, final_val_acc=acc, best_val_acc=acc + 0.1, zero_loss_share=share, zero_loss_half_step=half)
            for i, (acc, share, half) in enumerate(((0.1, 0.0, np.nan), (0.2, 0.6, 100.0), (0.6, 0.8, 300.0)))
        )
    )
    assert row["final_val_acc"] == 0.2
    assert row["best_val_acc"] == 0.7
    assert row["zero_loss_share"] == 0.6
    assert row["zero_loss_half_step"] == 200


def test_followed_is_the_least_of_those_that_may_still_generalise():
    row = build(
        member(seed=0, t4=900.0, last_step=1100),
        member(seed=1, diverged=True, last_step=700),
        member(seed=2, last_step=9000),
        member(seed=3, last_step=10_000),
    )
    assert row["followed"] == 9000
    assert row["diverged"] == 1
    assert row["events"] == 1


@pytest.mark.parametrize(
    ("optimizer", "weight_decay", "label"),
    [
        ("adamw", 1.0, "AdamW"),
        ("adam", 1.0, "Adam with L2"),
        ("adam", 0.0, "Adam without decay"),
        ("sgd", 1.0, "SGD with L2"),
    ],
)
def test_label(optimizer, weight_decay, label):
    assert build(member(optimizer=optimizer, weight_decay=weight_decay))["label"] == label


def test_literal_settings_and_the_float64_control_once_each():
    base = base_tables()
    table = optimizers.build(base["members"], base["designs"]).set_index("label")
    assert len(table) == 5
    assert table.loc["AdamW", "share_generalised"] == 1
    assert table.loc["Adam with L2", "share_memorised"] == 0
    assert table.loc["Adam without decay", "zero_loss_half_step"] == 24_000
    assert table.loc["Adam without decay, float64 loss", "zero_loss_share"] == 0
