"""The detector on planted spikes, and what it makes of the turning of weights."""

import numpy as np
import pytest

from regrok.probes import laziness, slingshots

STEPS = np.arange(1, 2001)
RULE = {"jump": 10.0, "window": 100, "growth": 0.005, "floor": 1e-6}


def series(*onsets, height=1.0, rise=0.1, length=20):
    losses, norms = np.full(2000, 0.01), np.full(2000, 10.0)
    for onset in onsets:
        losses[onset - 1 : onset - 1 + length] = height
        norms[onset - 1 :] += rise
    return losses, norms


def onsets(losses, norms):
    return [row["onset"] for row in slingshots.detect(STEPS, losses, norms, **RULE)]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (series(), []),
        (series(500), [500]),
        (series(500, 1200), [500, 1200]),
        (series(500, 580), [500]),  # one that has not come to rest goes on
        (series(500, height=0.09), []),  # nine times as high
        (series(500, height=0.1), [500]),
        (series(500, rise=0.04), []),  # the last layer grows by less than half a per cent
        (series(50), []),  # nothing to compare with yet
        (series(1990), [1990]),  # cut off by the end
    ],
)
def test_planted_spikes(made, expected):
    assert onsets(*made) == expected


def test_the_norm_grows_before_the_loss_leaps():
    """As in Thilak et al., where the loss spikes at the end of the growth."""
    losses, _ = series(500)
    assert onsets(losses, 10 + np.clip((STEPS - 420) / 60, 0, 1) * 0.1) == [500]
    assert onsets(losses, 10 + np.clip((STEPS - 300) / 60, 0, 1) * 0.1) == []  # long before


def test_what_a_slingshot_is_told_to_be():
    (row,) = slingshots.detect(STEPS, *series(500, length=30), **RULE)
    assert row == {
        "onset": 500,
        "end": 529,
        "loss_before": 0.01,
        "peak_loss": 1.0,
        "norm_before": 10.0,
        "norm_after": pytest.approx(10.1),
    }


@pytest.mark.parametrize("spike", [0.0, 1e-7])
def test_rounding_is_no_slingshot(spike):
    losses, norms = np.zeros(2000), 10 + np.arange(2000) / 1000
    losses[500] = spike
    assert onsets(losses, norms) == []


def test_divergence_is_no_slingshot():
    losses, norms = series(500)
    losses[1000:] = np.nan
    norms[1000:] = np.nan
    assert onsets(losses, norms) == [500]


def test_a_short_run_has_none():
    assert slingshots.detect(STEPS[:50], np.ones(50), np.ones(50), **RULE) == []


def test_laziness():
    distances = np.where((STEPS >= 500) & (STEPS < 520), 5e-6, 1e-6)
    distances[:200] = 1.0  # the beginning, which is left out
    found = slingshots.detect(STEPS, *series(500), **RULE)
    row = laziness.summary(STEPS, distances, found, skip=200)
    assert (row["calm_steps"], row["slingshot_steps"]) == (1780, 20)
    assert (row["calm_low"], row["calm"], row["calm_high"]) == pytest.approx((1e-6, 1e-6, 1e-6))
    assert row["slingshot"] == pytest.approx(5e-6)
    assert row["turned"] == pytest.approx(100 / 1880)
    assert "slingshot" not in laziness.summary(STEPS, distances, [], skip=200)
