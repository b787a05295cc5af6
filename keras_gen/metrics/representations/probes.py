"""How well simple classifiers read labels from codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from keras_gen.data.batches.labeled import even_order
from keras_gen.metrics.representations.checks import as_labeled_pair, check_within


def linear_probe(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    counts: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[int, float]:
    """Accuracy of logistic regression on the codes, trained with some numbers of labels.

    The codes are standardized by all of `train_codes`, of which no label is needed. The labeled
    examples are drawn as evenly over the classes as they allow, and a larger draw contains the
    smaller ones. A linear probe sees only what is linearly readable: classes arranged like an
    exclusive or stay at chance.

    Args:
        train_codes: Finite numbers `[n, d]`.
        train_labels: Integers `[n]`.
        test_codes: Finite numbers `[m, d]`.
        test_labels: Integers `[m]`.
        counts: Numbers of labeled examples in all, each from the number of classes up to n; by
            default n.
        seed: Seed of the draw.

    Returns:
        For each of `counts`, the fraction of right answers among the test examples.

    Raises:
        TypeError: If labels are not integers.
        ValueError: If shapes differ, codes are not finite, there are fewer than two classes, or a
            count is out of range.

    Example:
        >>> accuracy = linear_probe(codes, labels, test_codes, test_labels, counts=[100, 1000])
    """
    x, y, test_x, test_y = as_labeled_pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    classes = len(np.unique(y))
    counts = [len(x)] if counts is None else list(counts)
    if classes < 2 or not all(classes <= count <= len(x) for count in counts):
        raise ValueError(
            f"A linear probe needs two classes or more, and counts between their number and that "
            f"of the examples: found {classes} classes, {len(x)} examples, counts {counts}."
        )
    order = even_order(y, seed)
    scaler = StandardScaler().fit(x)
    x, test_x = scaler.transform(x), scaler.transform(test_x)
    return {
        count: float(
            LogisticRegression(max_iter=1000)
            .fit(x[order[:count]], y[order[:count]])
            .score(test_x, test_y)
        )
        for count in counts
    }


def knn_accuracy(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    neighbors: int = 5,
    metric: str = "euclidean",
) -> float:
    """Fraction of test examples that most of their nearest training examples label rightly.

    Args:
        train_codes: Finite numbers `[n, d]`.
        train_labels: Integers `[n]`.
        test_codes: Finite numbers `[m, d]`.
        test_labels: Integers `[m]`.
        neighbors: Number of those that vote, 1 to n; of labels with as many votes the lowest wins.
        metric: "euclidean", "cosine", or another that scikit-learn knows.

    Returns:
        A number between 0 and 1.

    Raises:
        TypeError: If labels are not integers.
        ValueError: If shapes differ, codes are not finite, or `neighbors` is out of range.

    Example:
        >>> knn_accuracy(codes, labels, test_codes, test_labels, neighbors=1)
    """
    x, y, test_x, test_y = as_labeled_pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    check_within("neighbors", neighbors, len(x))
    return float(KNeighborsClassifier(neighbors, metric=metric).fit(x, y).score(test_x, test_y))
