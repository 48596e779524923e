"""Rank statistics against scipy and by hand, bootstraps that keep cells together, regressions on what they have not
seen."""

import numpy as np
import pandas as pd
import pytest
import scipy

from regrok.analysis import discrimination as d

RNG = np.random.default_rng(1)


def test_auroc_by_hand():
    positive = np.array([True, True, False, False])
    assert d.auroc(np.array([3.0, 4, 1, 2]), positive)[0] == 1
    assert d.auroc(np.array([1.0, 2, 3, 4]), positive)[0] == 0
    assert d.auroc(np.array([1.0, 1, 1, 1]), positive)[0] == 0.5
    assert d.auroc(np.array([3.0, 1, 2, 1]), positive)[0] == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert np.isnan(d.auroc(np.array([3.0, 1]), np.array([True, True]))[0])


def test_weights_stand_for_copies():
    score, positive = RNG.normal(size=12).round(1), RNG.random(12) < 0.5
    outcome, weights = RNG.normal(size=12).round(1), RNG.integers(0, 4, size=(5, 12))
    copies = [np.repeat(np.arange(12), row) for row in weights]
    alone = [d.auroc(score[rows], positive[rows])[0] for rows in copies]
    assert d.auroc(score, positive, weights) == pytest.approx(alone, nan_ok=True)
    ranks = [scipy.stats.spearmanr(score[rows], outcome[rows]).statistic for rows in copies]
    assert d.spearman(score, outcome, weights) == pytest.approx(ranks)


def test_spearman_is_scipys():
    x, y = RNG.normal(size=50).round(1), RNG.normal(size=50).round(1)
    assert d.spearman(x, y)[0] == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    assert np.isnan(d.spearman(x, np.ones(50))[0])


def test_a_draw_takes_cells_whole():
    cells = np.array(["a", "a", "b", "c", "c", "c"])
    draws = d.draws_of_groups(cells, np.random.default_rng(0), 200)
    assert (draws[:, 0] == draws[:, 1]).all()
    assert (draws[:, 3] == draws[:, 5]).all()
    assert (draws[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_the_interval_covers():
    """Of the mean of 20 cells of 3 members that agree: about 95 % of 300 samples."""
    rng, covered = np.random.default_rng(0), 0
    cells = np.repeat(np.arange(20), 3).astype(str)
    for _ in range(300):
        values = np.repeat(rng.normal(size=20), 3)
        draws = d.draws_of_groups(cells, rng, 400)
        low, high = d.interval(draws @ values / draws.sum(axis=1))
        covered += low <= 0 <= high
    assert 0.9 <= covered / 300 <= 0.98


def test_the_interval_covers_where_seeds_agree_across_cells():
    """Of the mean of 10 cells of 16 seeds, with what all members of a seed share: at least 90 % of 300 samples, where
    drawing cells alone covers fewer than half."""
    rng, covered = np.random.default_rng(0), {"members": 0, "cells": 0}
    members = pd.DataFrame({"cell": np.repeat(np.arange(10), 16), "seed": np.tile(np.arange(16), 10)})
    for _ in range(300):
        values = rng.normal(size=16)[members["seed"]] + 0.3 * rng.normal(size=10)[members["cell"]]
        draws = {"members": d.draws_of_members(members, rng, 400)}
        draws["cells"] = d.draws_of_groups(members["cell"].to_numpy(str), rng, 400)
        for name, weights in draws.items():
            low, high = d.interval(weights @ values / weights.sum(axis=1))
            covered[name] += low <= 0 <= high
    assert covered["members"] / 300 >= 0.9
    assert covered["cells"] / 300 < 0.5


def test_a_regression_is_the_maximum_of_the_penalised_likelihood():
    features = d.standardised(RNG.normal(size=(200, 3)))
    positive = RNG.random(200) < scipy.special.expit(features @ [1.0, -2.0, 0.0])
    theta = d.logistic(features, positive)
    design = np.hstack([np.ones((200, 1)), features])
    slope = design.T @ (scipy.special.expit(design @ theta) - positive) + np.array([0, *theta[1:]])
    assert slope == pytest.approx(np.zeros(4), abs=1e-2)
    assert theta[1] > 0.5
    assert theta[2] < -1


def test_a_cell_is_predicted_by_the_others_alone():
    features = RNG.normal(size=(30, 1))
    positive, cells = features[:, 0] > 0, np.repeat(np.arange(10), 3).astype(str)
    chance = d.held_out(features, positive, cells)
    assert d.auroc(chance, positive)[0] > 0.95
    flipped = np.where(cells == "4", ~positive, positive)
    assert d.held_out(features, flipped, cells)[cells == "4"] == pytest.approx(chance[cells == "4"])


def test_noise_gains_nothing_on_what_was_left_out():
    positive, cells = RNG.random(60) < 0.5, np.repeat(np.arange(20), 3).astype(str)
    known = np.where(positive, 1.0, -1.0)[:, None] + RNG.normal(size=(60, 1))
    noise = np.hstack([known, RNG.normal(size=(60, 5))])
    losses = [d.log_loss(d.held_out(f, positive, cells), positive).mean() for f in (known, noise)]
    assert losses[0] < losses[1]
