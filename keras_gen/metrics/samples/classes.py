"""Images generated for a class, compared with real ones of that class."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_labeled_pair, as_logits
from keras_gen.metrics.samples.kernel_distance import kernel_distance


@checked_types
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
    logits = as_logits(generated["logits"])
    features, real_labels, of_generated, labels = as_labeled_pair(
        real["features"], real_labels, generated["features"], labels, ("real", "generated")
    )
    if len(logits) != len(labels):
        raise ValueError(
            f"class_report found {len(logits)} logits and {len(labels)} labels: pass one label for "
            "each generated image."
        )
    right = logits.argmax(axis=1) == labels
    agreements = []
    distances = []
    for wanted in np.unique(labels):
        of_class = features[real_labels == wanted]
        made = of_generated[labels == wanted]
        agreements.append(right[labels == wanted].mean())
        distances.append(kernel_distance(of_class, made, seed=seed)[0])
    return {
        "agreement": float(right.mean()),
        "worst_agreement": float(min(agreements)),
        "class_distance": float(np.mean(distances)),
        "worst_class_distance": float(max(distances)),
    }
