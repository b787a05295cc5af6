"""Images generated for a class, compared with real ones of that class."""

from __future__ import annotations

import numpy as np

from keras_gen.metrics.metric_arguments import as_logits
from keras_gen.metrics.samples.kernel_distance import kernel_distance


def class_report(
    real: dict[str, np.ndarray],
    real_labels: np.ndarray,
    generated: dict[str, np.ndarray],
    labels: np.ndarray,
    seed: int = 0,
) -> dict[str, float]:
    """Whether generated images show the wanted class, and vary as its real images do.

    Agreement alone is highest for a generator that always draws the same clear image of a class, so
    the kernel distance of each class is included. Compare the agreement with the classifier's
    accuracy on held-out real images, the best that a generator can reach.

    Args:
        real: Output of an `Extractor` for real images: "features" `[n, d]`.
        real_labels: Their classes, integers `[n]`.
        generated: The same for generated ones, `[m, d]`, with "logits" `[m, classes]`.
        labels: The classes that they were generated for, integers `[m]`.
        seed: Seed of the kernel distance's subsets.

    Returns:
        "agreement", the fraction whose likeliest class is the label, and "worst_agreement", the
        lowest of any class; "class_distance", the mean over the classes of the kernel distance
        between generated and real images, and "worst_class_distance", the largest.

    Raises:
        ValueError: If there is not one label for each image, or a class has too few images, or
            there is NaN.

    Example: `class_report(extractor(images), classes, extractor(samples), labels)["agreement"]`.
    """
    real_labels, labels = np.asarray(real_labels), np.asarray(labels)
    sizes = [(len(real["features"]), len(real_labels)), (len(generated["logits"]), len(labels))]
    if any(images != wanted or not images for images, wanted in sizes):
        raise ValueError(
            f"class_report found {sizes} images and labels: pass one for each image."
        )
    right = as_logits(generated["logits"]).argmax(axis=1) == labels
    agreements = []
    distances = []
    for wanted in np.unique(labels):
        of_class = real["features"][real_labels == wanted]
        made = generated["features"][labels == wanted]
        agreements.append(right[labels == wanted].mean())
        distances.append(kernel_distance(of_class, made, seed=seed)[0])
    return {
        "agreement": float(right.mean()),
        "worst_agreement": float(min(agreements)),
        "class_distance": float(np.mean(distances)),
        "worst_class_distance": float(max(distances)),
    }
