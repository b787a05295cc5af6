"""How far translated images reached the other domain, and how much of the content they kept."""

from __future__ import annotations

import keras
import numpy as np

from keras_gen.metrics.evaluation_networks.domain_classifier import predict
from keras_gen.metrics.image_pairs.image_quality import l1_error, ssim
from keras_gen.metrics.samples.kernel_distance import kernel_distance


def translation_report(
    classifier: keras.Model,
    source: np.ndarray,
    translated: np.ndarray,
    target: np.ndarray,
    cycled: np.ndarray | None = None,
) -> dict[str, float]:
    """Compares translated images with real ones of the target domain and with their sources.

    Args:
        classifier: Classifier of source domain (first) and target domain (second), from
            `train_domain_classifier`, trained on none of these images.
        source: Held-out images uint8 `[n, H, W, 3]` of the first domain, such as photos.
        translated: Their translations, uint8, same shape and order.
        target: Held-out images uint8 `[m, H, W, 3]` of the second domain, such as paintings.
        cycled: The translations translated back, uint8 `[n, H, W, 3]`, if there are such.

    Returns:
        A dict of floats:

        - "distance_source", "distance_translated": kernel distance (squared MMD of the
          classifier's features, Binkowski et al. 2018) to `target`, and with "_error" appended
          their standard errors;
        - "distance_ratio": the second over the first: 1 for the identity, about 0 for images of
          the target domain;
        - "target_fraction_source", "target_fraction_translated": fraction that the classifier
          puts into the target domain. It is easily fooled, by artifacts too: trust the ratio
          before it;
        - "ssim": mean structural similarity of source and translation, see `ssim`. Colors may
          change freely; what counts is that edges and shapes stay where they were;
        - "cycle_error": see `cycle_error`; only with `cycled`.

    Raises:
        ValueError: If the arrays are not images of the shapes above.

    Example:
        >>> report = translation_report(classifier, photos, model.translate(photos), paintings)
        >>> report["distance_ratio"]
    """
    report = {"ssim": float(ssim(translated, source).mean())}
    if cycled is not None:
        report["cycle_error"] = cycle_error(source, cycled)
    target_features = predict(classifier, target)["features"]
    for name, images in {"source": source, "translated": translated}.items():
        outputs = predict(classifier, images)
        value, error = kernel_distance(outputs["features"], target_features)
        report[f"distance_{name}"], report[f"distance_{name}_error"] = value, error
        report[f"target_fraction_{name}"] = float((outputs["logits"] > 0).mean())
    report["distance_ratio"] = report["distance_translated"] / report["distance_source"]
    return report


def cycle_error(images: np.ndarray, cycled: np.ndarray) -> float:
    """Mean absolute difference of images and their round trip, in 8-bit levels (0 to 255).

    Args:
        images: uint8 `[n, H, W, 3]`.
        cycled: The same after translation there and back, uint8, same shape.

    Returns:
        A number between 0 and 255: the L1 cycle loss of Zhu et al. (2017), equation 2, times 127.5.

    Raises:
        ValueError: If the arrays are not images of one shape.

    Example:
        >>> cycle_error(np.zeros([1, 16, 16, 3], "uint8"), np.full([1, 16, 16, 3], 3, "uint8"))
        3.0
    """
    return float(l1_error(cycled, images).mean(dtype=np.float64))
