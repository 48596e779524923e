import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.analysis import format, survival

nan, inf = np.nan, np.inf


def plain(text):
    return text.replace(format.THIN, "'").replace(format.FIXED, "_")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999.4, "999"), (2950.0, "2'950"), (1e6, "1'000'000"), (inf, "∞"), (nan, "–"), (None, "–")],
)
def test_steps(value, text):
    assert plain(format.steps(value)) == text


@given(st.integers(0, 10**9))
@settings(deadline=None)
def test_steps_lose_nothing(value):
    assert int(format.steps(float(value)).replace(format.THIN, "")) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123456, "0.0123"), (95420.0, "95'400"), (-12.34, "−12.3"), (0, "0"), (7.0, "7.00"), (inf, "∞"), (-inf, "−∞")],
)
def test_number(value, text):
    assert plain(format.number(value)) == text
    assert format.number(nan) == "–"


@given(st.floats(1e-6, 1e9), st.integers(1, 6))
@settings(deadline=None)
def test_number_is_right_to_its_digits(value, digits):
    printed = float(format.number(value, digits).replace(format.THIN, ""))
    assert printed == pytest.approx(value, rel=0.5000001 * 10 ** (1 - digits))


def test_shares_and_probabilities():
    assert plain(format.percent(0.253)) == "25_%"
    assert plain(format.percent(0.0123, 1)) == "1.2_%"
    assert format.percent(nan) == format.p_value(nan) == "–"
    assert [plain(format.p_value(p)) for p in (0.03125, 0.5, 1.0, 0.0004)] == ["0.031", "0.50", "1.00", "<_0.001"]


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ((7.7266, 6.1, 9.94, ""), "7.7× [6.1,_9.9]"),
        ((93.184, nan, nan, ""), "93.2×"),
        ((1234.5, 120.4, inf, ""), "1'234× [120,_∞]"),
        ((7.1, 5.2, inf, ">"), ">_7.1× [5.2,_∞]"),
        ((0.0274, 0, 0.031, "<"), "<_0.027× [0,_0.031]"),
        ((1.0, nan, nan, ""), "1×"),
        ((nan, nan, nan, ""), "–"),
    ],
)
def test_ratio(ratio, text):
    assert plain(format.ratio(*ratio)) == text


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ([2000, 2400, 2900, 3000, 3800, 4000], "2'950 [2'000,_4'000]"),
        ([2000, 2400, 2900, 3000, 3800, nan], "2'950 [2'000,_>_100'000]"),
        ([2400, 2900, 3800], "2'900 (2'400 to 3'800, n_=_3)"),
        ([2400, 2900, nan], "2'900 (2'400 to >_100'000, n_=_3)"),
        ([2900], "2'900 (n_=_1)"),
        ([4000, 5000] + 8 * [nan], "not reached (2 of 10 by 100'000)"),
        ([nan], "not reached (0 of 1 by 100'000)"),
        ([], "–"),
    ],
)
def test_median(times, text):
    event = np.isfinite(times)
    median = survival.median(np.where(event, times, 100_000), event)
    assert plain(format.median(median, 100_000)) == text


def test_median_in_another_unit():
    times = np.array([2.125, 4.25, np.inf])
    median = survival.median(np.where(np.isfinite(times), times, 50), np.isfinite(times))
    assert plain(format.median(median, 50, format.number)) == "4.25 (2.12 to >_50.0, n_=_3)"
