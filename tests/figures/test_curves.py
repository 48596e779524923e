"""Grids of training curves, and which members are in them."""

import numpy as np
import pandas as pd
import pytest
from synthetic import frame, member

from regrok.figures import curves, one_factor, style

STEPS = (0, 10, 50, 100, 1000)


def history(seed, cell="cell", steps=STEPS, **columns):
    start = {"cell": cell, "seed": seed, "step": list(steps), "weight_norm": 1.0, "zero_loss_share": 0.0}
    flat = {"train_acc": 0.5, "val_acc": 0.25, "train_loss": 1.0, "val_loss": 2.0}
    return pd.DataFrame(start | flat | columns)


def three():
    """Members that generalise at 50 and 100, and one that does not by 1 000."""
    rows = [member(seed=seed, t2=20.0, t4=t4, last_step=1000) for seed, t4 in enumerate((50.0, 100.0, np.nan))]
    return frame("members", rows), pd.concat([history(seed) for seed in range(3)])


def drawn(panels, histories, **options):
    return style.styled(curves.draw)([panels], histories, **options)


def marks(ax, gid):
    return [tuple(line.get_xdata()) for line in ax.lines if line.get_gid() == gid]


@pytest.mark.parametrize(
    ("generalised", "grokked", "diverged", "text"),
    [
        (8, 8, 0, "8 of 8 grokked"),
        (8, 3, 0, "8 of 8 generalised, 3 grokked"),
        (7, 0, 1, "7 of 8 generalised, 0 grokked, 1 diverged"),
        (0, 0, 2, "0 of 8 generalised, 2 diverged"),
    ],
)
def test_outcome(generalised, grokked, diverged, text):
    counts = {"generalised": generalised, "grokked": grokked, "diverged": diverged}
    assert curves.outcome(pd.DataFrame({name: np.arange(8) < count for name, count in counts.items()})) == text


@pytest.mark.parametrize(("panels", "rows"), [(1, [1]), (4, [4]), (5, [3, 2]), (9, [3, 3, 3]), (12, [4, 4, 4])])
def test_rows_are_as_equal_as_can_be(panels, rows):
    assert [len(row) for row in curves.wrapped(range(panels))] == rows


def test_histories_are_cut_as_the_study_follows_its_members():
    histories = pd.concat([history(0), history(1), history(2), history(0, cell="other")])
    members = frame("members", [member(seed=0, last_step=100), member(seed=1, last_step=1000)])
    own = curves.followed(histories, members)
    assert own.groupby("seed")["step"].apply(list).to_dict() == {0: [10, 50, 100], 1: [10, 50, 100, 1000]}


def test_losses_that_no_logarithm_has_do_not_set_the_axis():
    steps, (low, high) = curves.limits(history(0, train_loss=[1, 0, 0.01, 0.1, np.nan], val_loss=[1, 1, 4, 2, np.inf]))
    assert steps == (curves.FIRST, 1150)
    assert low < 0.01 < 4 < high < 10


def test_medians_and_members_that_do_not_generalise_are_marked():
    accuracy, loss = drawn([curves.Panel("Some setting", three()[0])], three()[1]).axes
    assert accuracy.get_title("left") == "a  Some setting"
    assert "2 of 3 generalised" in accuracy.texts[0].get_text()
    assert marks(accuracy, "t2") == [(20,)]
    assert marks(accuracy, "t4") == [(100,)]
    assert marks(accuracy, style.CENSORED) == [(1000,)]
    assert loss.get_yscale() == loss.get_xscale() == accuracy.get_xscale() == "log"


def test_training_is_dashed_and_the_median_member_thick():
    accuracy, loss = drawn([curves.Panel("Some setting", three()[0])], three()[1]).axes
    for ax in (accuracy, loss):
        lines = [line for line in ax.lines if len(line.get_xdata()) == 4]
        training, validation = (
            [line for line in lines if line.get_color() == color] for color in (style.TRAINING, style.VALIDATION)
        )
        assert {line.is_dashed() for line in training} == {True}
        assert {line.is_dashed() for line in validation} == {False}
        assert [line.get_linewidth() > 1 for line in training] == [False, True, False]
        assert [line.get_linewidth() > 1 for line in validation] == [False, True, False]


def test_an_untrained_setting_says_so_beside_a_trained_one():
    members, histories = three()
    figure = drawn([curves.Panel("There", members), curves.Panel("Not there", members.head(0))], histories)
    *_, last = figure.axes
    assert [text.get_text() for text in last.texts] == ["not trained yet"]


def test_a_diverged_member_is_counted_and_ends_where_its_loss_does():
    members = frame("members", [member(seed=0, last_step=100, diverged=True, budget=1000)])
    losses = {"train_loss": [1, 1, 1, np.nan], "val_loss": [1, 1, 1, np.nan]}
    accuracy, _ = drawn([curves.Panel("Some setting", members)], history(0, steps=STEPS[:-1], **losses)).axes
    assert accuracy.texts[0].get_text() == "0 of 1 generalised, 1 diverged"
    assert marks(accuracy, style.CENSORED) == [(100,)]


def test_epochs_are_steps_over_the_steps_of_an_epoch():
    members, histories = three()
    figure = drawn([curves.Panel("Some setting", members.assign(steps_per_epoch=20))], histories, epochs=True)
    below = figure.axes[1].child_axes[0]
    figure.draw_without_rendering()
    assert below.get_xlim() == pytest.approx((0.5, 57.5))


def test_falls_of_the_learning_rate_are_marked():
    members, histories = three()
    figure = drawn([curves.Panel("Some setting", members.assign(factor=0.8), falls=(100.0, 500.0))], histories)
    for ax in figure.axes:
        assert [line.get_xdata()[0] for line in ax.lines if line.get_color() == style.HIGHLIGHT] == [100, 500]
    assert "learning rate × 0.8" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_alike_leaves_free_what_a_panel_varies():
    own = {"cell": "own", **one_factor.OWN}
    others = [{"weight_decay": 0.0}, {"batch_size": 64}, {"weight_decay": 0.0, "batch_size": 64}]
    members = frame("members", [member(**own), *(member(**own | other) for other in others)])
    assert len(one_factor.alike(members)) == 1
    assert one_factor.alike(members, "weight_decay")["weight_decay"].tolist() == [1.0, 0.0]
    assert len(one_factor.alike(members, "weight_decay", "batch_size")) == 4


@pytest.mark.parametrize(("widths", "kept"), [((128, 512), [128]), ((256, 512), [512]), ((), [])])
def test_one_lstm_stands_for_all(widths, kept):
    transformer = member(architecture="transformer", hidden=None)
    members = frame("members", [transformer, *(member(architecture="lstm", hidden=width) for width in widths)])
    left = one_factor.one_lstm(members)
    assert left.loc[left["architecture"] == "lstm", "hidden"].tolist() == kept
    assert (left["architecture"] == "transformer").sum() == 1
