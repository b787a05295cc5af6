"""The exact earth mover's distance of two sets of points."""

from __future__ import annotations

import keras
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_feature_pair, as_features


@checked_types
def earth_movers_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The least mean distance over which the points of one set can be moved to become the other.

    The critic of a Wasserstein GAN estimates it (Arjovsky et al. 2017, eq. 1). Here it is exact: in
    one dimension by sorting, else by the best assignment, whose time grows with n^3 (seconds at n =
    2,000). Two draws of n points of one distribution have a distance too: less with more points,
    more with more dimensions.

    Args:
        a: Points `[n, d]`, any number type.
        b: Points `[n, d]`; with d = 1 any number of them.

    Example:
        >>> earth_movers_distance(np.zeros([3, 1]), np.full([3, 1], 2.0))
        2.0
    """
    a, b = as_feature_pair(a, b, ("a", "b"), rows=1)
    if a.shape[1] == 1:
        return float(wasserstein_distance(a[:, 0], b[:, 0]))
    if len(a) != len(b):
        raise ValueError(
            f"earth_movers_distance found {len(a)} and {len(b)} points of {a.shape[1]} dimensions: "
            "pass as many of both."
        )
    costs = cdist(a, b)
    return float(costs[linear_sum_assignment(costs)].mean())


@checked_types
def critic_distances(model: keras.Model, points: np.ndarray, seed: int = 0) -> dict[str, float]:
    """The critic's estimate of the distance between samples and points, and the exact one.

    Args:
        model: A `WGAN` or `WGANGP` of vectors. Where it standardizes them, both distances are in
            units of the standardized vectors.
        points: Held-out points `[n, d]`, compared with as many samples.
        seed: Seed of the samples.

    Returns:
        {"critic": mean of the critic over the points minus that over the samples, "exact":
        `earth_movers_distance` of both}.

    Example: `critic_distances(model, np.random.normal(size=[500, 2]))`.
    """
    vectors = model.edges["x"]
    points = as_features(points, "points", rows=1)
    samples = vectors.prepare(model.sample(len(points), seed=seed)).numpy()
    points = vectors.prepare(points).numpy()
    of_points = np.mean(model.discriminator(points, training=False))
    of_samples = np.mean(model.discriminator(samples, training=False))
    exact = earth_movers_distance(samples, points)
    return {"critic": float(of_points - of_samples), "exact": exact}
