"""All that is said of samples by their features, in one report."""

from __future__ import annotations

import numpy as np

from keras_gen.metrics.samples.frechet import frechet_distance
from keras_gen.metrics.samples.inception_score import inception_score
from keras_gen.metrics.samples.kernel_distance import kernel_distance
from keras_gen.metrics.samples.prdc import prdc

KEPT = ("precision", "recall", "density", "coverage", "n_real", "n_generated")


def generation_report(
    real: dict[str, np.ndarray], generated: dict[str, np.ndarray], k: int = 5, seed: int = 0
) -> dict[str, float | None]:
    """Compares generated images with real ones by every measure of their features.

    The numbers depend on the extractor and on the sizes of the sets: put both beside them. Give
    held-out real images as `generated` to learn what a perfect generator would get.

    Args:
        real: What an `Extractor` returns for real images: "features" `[n, d]`.
        generated: The same for generated ones, `[m, d]`; with "logits" `[m, K]` also their
            inception score is computed.
        k: Which neighbor reaches the edge of the balls of precision, recall, density, coverage.
        seed: Seed of the kernel distance's subsets.

    Returns:
        A dict of floats:

        - "frechet_distance": FID's formula, see `frechet_distance`;
        - "kernel_distance", "kernel_distance_error": KID's, see `kernel_distance`;
        - "precision", "recall", "density", "coverage": see `prdc`;
        - "inception_score", "inception_score_error": see `inception_score`, with the extractor's
          classes; the error is the standard deviation over ten parts;
        - "n_real", "n_generated": the sizes.

    Raises:
        ValueError: If the features are not such, or too few: 10 of each are needed.

    Example:
    ```python
    report = generation_report(extractor(real_images), extractor(gan.sample(10_000)))
    ```
    """
    a, b = real["features"], generated["features"]
    if min(len(a), len(b)) < 10:
        raise ValueError(
            f"generation_report found {len(a)} real and {len(b)} generated images: pass at least "
            "10 of each."
        )
    value, error = kernel_distance(a, b, seed=seed)
    balls = prdc(a, b, k)
    report = {
        "frechet_distance": frechet_distance(a, b)["distance"],
        "kernel_distance": value,
        "kernel_distance_error": error,
        **{name: balls[name] for name in KEPT},
    }
    if "logits" in generated:
        score, error = inception_score(generated["logits"], from_logits=True)
        report |= {"inception_score": score, "inception_score_error": error}
    return report
