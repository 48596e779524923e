"""Every criterion of report 001 on hand-made tables: each of its verdicts, and what turns one into another."""

import numpy as np
import pandas as pd
import pytest
from handmade import NEVER, check, group, tables

from regrok.analysis import criteria_001
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED

EARLY = [2000.0, 2050.0, 2100.0, 2150.0, 2200.0, 2250.0, 2300.0, 2350.0]
MIDDLE = [2 * t4 for t4 in EARLY]
LATE = [4 * t4 for t4 in EARLY]
NONE = [NEVER] * 8
MIXED = [1000.0, 9000.0] * 4  # neither before nor after MIDDLE
BOTH_EXTREMES = 12_870  # C(16, 8) relabellings


# more_pronounced


def more_pronounced(small, large, t2=(400.0, 400.0)):
    runs = tables(
        group("fractions", small, "small", architecture="transformer", modulus=41, t2=t2[0]),
        group("large_modulus", large, "large", 20_000, architecture="transformer", t2=t2[1]),
        group("large_modulus", LATE, "other", architecture="transformer", schedule="staircase"),
    )
    return criteria_001.more_pronounced(
        runs,
        study="fractions",
        modulus=41,
        larger_study="large_modulus",
        larger_modulus=97,
        architecture="transformer",
        fraction=0.5,
        schedule="constant",
        least_members=6,
    )


@pytest.mark.parametrize(
    ("small", "large", "t2", "expected"),
    [
        (MIDDLE, EARLY, (400.0, 400.0), REPRODUCED),
        (NONE, EARLY, (400.0, 400.0), REPRODUCED),
        (MIDDLE, EARLY, (2000.0, 400.0), PARTLY),  # a longer delay, but 2 times t2 against 5
        (MIDDLE, EARLY, (400.0, 100.0), PARTLY),
        (EARLY, MIDDLE, (400.0, 400.0), NOT_REPRODUCED),
        (EARLY, EARLY, (400.0, 400.0), UNDECIDED),
        (MIDDLE[:5], EARLY, (400.0, 400.0), UNDECIDED),
        (MIDDLE, EARLY, (NEVER, 400.0), UNDECIDED),  # a delay begins with memorising
    ],
)
def test_more_pronounced(small, large, t2, expected):
    check(more_pronounced(small, large, t2), expected)


def test_delays_are_tested_by_all_relabellings():
    assert more_pronounced(MIDDLE, EARLY).p_value == pytest.approx(1 / BOTH_EXTREMES)


# in_this_order


def in_this_order(transformer, mlp, lstm, hidden=128, fractions=(0.3, 0.7)):
    runs = [
        group("fractions", times, f"{name}-{r}", architecture=name, fraction=r, hidden=hidden)
        for name, times in {"transformer": transformer, "residual_mlp": mlp, "lstm": lstm}.items()
        for r in fractions
    ]
    return criteria_001.in_this_order(
        tables(*runs),
        study="fractions",
        order=["transformer", "residual_mlp", "lstm"],
        fractions=[0.3, 0.7],
        lstm_hidden=128,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((EARLY, MIDDLE, LATE), REPRODUCED),
        ((EARLY, MIDDLE, NONE), REPRODUCED),  # never is last
        ((EARLY, LATE, MIDDLE), PARTLY),
        ((MIDDLE, MIXED, LATE), UNDECIDED),  # it may be chance, of both neighbours
        ((EARLY, MIDDLE, MIDDLE), PARTLY),
        ((LATE, MIDDLE, EARLY), NOT_REPRODUCED),
        ((MIDDLE, EARLY, EARLY), NOT_REPRODUCED),  # one pair the other way round, the other not shown
        ((NONE, NONE, NONE), UNDECIDED),
        ((EARLY, MIDDLE, LATE[:5]), UNDECIDED),
    ],
)
def test_in_this_order(times, expected):
    check(in_this_order(*times), expected)


def test_the_order_needs_every_fraction_and_the_lstm_asked_for():
    check(in_this_order(EARLY, MIDDLE, LATE, fractions=[0.3]), UNDECIDED)
    check(in_this_order(EARLY, MIDDLE, LATE, hidden=512), UNDECIDED)


def test_the_p_of_an_order_is_that_of_its_weaker_link():
    verdict = in_this_order(EARLY, MIDDLE, LATE[:6])
    assert verdict.p_value == pytest.approx(1 / 3003)  # C(14, 6), although there are two fractions


# less_effective


def less_effective(rmsprop, sgd, adamw=EARLY, literal=NONE, t2=NEVER):
    def swept(name, times):
        return group("optimizer_sweep_001", times, f"{name}-swept", optimizer=name)

    runs = tables(
        swept("rmsprop", rmsprop),
        swept("sgd", sgd),
        swept("adamw", adamw),
        group("optimizers_001", literal, "literal", optimizer="sgd", t2=t2),
    )
    return criteria_001.less_effective(
        runs,
        study="optimizers_001",
        sweep="optimizer_sweep_001",
        optimizers=["rmsprop", "sgd"],
        reference="adamw",
        least_members=6,
    )


@pytest.mark.parametrize(
    ("rmsprop", "sgd", "adamw", "expected"),
    [
        (MIDDLE, NONE, EARLY, REPRODUCED),
        (MIDDLE, EARLY, EARLY, PARTLY),
        (LATE, EARLY, MIDDLE, PARTLY),
        (EARLY, MIDDLE, MIDDLE, NOT_REPRODUCED),
        (EARLY, EARLY, EARLY, UNDECIDED),
        (NONE, NONE, NONE, UNDECIDED),
        (MIDDLE, LATE[:5], EARLY, UNDECIDED),
        (MIDDLE, LATE, [], UNDECIDED),
    ],
)
def test_less_effective(rmsprop, sgd, adamw, expected):
    check(less_effective(rmsprop, sgd, adamw), expected)


def test_the_literal_setting_is_told_but_does_not_decide():
    assert "0 of 8 memorise and 0 of 8 generalise, so it does not even memorise" in less_effective(EARLY, EARLY).reason
    assert "SGD 8 of 8 memorise and 0 of 8 generalise;" in less_effective(MIDDLE, LATE, t2=400.0).reason
    check(less_effective(MIDDLE, LATE, literal=EARLY, t2=400.0), REPRODUCED)


# little_effect


def little_effect(small, large, base=EARLY):
    runs = [
        group("optimizers_001", times, f"b{size}", batch_size=size, steps_per_epoch=5)
        for size, times in {64: small, 256: base, 512: large}.items()
    ]
    runs.append(group("optimizers_001", LATE, "other", batch_size=64, learning_rate=1e-4))
    return criteria_001.little_effect(
        tables(*runs),
        study="optimizers_001",
        setting="batch_size",
        base=256,
        others=[64, 512],
        held={"learning_rate": 1e-3},
        within=1.5,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("small", "large", "expected"),
    [
        (EARLY, EARLY, REPRODUCED),
        ([1.2 * t4 for t4 in EARLY], [0.8 * t4 for t4 in EARLY], REPRODUCED),
        (EARLY, MIDDLE, PARTLY),
        (EARLY, MIXED, PARTLY),
        (MIDDLE, [t4 / 2 for t4 in EARLY], NOT_REPRODUCED),
        (NONE, NONE, NOT_REPRODUCED),
        (MIXED, MIXED, UNDECIDED),  # no difference is found, which does not show that there is little
        (EARLY, EARLY[:5], UNDECIDED),
    ],
)
def test_little_effect(small, large, expected):
    check(little_effect(small, large), expected)


def test_without_any_median_there_is_nothing_to_compare():
    check(little_effect(NONE, NONE, NONE), UNDECIDED)


# sooner_with_more


def sooner_with_more(*levels, lstm=(LATE, MIDDLE, EARLY), hidden=128):
    """Times by level, of the Transformer and of the LSTM."""
    runs = [
        group("dropout", times, f"{name}-{level}", architecture=name, dropout=level, hidden=hidden)
        for name, own in {"transformer": levels, "lstm": lstm}.items()
        for level, times in zip((0.0, 0.1, 0.3), own, strict=True)
    ]
    runs.append(group("dropout", EARLY, "other", architecture="transformer", dropout=0.0, weight_decay=0.0))
    return criteria_001.sooner_with_more(
        tables(*runs),
        study="dropout",
        setting="dropout",
        levels=[0, 0.1, 0.3],
        architectures=["transformer", "lstm"],
        held={"weight_decay": 1.0},
        lstm_hidden=128,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("levels", "lstm", "expected"),
    [
        ((LATE, MIDDLE, EARLY), (LATE, MIDDLE, EARLY), REPRODUCED),
        ((NONE, [*LATE[:4], *NONE[4:]], EARLY), (NONE, LATE, LATE), REPRODUCED),
        ((NONE, EARLY, MIDDLE), (LATE, MIDDLE, EARLY), PARTLY),  # on the whole, but it turns
        ((EARLY, EARLY, EARLY), (LATE, MIDDLE, EARLY), PARTLY),
        ((EARLY, MIDDLE, LATE), (LATE, MIDDLE, EARLY), PARTLY),
        ((EARLY, MIDDLE, LATE), (EARLY, MIDDLE, LATE), NOT_REPRODUCED),
        ((EARLY, MIDDLE, LATE), (EARLY, EARLY, EARLY), NOT_REPRODUCED),
        ((MIXED, MIXED, MIXED), (EARLY, EARLY, EARLY), UNDECIDED),
        ((NONE, NONE, NONE), (NONE, NONE, NONE), UNDECIDED),
        ((LATE, MIDDLE, EARLY[:5]), (LATE, MIDDLE, EARLY), UNDECIDED),
        ((LATE, [], EARLY), (LATE, MIDDLE, EARLY), UNDECIDED),
    ],
)
def test_sooner_with_more(levels, lstm, expected):
    check(sooner_with_more(*levels, lstm=lstm), expected)


def test_where_a_trend_turns_is_said():
    reason = sooner_with_more(NONE, EARLY, MIDDLE).reason
    assert "it turns from 0.1 to 0.3 in the Transformer:" in reason


# slower_not_decisive


def slower_not_decisive(low, middle, high, budget=100_000):
    runs = [
        group("optimizers_001", times, f"lr{rate}", budget, learning_rate=rate, architecture="transformer")
        for rate, times in {1e-4: low, 5e-4: middle, 1e-3: high}.items()
    ]
    return criteria_001.slower_not_decisive(
        tables(*runs),
        study="optimizers_001",
        setting="learning_rate",
        levels=[1e-4, 5e-4, 1e-3],
        architecture="transformer",
        held={"optimizer": "adamw"},
        least_budget=100_000,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((LATE, MIDDLE, EARLY), REPRODUCED),
        ((NONE, MIDDLE, EARLY), PARTLY),  # slower, and decisive
        ((EARLY, MIDDLE, LATE), PARTLY),  # not decisive, but sooner at the lower
        ((EARLY, MIDDLE, NONE), NOT_REPRODUCED),
        ((EARLY, EARLY, EARLY), UNDECIDED),
        ((EARLY[:4] + NONE[:4], EARLY, EARLY), UNDECIDED),  # half fail: that may be chance
        ((LATE, MIDDLE, EARLY[:5]), UNDECIDED),
    ],
)
def test_slower_not_decisive(times, expected):
    check(slower_not_decisive(*times), expected)


def test_decisive_is_bound_to_a_budget():
    check(slower_not_decisive(NONE, MIDDLE, EARLY, budget=50_000), UNDECIDED)
    assert slower_not_decisive(LATE, MIDDLE, EARLY).p_value == pytest.approx(1 / 2**8)  # most, of 8 of 8


# harder_with_more_terms


def harder_with_more_terms(two, three, four, t2=(400.0, 400.0, 400.0)):
    runs = [
        group("summands", times, f"K{k}", terms=k, fraction=0.7, t2=fit, n_train=size, steps_per_epoch=size // 200)
        for k, times, fit, size in zip((2, 3, 4), (two, three, four), t2, (1177, 48_245, 1_978_033), strict=True)
    ]
    runs.append(group("summands", NONE, "control", terms=3, fraction=0.017, n_train=1177))
    return criteria_001.harder_with_more_terms(
        tables(*runs), study="summands", terms=[2, 3, 4], fraction=0.7, least_members=6
    )


@pytest.mark.parametrize(
    ("times", "t2", "expected"),
    [
        ((EARLY, MIDDLE, LATE), (400.0, 2000.0, 7000.0), REPRODUCED),
        ((EARLY, MIDDLE, LATE), (400.0, 400.0, 400.0), PARTLY),  # later, but the delay grows with it
        ((LATE, MIDDLE, EARLY), (400.0, 1000.0, 1900.0), PARTLY),  # sooner, and without delay
        ((LATE, MIDDLE, EARLY), (4000.0, 1000.0, 200.0), NOT_REPRODUCED),
        ((EARLY, EARLY, EARLY), (400.0, 400.0, 400.0), UNDECIDED),
        ((EARLY, MIDDLE, LATE), (400.0, 2000.0, NEVER), UNDECIDED),
        ((EARLY, MIDDLE, LATE[:5]), (400.0, 2000.0, 7000.0), UNDECIDED),
    ],
)
def test_harder_with_more_terms(times, t2, expected):
    check(harder_with_more_terms(*times, t2=t2), expected)


def test_steps_and_epochs_and_the_control_are_told():
    measured = harder_with_more_terms(EARLY, MIDDLE, LATE).measured
    assert "435 epochs" in measured  # 2 175 steps of 5 an epoch
    assert "18.0 epochs" in measured  # 4 350 of 241
    assert "K = 3 on 1\u202f177 examples: not reached (0 of 8" in measured


# oscillations_do_no_harm


def oscillations_do_no_harm(times, falls, budget=20_000, control=0.01, memorise=True):
    runs = tables(
        group("large_modulus", times, "stairs", budget, schedule="staircase"),
        group("large_modulus", [3000.0] * 8, "flat", budget),
    )
    if not memorise:
        runs["members"]["t2"] = np.nan
    rows = [
        {"study": "large_modulus", "cell": cell, "seed": seed, "schedule": schedule, "fall_after_t2": fall}
        for cell, schedule, own in (("stairs", "staircase", falls), ("flat", "constant", [control] * 8))
        for seed, fall in enumerate(own)
    ]
    return criteria_001.oscillations_do_no_harm(
        runs | {"roughness": pd.DataFrame(rows)},
        study="large_modulus",
        schedule="staircase",
        control="constant",
        severe=0.1,
        least_budget=20_000,
        least_members=6,
    )


DEEP, SHALLOW = [0.3] * 8, [0.05] * 8


@pytest.mark.parametrize(
    ("times", "falls", "expected"),
    [
        (EARLY, DEEP, REPRODUCED),
        (EARLY, [*DEEP[:7], 0.0], REPRODUCED),
        (EARLY, [*DEEP[:3], *SHALLOW[:5]], PARTLY),
        (EARLY, SHALLOW, NOT_REPRODUCED),
        (EARLY, [*DEEP[:1], *SHALLOW[:7]], NOT_REPRODUCED),
        (NONE, DEEP, NOT_REPRODUCED),
        (EARLY, [*DEEP[:6], *SHALLOW[:2]], UNDECIDED),  # more than half, but that may be chance
        ([*EARLY[:4], *NONE[:4]], DEEP, UNDECIDED),
        (EARLY[:5], DEEP[:5], UNDECIDED),
    ],
)
def test_oscillations_do_no_harm(times, falls, expected):
    check(oscillations_do_no_harm(times, falls), expected)


def test_harm_and_calm_are_bound_to_a_budget():
    check(oscillations_do_no_harm(NONE, DEEP, budget=10_000), UNDECIDED)
    check(oscillations_do_no_harm([NEVER] * 8, SHALLOW, budget=10_000), UNDECIDED)


def test_the_suspected_cause_is_told_and_not_judged():
    deeper, alike = oscillations_do_no_harm(EARLY, DEEP), oscillations_do_no_harm(EARLY, DEEP, control=0.3)
    assert "deeper with the staircase's: p < 0.001)" in deeper.reason.replace("\u00a0", " ")
    assert "deeper with the staircase's: p = 1.00)" in alike.reason
    assert deeper.verdict == alike.verdict == REPRODUCED


# smoother


def smoother(lstm, transformer, mlp, hidden=128.0, fractions=(0.3, 0.7)):
    rows = [
        {"study": "fractions", "cell": name, "architecture": name, "fraction": r, "hidden": hidden, "seed": seed}
        | {"train_roughness": value}
        for name, own in {"lstm": lstm, "transformer": transformer, "residual_mlp": mlp}.items()
        for r in fractions
        for seed, value in enumerate(own)
    ]
    return criteria_001.smoother(
        tables(roughness=pd.DataFrame(rows)),
        study="fractions",
        architecture="lstm",
        rivals=["transformer", "residual_mlp"],
        fractions=[0.3, 0.7],
        lstm_hidden=128,
        least_members=6,
    )


SMOOTH, ROUGH = list(np.linspace(0.01, 0.02, 8)), list(np.linspace(0.1, 0.2, 8))


@pytest.mark.parametrize(
    ("lstm", "transformer", "mlp", "expected"),
    [
        (SMOOTH, ROUGH, ROUGH, REPRODUCED),
        (SMOOTH, ROUGH, SMOOTH, PARTLY),
        (ROUGH, SMOOTH, SMOOTH, NOT_REPRODUCED),
        (SMOOTH, SMOOTH, SMOOTH, UNDECIDED),
        (SMOOTH[:5], ROUGH, ROUGH, UNDECIDED),
    ],
)
def test_smoother(lstm, transformer, mlp, expected):
    check(smoother(lstm, transformer, mlp), expected)


def test_smoothness_needs_every_fraction_and_the_lstm_asked_for():
    check(smoother(SMOOTH, ROUGH, ROUGH, fractions=[0.3]), UNDECIDED)
    check(smoother(SMOOTH, ROUGH, ROUGH, hidden=512.0), UNDECIDED)


# may_fail_without


def may_fail_without(neither, decay, dropout, budget=100_000, t2=400.0):
    runs = tables(
        group("dropout", neither, "neither", budget, architecture="transformer", weight_decay=0.0, dropout=0.0, t2=t2),
        group("dropout", decay, "decay", architecture="transformer", weight_decay=1.0, dropout=0.0),
        group("dropout", dropout, "dropout", architecture="transformer", weight_decay=0.0, dropout=0.3),
    )
    return criteria_001.may_fail_without(
        runs,
        study="dropout",
        architecture="transformer",
        weight_decay=1.0,
        dropout=0.3,
        least_budget=100_000,
        least_members=6,
    )


@pytest.mark.parametrize(
    ("neither", "decay", "dropout", "expected"),
    [
        (NONE, EARLY, EARLY, REPRODUCED),
        ([*EARLY[:3], *NONE[:5]], EARLY, EARLY, REPRODUCED),
        (NONE, EARLY, NONE, PARTLY),
        (EARLY, EARLY, EARLY, NOT_REPRODUCED),
        ([*EARLY[:7], NEVER], EARLY, EARLY, UNDECIDED),
        (NONE, NONE, NONE, UNDECIDED),
        (NONE, EARLY[:5], EARLY, UNDECIDED),
        (NONE, EARLY, [], UNDECIDED),
    ],
)
def test_may_fail_without(neither, decay, dropout, expected):
    check(may_fail_without(neither, decay, dropout), expected)


def test_failing_is_bound_to_a_budget_and_comes_after_memorising():
    check(may_fail_without(NONE, EARLY, EARLY, budget=50_000), UNDECIDED)
    check(may_fail_without(NONE, EARLY, EARLY, t2=NEVER), PARTLY)
    check(may_fail_without(EARLY, EARLY, EARLY, budget=50_000), NOT_REPRODUCED)
    assert may_fail_without(NONE, EARLY, EARLY).p_value == pytest.approx(1 / BOTH_EXTREMES)


# fit_and_generalise_together


def fit_and_generalise_together(many, few, two=LATE, t2=2000.0, fits=400.0):
    """t4 on many examples, where t2 is 2 000 steps, and on few, where it is 400."""
    runs = [group("summands", two, "two", terms=2, fraction=0.7, n_train=1177, t2=fits)]
    for k in (3, 4):
        runs.append(group("summands", many, f"many-{k}", terms=k, fraction=0.7, n_train=41**k, t2=t2))
        runs.append(group("summands", few, f"few-{k}", terms=k, fraction=0.01, n_train=1177, t2=fits))
    return criteria_001.fit_and_generalise_together(
        tables(*runs), study="summands", terms=[3, 4], fraction=0.7, ratio=1.5, least_members=6
    )


@pytest.mark.parametrize(
    ("many", "few", "two", "expected"),
    [
        (EARLY, NONE, LATE, REPRODUCED),
        (EARLY, MIDDLE, LATE, REPRODUCED),
        ([500.0] * 8, NONE, LATE, REPRODUCED),  # even before it fits
        (EARLY, [500.0] * 8, LATE, PARTLY),  # together on few examples as well: it is not the data
        (EARLY, NONE, [500.0] * 8, PARTLY),  # two terms do so as well
        (MIDDLE, NONE, LATE, NOT_REPRODUCED),
        ([*EARLY[:4], *MIDDLE[:4]], NONE, LATE, UNDECIDED),
        (EARLY, NONE[:5], LATE, UNDECIDED),
        ([], NONE, LATE, UNDECIDED),
    ],
)
def test_fit_and_generalise_together(many, few, two, expected):
    check(fit_and_generalise_together(many, few, two), expected)


def test_a_member_that_never_fits_is_neither_together_nor_apart():
    check(fit_and_generalise_together(EARLY, NONE, fits=NEVER, two=NONE), PARTLY)
    check(fit_and_generalise_together(NONE, NONE, t2=NEVER), UNDECIDED)


def test_coinciding_is_tested_by_signs_of_all_members():
    assert fit_and_generalise_together(EARLY, NONE).p_value == pytest.approx(0.5**16)  # 16 with many, 24 with few


def test_who_never_memorises_neither_oscillates_nor_is_calm():
    check(oscillations_do_no_harm([NEVER] * 8, [np.nan] * 8, memorise=False), UNDECIDED)
