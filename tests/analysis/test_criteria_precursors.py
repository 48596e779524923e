"""Windows before t4 by hand, alarms by hand, and the criteria on precursors: each of their verdicts."""

import numpy as np
import pandas as pd
import pytest
from handmade import check, tables
from synthetic import design, frame

from regrok.analysis import criteria_precursors, precursor_rules, precursor_signals, precursor_windows
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

STEPS = np.arange(0, 5001, 50)


def series(signal, value, t4=np.nan, cell="grows", seed=0, loss=0.01, known=400):
    return pd.DataFrame(
        {
            "cell": cell,
            "seed": seed,
            "fraction": 0.5,
            "weight_decay": 1.0,
            "t4": t4,
            "followed": 5000,
            "signal": signal,
            "step": STEPS,
            "value": value,
            "train_loss": loss,
            "train_acc": np.where(known <= STEPS, 1.0, 0.1),
        },
        columns=list(precursor_signals.COLUMNS),
    )


def ran(signal, own, control, n=8, m=8, **more):
    """n members that generalise at 3 000, 3 050, ... with the signal own(t4, seed), and m that never do."""
    parts = [series(signal, own(3000 + 50 * s, s), 3000.0 + 50 * s, seed=s, **more) for s in range(n)]
    parts += [series(signal, control(s), cell="stays", seed=s, **more) for s in range(m)]
    signals = pd.concat(parts, ignore_index=True)
    designs = frame("designs", [design(study="precursors", cell=cell) for cell in ("grows", "stays")])
    made = tables(precursor_signals=signals, precursor_windows=precursor_windows.build(signals))
    return made | {"designs": designs, "precursor_rules": precursor_rules.build(signals)}


def falling(rate):
    return 50 * np.exp(-rate * STEPS / 1000)


def wavy(rate, seed):
    return falling(rate) * (1 + 0.3 * np.sin(STEPS / 40 + seed))


def falls(own, control, at_equal_loss=False, **more):
    return criteria_precursors.falls_before(
        ran("weight_norm", own, control, **more),
        study="precursors",
        signal="weight_norm",
        steady=0.9,
        at_equal_loss=at_equal_loss,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("own", "control", "more", "expected"),
    [
        (lambda t4, s: falling(0.3), lambda s: falling(0.1), {}, REPRODUCED),
        (lambda t4, s: falling(0.3), lambda s: falling(0.3), {}, PARTLY),
        (lambda t4, s: falling(-0.3), lambda s: falling(0.1), {}, NOT_REPRODUCED),
        (lambda t4, s: wavy(0.3, s), lambda s: falling(0.1), {}, NOT_REPRODUCED),  # not steadily
        (lambda t4, s: falling(0.3 if s % 2 else -0.3), lambda s: falling(0.1), {}, UNDECIDED),
        (lambda t4, s: falling(0.3), lambda s: falling(0.1), {"n": 5}, UNDECIDED),
        (lambda t4, s: falling(0.3), lambda s: falling(0.1), {"m": 0}, UNDECIDED),
        (lambda t4, s: falling(0.3), lambda s: falling(0.1), {"at_equal_loss": True}, REPRODUCED),
        (lambda t4, s: 100 * falling(0.3), lambda s: falling(0.1), {"at_equal_loss": True}, PARTLY),
    ],
)
def test_falls_before(own, control, more, expected):
    check(falls(own, control, **more), expected)


def bump(at):
    return 1 + 3 * np.exp(-(((STEPS - at) / 60) ** 2))


def peaks(own, control, **more):
    return criteria_precursors.peaks_before(
        ran("gradient_variance", own, control, **more), study="precursors", signal="gradient_variance", least_members=6
    )


@pytest.mark.parametrize(
    ("own", "control", "more", "expected"),
    [
        (lambda t4, s: bump(t4 - 300), lambda s: falling(0.1), {}, REPRODUCED),
        (lambda t4, s: bump(t4 - 300), lambda s: bump(2900), {}, PARTLY),  # as often without generalising
        (lambda t4, s: bump(t4 - 800), lambda s: falling(0.1), {}, NOT_REPRODUCED),
        (lambda t4, s: bump(t4 - (300 if s % 2 else 800)), lambda s: bump(2900), {}, UNDECIDED),
        (lambda t4, s: bump(t4 - 300), lambda s: falling(0.1), {"n": 5}, UNDECIDED),
    ],
)
def test_peaks_before(own, control, more, expected):
    check(peaks(own, control, **more), expected)


def test_a_window_by_hand():
    own = series("gradient_variance", bump(2700), 3000.0)
    control = series("gradient_variance", falling(0.1), cell="stays")
    gone = series("gradient_variance", falling(0.1), cell="gone").assign(followed=2000)
    table = precursor_windows.build(pd.concat([own, control, gone])).set_index("other_cell")
    assert list(table.index) == ["grows", "stays"]  # the third was not followed to 3 000
    assert table.loc["grows", "lead"] == 300
    assert table.loc["stays", "lead"] == 1000
    assert (table["points"] == 21).all()
    assert table.loc["stays", "change"] == pytest.approx(-0.1 / np.log(10))
    assert table.loc["stays", "falling"] == 1
    assert np.isnan(table.loc["grows", "at_equal_loss"])
    later = own[own["step"].between(2500, 3000)]["value"].median()
    assert table.loc["stays", "at_equal_loss"] == pytest.approx(np.log10(later / 50))  # losses are equal from step 0 on


def test_equal_loss_takes_the_nearest():
    other = series("sharpness", 2.0 + STEPS, loss=10.0 ** (-STEPS / 1000))
    own = series("sharpness", 8.0, loss=10.0**-2)
    assert precursor_windows.equal_loss(own, other) == pytest.approx(np.log10(8 / 2002))
    assert np.isnan(precursor_windows.equal_loss(own.assign(train_loss=1e-9), other))


def detects(own, control, **more):
    return criteria_precursors.detects(
        ran("weight_norm", own, control, **more), study="precursors", useful=0.5, useless=0.1, least_members=6
    )


def late_fall(t4):
    """A norm that falls only in the thousand steps before t4."""
    return 50 * np.exp(-0.2 * np.clip((STEPS - t4 + 1000) / 1000, 0, 1))


def half_fall(t4, s):
    return late_fall(t4) if s % 3 == 0 else np.full(len(STEPS), 50.0)


@pytest.mark.parametrize(
    ("own", "control", "more", "expected"),
    [
        (lambda t4, s: late_fall(t4), lambda s: np.full(len(STEPS), 50.0), {}, REPRODUCED),
        (half_fall, lambda s: np.full(len(STEPS), 50.0), {}, UNDECIDED),
        (lambda t4, s: np.full(len(STEPS), 50.0), lambda s: falling(0.3), {}, NOT_REPRODUCED),
        (lambda t4, s: late_fall(t4), lambda s: np.full(len(STEPS), 50.0), {"n": 5}, UNDECIDED),
    ],
)
def test_detects(own, control, more, expected):
    check(detects(own, control, **more), expected)


def test_better_than_nothing_is_partly():
    """An alarm that half of the members raise, where a known training set says nothing."""
    verdict = detects(lambda t4, s: half_fall(t4, s), lambda s: np.full(len(STEPS), 50.0), n=30, m=30)
    assert verdict.verdict == PARTLY, verdict


def test_alarms_by_hand():
    signals = pd.concat([series("weight_norm", falling(0.1), 3000.0), series("gradient_variance", bump(2000), 3000.0)])
    judged = precursor_rules.landmarks(signals).set_index("step")
    assert list(judged.index[[0, 1, -1]]) == [500, 750, 2750]
    assert judged["soon"].tolist() == [step >= 2000 for step in judged.index]
    assert judged["norm_falls"].all()  # by 5 % in 500 steps
    assert judged.index[judged["variance_rises"]].tolist() == [2000]
    assert not judged["sharpness_falls"].any()
