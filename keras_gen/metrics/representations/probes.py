"""How well a linear classifier predicts labels from codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_gen.checked_arguments import checked_types
from keras_gen.data.batches.labeled import even_order
from keras_gen.metrics.metric_arguments import as_labeled_pair


@checked_types
def linear_probe(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    counts: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[int, float]:
    """Test accuracy, 0 to 1, of logistic regression on the codes for some numbers of labels.

    The codes are standardized by all of `train_codes`. The labeled examples are drawn as evenly
    over the classes as possible, and a larger draw contains the smaller ones.

    Args:
        train_codes: Finite numbers `[n, d]`.
        train_labels: Integers `[n]`, of two classes or more.
        test_codes: Finite numbers `[m, d]`.
        test_labels: Integers `[m]`.
        counts: Numbers of labeled examples in all, each from the number of classes up to n, and the
            keys of the result; by default n.
        seed: Seed of the draw.

    Example: `linear_probe(codes, labels, test_codes, test_labels, counts=[100, 1000])[100]`.
    """
    x, y, test_x, test_y = as_labeled_pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    classes = len(np.unique(y))
    counts = [len(x)] if counts is None else list(counts)
    if classes < 2 or not all(classes <= count <= len(x) for count in counts):
        raise ValueError(
            "A linear probe needs two classes or more, and counts between their number "
            "and that "
            f"of the examples: found {classes} classes, {len(x)} examples, counts {counts}."
        )
    order = even_order(y, seed)
    scaler = StandardScaler().fit(x)
    x = scaler.transform(x)
    test_x = scaler.transform(test_x)
    accuracies = {}
    for count in counts:
        drawn = order[:count]
        probe = LogisticRegression(max_iter=1000).fit(x[drawn], y[drawn])
        accuracies[count] = float(probe.score(test_x, test_y))
    return accuracies
