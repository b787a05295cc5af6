"""How samples are distributed over clusters of the data, to detect missing modes."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_feature_pair, check_within


@checked_types
def bin_shares(
    real: np.ndarray, generated: np.ndarray, bins: int = 10, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Fractions of real examples and of samples in each of several clusters of the real ones.

    Richardson, Weiss: "On GANs and GMMs", NeurIPS 2018: clusters are those of k-means, and a sample
    belongs to the nearest center. The bins of a dropped mode are empty.

    Args:
        real: Real examples or their features, `[n, ...]`; axes after the first are flattened.
        generated: Samples likewise, `[m, ...]`.
        bins: Number of clusters, at most n.
        seed: Seed of the clusters.

    Returns:
        The fractions of the real examples and those of the samples, float64 `[bins]` each, ordered
        from most to fewest real examples.

    Example:
        >>> of_real, of_samples = bin_shares(images, gan.sample(1000), bins=20)
        >>> missing = of_real[of_samples < 0.1 * of_real].sum()
    """
    real, generated = as_feature_pair(real, generated, ("real", "generated"), rows=1)
    check_within("bins", bins, len(real))
    # Around the mean, for float32 has seven digits alone.
    center = real.mean(axis=0)
    real = (real - center).astype(np.float32)
    generated = (generated - center).astype(np.float32)
    clusters = KMeans(bins, n_init=4, random_state=checked_seed(seed)).fit(real)
    of_real = np.bincount(clusters.labels_, minlength=bins) / len(real)
    of_samples = np.bincount(clusters.predict(generated), minlength=bins) / len(generated)
    order = np.argsort(-of_real, kind="stable")
    return of_real[order], of_samples[order]
