"""Densities of points from a histogram and from boosted trees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import multivariate_normal
from sklearn.ensemble import HistGradientBoostingClassifier

from keras_gen.arguments import checked_seed

BINS = (2, 4, 8, 16, 32, 64)  # candidate numbers of bins per axis

Density = Callable[[np.ndarray], np.ndarray]


def point_densities(
    train: np.ndarray, held_out: np.ndarray, seed: int = 0
) -> dict[str, Density]:
    """Fits a histogram and boosted trees to points, and returns functions for their log densities.

    "histogram" counts points in bins of equal size; the number of bins maximizes the likelihood of
    the held-out points. "trees" distinguish the points from uniformly sampled points in the
    bounding box, so the predicted odds are proportional to the density. See Hastie, Tibshirani,
    Friedman: "The Elements of Statistical Learning", 2009, section 14.2.4. A Gaussian with the
    weight of one training point is added to both densities, so that no density is 0.

    Args:
        train: Points `[n, axes]` with one to three axes.
        held_out: Held-out points `[m, axes]`.
        seed: Seed for the uniform points and the trees.

    Returns:
        A dict that maps "histogram" and "trees" to functions from points `[k, axes]` to log
        densities `[k]`, in nats.

    Example: `nats = -point_densities(points, held_out)["trees"](test_points)`.
    """
    histograms = [_with_gaussian(train, _histogram(train, bins)) for bins in BINS]
    return {
        "histogram": max(histograms, key=lambda log_density: log_density(held_out).mean()),
        "trees": _with_gaussian(train, _tree_density(train, checked_seed(seed))),
    }


def _histogram(train, bins) -> Density:
    shares, edges = np.histogramdd(train, bins, density=True)

    def density(points):
        cells = [
            np.searchsorted(edge[1:-1], axis, side="right")
            for edge, axis in zip(edges, points.T, strict=True)
        ]
        return shares[tuple(cells)]

    return density


def _tree_density(train, seed) -> Density:
    low, high = train.min(axis=0), train.max(axis=0)
    uniform, others = np.random.default_rng(seed).uniform(low, high, (2, *train.shape))
    trees = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=300,
        max_leaf_nodes=63,
        min_samples_leaf=50,
        early_stopping=True,
        random_state=seed,
    )
    trees.fit(np.concatenate([train, uniform]), np.repeat([1, 0], len(train)))

    def odds(points):
        share = trees.predict_proba(points)[:, 1]
        return share / (1 - share)

    mass = odds(others).mean() * np.prod(high - low)
    return lambda points: odds(points) / mass


def _with_gaussian(train, density) -> Density:
    """Returns the log of a mixture of a Gaussian and the density inside the bounding box."""
    low, high = train.min(axis=0), train.max(axis=0)
    gaussian = multivariate_normal(train.mean(axis=0), np.cov(train.T))
    share = 1 / (len(train) + 1)

    def log_density(points):
        inside = ((low <= points) & (points <= high)).all(axis=1)
        return np.log((1 - share) * inside * density(points) + share * gaussian.pdf(points))

    return log_density
