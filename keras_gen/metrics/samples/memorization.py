"""Whether generated examples are copies of training examples."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.samples.neighbors import nearest_neighbors


@checked_types
def memorization(
    generated: np.ndarray, training: np.ndarray, ratio: float = 1 / 3
) -> dict[str, float]:
    """Reports how many generated examples lie suspiciously close to one training example.

    An example counts as memorized if its nearest training example is closer than `ratio` times the
    second nearest, or equal to it: Yoon et al. (2023). Of training examples with duplicates, only
    exact copies are found. Pass held-out examples as `generated` for the fraction without
    memorization.

    Args:
        generated: Images or features `[n, ...]`, any number type. Distances are Euclidean: those of
            pixels detect copies, those of features also slightly shifted copies.
        training: The training set `[m, ...]`, at least 2 examples.
        ratio: Between 0 and 1.

    Returns:
        {"memorized_fraction": of the generated, "nearest_distance": the median over the generated
        of the distance to the nearest training example}.

    Example: `memorization(model.sample(1000), training_images)["memorized_fraction"]`.
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"memorization found ratio={ratio}: pass a number in (0, 1].")
    nearest, second = nearest_neighbors(generated, training, k=2)[0].T
    copied = (nearest == 0) | (nearest < ratio * second)
    return {
        "memorized_fraction": float(copied.mean()),
        "nearest_distance": float(np.median(nearest)),
    }
