"""Fréchet distance between two sets of features: the formula of FID."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_gen.metrics.checks import as_features


class Moments(NamedTuple):
    """Mean and covariance of a set of features.

    Args:
        mean: float64 `[d]`.
        covariance: float64 `[d, d]`, divided by n - 1.
        n: How many features they were estimated from; by default they are known exactly.

    Example:
        >>> normal = Moments(np.zeros(8), np.eye(8))
        >>> frechet_distance(normal, Moments(np.ones(8), np.eye(8)))["distance"]
        8.0
    """

    mean: np.ndarray
    covariance: np.ndarray
    n: int | None = None


def moments(features: np.ndarray) -> Moments:
    """Returns the moments of features, computed in float64.

    Args:
        features: `[n, d]`, any number type, n of at least 2.

    Raises:
        ValueError: If `features` is no finite matrix of 2 rows or more.

    Example:
        >>> moments(np.eye(3)).n
        3
    """
    features = as_features(features, "features")
    mean = features.mean(axis=0)
    centered = features - mean
    return Moments(mean, centered.T @ centered / (len(features) - 1), len(features))


def frechet_distance(a: np.ndarray | Moments, b: np.ndarray | Moments) -> dict[str, float | None]:
    """Squared Fréchet distance of the normal distributions with the moments of two sets.

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)): Heusel et al. (2017), equation 6. It is FID
    if the features are those of that paper's Inception network; name your own extractor beside
    the number. The estimate is biased: it falls with the sizes of the sets, which are therefore
    part of the result. Compare sets of one size, or see `frechet_infinity`.

    The trace of the root is the sum of the singular values of F_a^T F_b with C = F F^T. That needs
    no root of a matrix that is not symmetric, and holds for covariances without full rank.

    Args:
        a: Features `[n_a, d]`, any number type, or their `Moments`.
        b: Features `[n_b, d]` of the same extractor, or their `Moments`.

    Returns:
        {"distance": at least 0, in squared units of the features, "n_a", "n_b": the sizes}.

    Raises:
        ValueError: If the features or moments are not such, or of different widths.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> frechet_distance(rng.normal(size=(500, 8)), rng.normal(size=(500, 8)) + 1)
    """
    a, b = _as_moments(a, "a"), _as_moments(b, "b")
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"frechet_distance found {len(a.mean)} features in a and {len(b.mean)} in b: pass "
            "features of one extractor."
        )
    return {"distance": _distance(a, b, _factor(a.covariance)), "n_a": a.n, "n_b": b.n}


def frechet_infinity(
    reference: np.ndarray | Moments,
    features: np.ndarray,
    points: int = 15,
    smallest: int | None = None,
    seed: int = 0,
) -> dict[str, float | None]:
    """Fréchet distance extrapolated to infinitely many generated examples.

    Chong & Forsyth (2020): to first order the bias is proportional to 1 / n, so a
    line through the distances of random subsets of growing size, drawn over 1 / n, meets 1 / n = 0
    at the unbiased distance. The bias that a finite reference brings stays: always use the same
    one. The result scatters and may be slightly negative.

    Args:
        reference: Features of real examples `[n_a, d]`, or their `Moments`.
        features: Features of generated examples `[n_b, d]`.
        points: How many sizes, evenly spaced.
        smallest: The smallest size; by default a tenth of n_b, as in the paper.
        seed: Seed of the subsets.

    Returns:
        {"distance": the extrapolated, "slope": times 1 / n it is the bias, "n_a", "n_b"}.

    Raises:
        ValueError: If `frechet_distance` would refuse them, or `points` or `smallest` is out of
            range.

    Example:
        >>> frechet_infinity(real_features, generated_features)["distance"]
    """
    features = as_features(features, "features")
    count = len(features)
    smallest = count // 10 if smallest is None else smallest
    if points < 2 or not 2 <= smallest < count:
        raise ValueError(
            f"frechet_infinity found points={points} and smallest={smallest} for {count} rows: "
            f"pass at least 2 points, and a smallest size from 2 to {count - 1}."
        )
    reference = _as_moments(reference, "reference")
    if reference.mean.shape != features.shape[1:]:
        raise ValueError(
            f"frechet_infinity found {len(reference.mean)} features in reference and "
            f"{features.shape[1]} in features: pass features of one extractor."
        )
    factor = _factor(reference.covariance)
    rng = np.random.default_rng(seed)
    sizes = np.linspace(smallest, count, points).round().astype(int)
    distances = [
        _distance(reference, moments(features[rng.choice(count, size, replace=False)]), factor)
        for size in sizes
    ]
    slope, distance = np.polyfit(1.0 / sizes, distances, deg=1)
    return {"distance": float(distance), "slope": float(slope), "n_a": reference.n, "n_b": count}


@keras.saving.register_keras_serializable("keras_gen")
class FeatureMoments(keras.metrics.Metric):
    """Running moments of features that are too many to hold, or come batch by batch.

    The state are sums in float64, which replicas add up, so that `result` under a distribution
    strategy is that of all replicas' examples. The sums of squares lose about as many digits as
    the square of mean / standard deviation has, of 16.

    Args:
        dimensions: Number of features d.
        name: Name of the metric.

    Example:
        >>> metric = FeatureMoments(8)
        >>> metric.update_state(np.random.default_rng(0).normal(size=(50, 8)))
        >>> frechet_distance(metric.moments(), Moments(np.zeros(8), np.eye(8)))
    """

    def __init__(self, dimensions: int, name: str = "feature_moments"):
        super().__init__(dtype="float64", name=name)
        self.dimensions = dimensions
        self.count = self._sum((), "count")
        self.total = self._sum((dimensions,), "total")
        self.products = self._sum((dimensions, dimensions), "products")

    def _sum(self, shape, name):
        return self.add_variable(shape, "zeros", dtype="float64", name=name)

    def update_state(self, features, sample_weight=None):
        """Adds features `[batch, d]`; `sample_weight` `[batch]` of zeros and ones drops some."""
        features = tf.cast(features, tf.float64)
        weight = tf.ones(tf.shape(features)[:1], tf.float64)
        if sample_weight is not None:
            weight = tf.cast(sample_weight, tf.float64)
        weighted = features * weight[:, None]
        self.count.assign_add(tf.reduce_sum(weight))
        self.total.assign_add(tf.reduce_sum(weighted, axis=0))
        self.products.assign_add(tf.matmul(weighted, features, transpose_a=True))

    def result(self) -> dict[str, tf.Tensor]:
        """Returns {"mean": `[d]`, "covariance": `[d, d]`, "n": scalar}, float64."""
        # Read once: under a distribution strategy every read is a sum over replicas.
        count, total, products = (
            tf.convert_to_tensor(v) for v in (self.count, self.total, self.products)
        )
        mean = total / count
        covariance = (products - count * tf.tensordot(mean, mean, axes=0)) / (count - 1.0)
        return {"mean": mean, "covariance": covariance, "n": count}

    def moments(self) -> Moments:
        """Returns the result for `frechet_distance`.

        Raises:
            ValueError: If there were fewer than 2 examples.
        """
        result = {name: value.numpy() for name, value in self.result().items()}
        if result["n"] < 2:
            raise ValueError(
                f"{self.name} has seen {result['n']:g} examples: moments need at least 2."
            )
        return Moments(result["mean"], result["covariance"], int(result["n"]))

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        return {"dimensions": self.dimensions, "name": self.name}


def _as_moments(value: np.ndarray | Moments, name: str) -> Moments:
    if not isinstance(value, Moments):
        return moments(as_features(value, name))
    mean, covariance = np.asarray(value.mean), np.asarray(value.covariance)
    if mean.ndim != 1 or covariance.shape != mean.shape * 2 or not np.isfinite(covariance).all():
        raise ValueError(
            f"Expected the moments {name} to be a mean [d] and a finite covariance [d, d], found "
            f"shapes {mean.shape} and {covariance.shape}."
        )
    return Moments(mean, covariance, value.n)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """Returns F `[d, rank]` with F F^T = `covariance`."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    # What rounding makes of the eigenvalue 0; its root would be 1e-8 and no longer negligible.
    zero = max(values.max(), 0.0) * len(values) * np.finfo(np.float64).eps
    if values.min() < -max(1e3 * zero, 1e-12):
        raise ValueError(
            f"The covariance has the eigenvalue {values.min():g}: a covariance has none below 0."
        )
    kept = values > zero
    return vectors[:, kept] * np.sqrt(values[kept])


def _distance(a: Moments, b: Moments, factor_a: np.ndarray) -> float:
    cross = factor_a.T @ _factor(b.covariance)
    shared = np.linalg.svd(cross, compute_uv=False).sum() if cross.size else 0.0
    between_means = np.sum((a.mean - b.mean) ** 2)
    spread = np.trace(a.covariance) + np.trace(b.covariance) - 2.0 * shared
    return float(max(between_means + spread, 0.0))
