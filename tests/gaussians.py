"""A normal distribution of vectors whose entropy is known, which models are trained on."""

import numpy as np
from scipy import stats

VALUES = 4


def linear_gaussian(n, seed=0):
    """Points of x = A z + b with normal z, float32 `[n, values]`, and their log-density."""
    rng = np.random.default_rng(seed)
    a = np.eye(VALUES) + 0.7 * rng.normal(size=(VALUES, VALUES))
    b = rng.normal(size=VALUES)
    points = rng.normal(size=(n, VALUES)) @ a.T + b
    return points.astype("float32"), stats.multivariate_normal(b, a @ a.T)


def excess(model, points, distribution):
    """How many nats a model is worse than the truth, which has the entropy on average."""
    found = -model.log_prob(points, batch_size=len(points)).astype("float64")
    least = -distribution.logpdf(points)
    standard_error = least.std() / np.sqrt(len(points))
    assert abs(least.mean() - distribution.entropy()) < 5 * standard_error
    return (found - least).mean()
