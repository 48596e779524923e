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


def ran(signal, own, control, n=8, m=8, decay=1.0, **more):
    """n members that generalise at 3 000, 3 050, ... with the signal own(t4, seed), and m that never do, of a decay."""
    parts = [series(signal, own(3000 + 50 * s, s), 3000.0 + 50 * s, seed=s, **more) for s in range(n)]
    parts += [series(signal, control(s), cell="stays", seed=s, **more).assign(weight_decay=decay) for s in range(m)]
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
        (lambda t4, s: falling(0.3), lambda s: falling(0.1), {"decay": 0.0}, UNDECIDED),  # of another decay: no control
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
    assert table["control"].tolist() == ["", "decay"]
    assert table.loc["grows", "lead"] == 300
    assert table.loc["stays", "lead"] == 1000
    assert (table["points"] == 21).all()
    assert table.loc["stays", "change"] == pytest.approx(-0.1 / np.log(10))
    assert table.loc["stays", "falling"] == 1
    assert np.isnan(table.loc["grows", "at_equal_loss"])
    later = own[own["step"].between(2500, 3000)]["value"].median()
    assert table.loc["stays", "at_equal_loss"] == pytest.approx(np.log10(later / 50))  # losses are equal from step 0 on


def test_who_is_at_risk():
    about = pd.DataFrame(
        [
            ("a", 0, 1.0, 3000.0, 3300),
            ("a", 1, 1.0, 4000.0, 4400),  # about to generalise
            ("a", 2, 1.0, 4050.0, 4455),
            ("a", 3, 1.0, np.nan, 6000),
            ("a", 4, 1.0, 2000.0, 2200),
            ("b", 0, 1.0, np.nan, 6000),
            ("b", 1, 1.0, np.nan, 2000),  # not followed so far
            ("b", 2, 1.0, 5000.0, 5500),
            ("c", 0, 0.0, np.nan, 6000),
        ],
        columns=["cell", "seed", "weight_decay", "t4", "followed"],
    ).set_index(["cell", "seed"])
    assert precursor_windows.at_risk(about, ("a", 0)) == {
        ("a", 0): "",
        ("a", 2): "setting",
        ("a", 3): "setting",
        ("b", 0): "decay",
        ("c", 0): "other",
    }


MEMBERS = pd.MultiIndex.from_product([["a"], range(6)])


def test_whoever_is_drawn():
    """Three members, each the largest of itself and three controls: a chance of 1 in 64, though all share controls."""
    own = pd.Series(1.0, index=MEMBERS[:3])
    controls = pd.Series([0.0, 0.1, 0.2] * 3, index=MEMBERS[:3].repeat(3))
    assert criteria_precursors.picked_p(own, controls) == pytest.approx(1 / 64, abs=0.004)
    assert criteria_precursors.picked_p(-own, controls) == 1


def test_no_claim_is_made_of_noise():
    """Any of those at risk is the next, and six events share who that is: few p are small."""
    rng, p = np.random.default_rng(0), []
    for _ in range(200):
        at_risk = rng.normal(size=5) + 0.3 * rng.normal(size=(6, 5))
        next_one = rng.integers(5, size=6)
        own = pd.Series(at_risk[range(6), next_one], index=MEMBERS)
        rest = [np.delete(values, index) for values, index in zip(at_risk, next_one, strict=True)]
        p.append(criteria_precursors.picked_p(own, pd.Series(np.concatenate(rest), index=MEMBERS.repeat(4))))
    assert 0.01 < np.mean(np.array(p) < 0.05) < 0.09


def test_too_few_values_are_no_verdict():
    signals = pd.concat([series("sharpness", falling(0.3), 3000.0, seed=seed) for seed in range(8)])
    signals = signals[signals["step"] % 1000 == 0]
    designs = frame("designs", [design(study="precursors", cell="grows")])
    made = tables(precursor_signals=signals, precursor_windows=precursor_windows.build(signals)) | {"designs": designs}
    for criterion, more in (("falls_before", {"steady": 0.5, "at_equal_loss": True}), ("peaks_before", {})):
        judge = getattr(criteria_precursors, criterion)
        verdict = judge(made, study="precursors", signal="sharpness", least_members=6, **more)
        check(verdict, UNDECIDED)
        assert "too few values" in verdict.reason


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
