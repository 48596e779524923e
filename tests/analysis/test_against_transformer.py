import numpy as np
import pytest
from synthetic import base_tables

from regrok.analysis import against_transformer
from regrok.analysis.resampling import ratio_of_medians


def built(change=None, **case):
    base = base_tables(**case)
    inputs = {name: base[name] for name in against_transformer.INPUTS}
    if change:
        change(inputs)
    return against_transformer.build(**inputs).set_index("architecture"), base


def test_the_perceptron_comes_first_and_is_what_ratios_are_against():
    table, _ = built()
    assert list(table.index) == ["mlp", "transformer"]
    ratios = ["parameters_ratio", "flops_per_step_ratio", "speed_ratio", "steps_ratio", "flops_ratio", "seconds_ratio"]
    assert (table.loc["mlp", ratios] == 1).all()


def test_counts_by_hand():
    table, _ = built(seeds=2, scale="laptop")
    assert table.loc["mlp", "n_parameters"] == 65_153  # CLAIMS.md
    # (97 + 2 + 4) x 128, two blocks of 198 272, 129 x 99
    assert table.loc["transformer", "n_parameters"] == 13_184 + 2 * 198_272 + 12_771
    assert table.loc["transformer", "parameters_ratio"] == pytest.approx(422_499 / 65_153)


def test_speeds_are_compared_within_a_repetition():
    table, _ = built(seeds=2, scale="laptop")  # 600 and 40 steps a second, times a drift of 0.8 to 1.2 that both share
    assert (table.loc["mlp", "steps_per_second"], table.loc["mlp", "repetitions"]) == (600, 5)
    assert table.loc["transformer", ["steps_per_second_low", "steps_per_second_high"]].tolist() == [36, 44]
    speeds = ["speed_ratio", "speed_ratio_low", "speed_ratio_high"]
    assert table.loc["transformer", speeds].tolist() == pytest.approx([1 / 15] * 3)


def test_compute_is_steps_times_their_cost():
    table, base = built()
    row, reference = table.loc["transformer"], table.loc["mlp"]
    own, other = (base["members"][base["members"]["cell"] == cell] for cell in (row["cell"], reference["cell"]))
    steps = ratio_of_medians(own, other, np.random.default_rng(0))
    assert row["flops"] == row["median"] * row["flops_per_step"]
    assert reference["seconds"] == pytest.approx(reference["median"] / 600)
    work = row["flops_per_step"] / reference["flops_per_step"]
    names = ["flops_ratio", "flops_ratio_low", "flops_ratio_high"]
    assert row[names].tolist() == pytest.approx([end * work for end in steps[:3]])
    assert row["seconds_ratio_high"] == pytest.approx(15 * steps.high)
    assert row["seconds_ratio_text"].startswith(f"{15 * steps.value:.1f}×")


def test_without_timings_or_events_there_are_counts():
    table, _ = built(empty=True)
    row = table.loc["transformer"]
    assert row["parameters_ratio"] > 6
    assert row[["speed_ratio", "steps_ratio", "flops_ratio", "seconds_ratio"]].isna().all()
    assert row["repetitions"] == row["events"] == 0
    assert row["t2_text"] == "not reached (0 of 2 by 300)"


def test_without_the_perceptron_there_is_no_ratio():
    def only_transformer(inputs):
        inputs["cells"] = inputs["cells"][inputs["cells"]["architecture"] == "transformer"]

    table, _ = built(only_transformer, seeds=2, scale="laptop")
    assert list(table.index) == ["transformer"]
    assert table["parameters_ratio"].isna().all()
