"""The parts that figures share."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from regrok.analysis.survival import Median
from regrok.figures import style
from regrok.tasks.modular import OPERATIONS


@pytest.mark.parametrize(
    ("step", "text"),
    [
        *[(1, "1"), (950, "950"), (999.9, "1k"), (1000, "1k"), (2855, "2.9k"), (95_420, "95k"), (99_900, "100k")],
        *[(123_456, "123k"), (999_900, "1M"), (1_000_000, "1M"), (2_500_000, "2.5M")],
    ],
)
def test_short(step, text):
    assert style.short(step) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "1"), (0.03, "0.03"), (0.001, "$10^{-3}$"), (3e-4, "3·$10^{-4}$"), (1e-05, "$10^{-5}$")],
)
def test_scientific(value, text):
    assert style.scientific(value) == text


def test_span():
    assert style.span(pd.Series([8, 8])) == "8"
    assert style.span(pd.Series([8, 6, 7])) == "6 to 8"


def test_the_median_seed_is_the_lower_median_and_counts_those_that_never_generalise_as_slowest():
    members = pd.DataFrame({"seed": [0, 1, 2, 3], "t4": [np.nan, 300.0, 100.0, 200.0]})
    assert style.median_seed(members) == 3
    assert style.median_seed(members[:3]) == 1
    assert style.median_seed(members[:1]) == 0


def test_a_bar_shows_the_interval_or_the_range_and_ends_at_the_budget():
    assert style.ends(Median(5, 2, 9, 8, 8, "order statistics", 1, 11), 100) == (2, 9)
    assert style.ends(Median(5, 2, np.inf, 8, 6, "order statistics", 1, np.inf), 100) == (2, 100)
    assert style.ends(Median(5, np.nan, np.nan, 3, 3, "", 1, 11), 100) == (1, 11)


def test_bars_take_the_range_of_the_members_where_a_cell_has_no_interval():
    cells = pd.DataFrame({"cell": ["a", "b"], "low": [2.0, np.nan], "high": [np.inf, np.nan], "budget": [50, 60]})
    members = pd.DataFrame(
        {"cell": ["a", "b", "b", "b"], "t4": [3.0, 7.0, np.nan, 5.0], "generalised": [True, True, False, True]}
    )
    low, high = style.bars(cells, members)
    assert low.tolist() == [2, 5]
    assert high.tolist() == [50, 60]


@pytest.mark.parametrize(("low", "high"), [(300, 300), (300, 310), (1700, 20_000), (1, 1_000_000)])
def test_a_logarithmic_axis_shows_its_data_and_two_decades(low, high):
    bottom, top = style.around(low, high)
    assert bottom < low <= high < top
    decades = np.arange(np.ceil(np.log10(bottom)), np.log10(top))
    assert len(decades) >= 2 or high >= 10 * low


def test_fractions_are_labelled_at_round_values():
    ax = style.canvas(3, 2).subplots()
    style.fractions(ax, pd.Series([0.2, 0.25, 0.3, 0.2]))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.2", "0.3"]
    assert 0.25 in ax.get_xticks(minor=True)
    assert style.least_gap(pd.Series([0.2, 0.25, 0.3, 0.2])) == pytest.approx(0.05)
    assert style.least_gap(pd.Series([0.5])) == pytest.approx(0.1)


def test_every_operation_has_a_look_of_its_own():
    looks = {(style.operation_colors()[name], style.OPERATION_MARKERS[name]) for name in OPERATIONS}
    assert len(looks) == len(OPERATIONS)
    assert all(style.operation(name) for name in OPERATIONS)


@pytest.mark.parametrize(
    "colors", [style.operation_colors(), style.LAW_COLORS, style.PRECISION_COLORS, style.ARCHITECTURE_COLORS]
)
def test_colours_stay_apart_without_red_and_green(colors):
    """Simulated deuteranopia (Machado, Oliveira and Fernandes 2009, severity 1): distances in linear RGB."""
    matrix = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    seen = np.array([np.array(to_rgb(color)) ** 2.2 for color in colors.values()]) @ np.transpose(matrix)
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + np.eye(len(seen))
    assert distances.min() > 0.1


def test_save_replaces_a_suffix_and_draws_text_as_outlines(tmp_path):
    style.save(style.notice("Nothing has been trained yet."), tmp_path / "figure.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.pdf", "figure.svg"]
    assert "<text" not in (tmp_path / "figure.svg").read_text()
