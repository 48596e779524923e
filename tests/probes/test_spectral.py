"""Hjorth parameters against what is known of sinusoids."""

import numpy as np
import pytest

from regrok.probes import spectral

N = 4000
TIME = np.arange(N)


@pytest.mark.parametrize("cycles", [40, 200])
def test_a_sinusoid(cycles):
    """Variance a² / 2; of its differences, (2 sin(w / 2))² times as much; complexity 1, as of nothing else."""
    omega = 2 * np.pi * cycles / N
    activity, mobility, complexity = spectral.hjorth(3 * np.sin(omega * TIME))
    assert activity == pytest.approx(4.5, rel=1e-3)
    assert mobility == pytest.approx(2 * np.sin(omega / 2), rel=1e-2)
    assert complexity == pytest.approx(1, rel=1e-2)


def test_white_noise():
    """Differences of independent values have twice their variance, differences of these six times."""
    activity, mobility, complexity = spectral.hjorth(np.random.default_rng(0).normal(size=200_000))
    assert activity == pytest.approx(1, rel=0.02)
    assert mobility == pytest.approx(2**0.5, rel=0.02)
    assert complexity == pytest.approx(3**0.5 / 2**0.5, rel=0.02)


def test_activity_is_the_area_under_the_power_spectrum():
    series = np.random.default_rng(0).normal(size=512)
    power = np.abs(np.fft.fft(series - series.mean())) ** 2
    assert spectral.hjorth(series)[0] == pytest.approx(power.sum() / 512**2)


def test_a_trend_is_no_oscillation():
    trend = 4 * np.exp(-TIME[:400] / 150)
    wiggle = 0.1 * np.sin(2 * np.pi * TIME[:400] / 8)
    smooth, both = (spectral.parameters(series, 51, 3) for series in (trend, trend + wiggle))
    assert smooth["activity"] < 1e-8
    assert both["activity"] == pytest.approx(0.005, rel=0.2)  # the fit's ends bend
    assert both["raw_activity"] == pytest.approx(trend.var(), rel=0.1)
    assert both["loss"] == pytest.approx(np.median((trend + wiggle)[-10:]))


def test_a_first_fall_counts_in_the_whole_window_alone():
    fall = 4 * np.exp(-TIME[:400] / 3)
    found = spectral.parameters(fall + 0.01 * np.sin(TIME[:400]), 51, 3)
    assert found["activity"] > 100 * found["late_activity"]
    assert found["late_activity"] == pytest.approx(0.00005, rel=0.2)


def test_what_is_constant_or_infinite():
    assert spectral.hjorth(np.ones(100))[0] == 0
    assert np.isnan(spectral.hjorth(np.ones(100))[1])
    assert spectral.parameters(np.append(np.ones(99), np.inf), 51, 3) == {}
