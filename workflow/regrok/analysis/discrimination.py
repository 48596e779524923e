"""How well a score tells those that generalise from those that do not: rank statistics with bootstraps, and logistic
regression judged on cells that it has not seen.

A draw of the bootstrap takes cells with replacement, since the members of a cell share everything but their seeds, and
independently of them seeds, since those of a seed share its random streams: a member is drawn as often as its cell
times its seed (the pigeonhole bootstrap, conservative but where cells or seeds are few: Owen, Annals of Applied
Statistics 1:386, 2007).
"""

import numpy as np
import pandas as pd
import scipy

DRAWS = 1000
PENALTY = 1.0  # of the squared coefficients of standardised features


def auroc(score: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Probability that a positive has a higher score than a negative, ties counting half: (draws,), or (1,) without
    `weights`; nan where there is no positive or no negative.

    score: float (n,); positive: bool (n,); weights: how often each is drawn, (draws, n).
    """
    weights = np.ones((1, len(score))) if weights is None else weights.astype(float)
    high, low = score[positive], score[~positive]
    beats = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    ours, theirs = weights[:, positive], weights[:, ~positive]
    pairs = ours.sum(axis=1) * theirs.sum(axis=1)
    return np.divide(((ours @ beats) * theirs).sum(axis=1), pairs, where=pairs > 0, out=np.full(len(pairs), np.nan))


def spearman(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Spearman's rank correlation, ties at their mid-ranks: (draws,), or (1,) without `weights`; nan where one of the
    two is constant.

    x, y: float (n,); weights: (draws, n).
    """
    weights = np.ones((1, len(x))) if weights is None else weights.astype(float)
    total = weights.sum(axis=1, keepdims=True)
    ranks = [weights @ ((v[:, None] < v) + 0.5 * (v[:, None] == v)) for v in (x, y)]
    a, b = (rank - (weights * rank).sum(axis=1, keepdims=True) / total for rank in ranks)
    covariance = (weights * a * b).sum(axis=1)
    scale = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    tied = 1e-9 * total[:, 0] ** 3
    return np.divide(covariance, scale, where=scale > tied, out=np.full(len(scale), np.nan))


def draws_of_members(members: pd.DataFrame, rng: np.random.Generator, draws: int = DRAWS) -> np.ndarray:
    """How often each member, a row with its cell and seed, is drawn if cells and seeds are: int (draws, n)."""
    by_cell, by_seed = (draws_of_groups(members[name].to_numpy(str), rng, draws) for name in ("cell", "seed"))
    return by_cell * by_seed


def draws_of_groups(group_of: np.ndarray, rng: np.random.Generator, draws: int = DRAWS) -> np.ndarray:
    """How often each member is drawn, int (draws, n), if the groups that they belong to are: group_of: (n,)."""
    names, member_of = np.unique(group_of, return_inverse=True)
    return rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)[:, member_of]


def interval(drawn: np.ndarray) -> tuple[float, float]:
    """Percentile interval at 95 % of the draws in which there is a value; (nan, nan) if half of them have none."""
    there = drawn[np.isfinite(drawn)]
    if len(there) < len(drawn) / 2 or not len(there):
        return np.nan, np.nan
    low, high = np.quantile(there, [0.025, 0.975])
    return float(low), float(high)


def standardised(features: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1; a constant one becomes 0. float (n, k)."""
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 1e-12, spread, 1)


def logistic(features: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Coefficients, float (1 + k,), of a logistic regression with an unpenalised intercept and a ridge of `PENALTY`.

    features: standardised, float (n, k); positive: bool (n,).
    """
    design = np.hstack([np.ones((len(features), 1)), features])
    sign = np.where(positive, 1.0, -1.0)

    def loss(theta):
        margin = sign * (design @ theta)
        slope = -sign * scipy.special.expit(-margin)
        penalty = np.concatenate([[0.0], theta[1:]])
        return np.logaddexp(0, -margin).sum() + PENALTY / 2 * penalty @ penalty, design.T @ slope + PENALTY * penalty

    return scipy.optimize.minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x


def held_out(features: np.ndarray, positive: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Probability of being positive, float (n,), of each member by a regression on the members of all other cells."""
    features, chance = standardised(features), np.empty(len(positive))
    for cell in np.unique(cells):
        own = cells == cell
        theta = logistic(features[~own], positive[~own])
        chance[own] = scipy.special.expit(theta[0] + features[own] @ theta[1:])
    return chance


def log_loss(chance: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Nats, float (n,), that each outcome costs under the probability given to it."""
    return -np.log(np.clip(np.where(positive, chance, 1 - chance), 1e-6, 1))
