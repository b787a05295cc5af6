"""What cheap classifiers make of few labels, and of codes without labels beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

from keras_gen.baselines.principal_components import PrincipalComponents
from keras_gen.media.images import flat_pixels
from keras_gen.metrics.representations.checks import as_labeled_pair, check_within
from keras_gen.metrics.representations.probes import knn_accuracy, linear_probe


def svm_accuracy(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    costs: Sequence[float] = (1.0, 10.0, 100.0),
    folds: int = 5,
) -> float:
    """Accuracy of a support vector machine with a Gaussian kernel.

    The kernel's width is the codes' deviation over all values; the cost of errors is the one of the
    best accuracy over folds of the training codes.

    Args:
        train_codes: Finite numbers `[n, d]`.
        train_labels: Integers `[n]`, of each class at least `folds`.
        test_codes: Finite numbers `[m, d]`.
        test_labels: Integers `[m]`.
        costs: Costs to choose from.
        folds: Number of folds, 2 or more.

    Returns:
        The fraction of right answers among the test examples.

    Raises:
        TypeError: If labels are not integers.
        ValueError: If shapes differ, codes are not finite, there are fewer than two classes, or a
            class has fewer examples than there are folds.

    Example:
        >>> svm_accuracy(codes[:100], labels[:100], test_codes, test_labels)
    """
    x, y, test_x, test_y = as_labeled_pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2 or folds < 2 or counts.min() < folds:
        raise ValueError(
            f"A support vector machine chosen over {folds} folds needs two classes or more, and "
            f"{max(folds, 2)} examples of each: found {len(classes)} classes, the smallest of "
            f"{counts.min()}."
        )
    machine = GridSearchCV(SVC(), {"C": list(costs)}, cv=folds)
    return float(machine.fit(x, y).score(test_x, test_y))


def graph_accuracy(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    neighbors: int = 10,
    share: float = 0.9,
) -> float:
    """Accuracy of labels that spread over the graph of nearest neighbors.

    Zhou, Bousquet, Lal, Weston, Schoelkopf: "Learning with Local and Global Consistency", NeurIPS
    2003, by scikit-learn. A test example has the label of its nearest training examples.

    Args:
        train_codes: Finite numbers `[n, d]`.
        train_labels: Integers `[n]`, -1 for examples without a label.
        test_codes: Finite numbers `[m, d]`.
        test_labels: Integers `[m]`.
        neighbors: Of an example in the graph, 1 to n.
        share: How much an example takes from its neighbors in each step, above 0 and below 1.

    Returns:
        The fraction of right answers among the test examples.

    Raises:
        TypeError: If labels are not integers.
        ValueError: If shapes differ, codes are not finite, `neighbors` or `share` is out of range,
            or there are fewer than two classes.

    Example:
        >>> graph_accuracy(codes, np.where(known, labels, -1), test_codes, test_labels)
    """
    x, y, test_x, test_y = as_labeled_pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    check_within("neighbors", neighbors, len(x))
    if not 0 < share < 1 or len(np.unique(y[y >= 0])) < 2:
        raise ValueError(
            f"Labels spread by a share above 0 and below 1, and tell two classes or more apart: "
            f"found share={share} and {len(np.unique(y[y >= 0]))} classes."
        )
    graph = LabelSpreading(kernel="knn", n_neighbors=neighbors, alpha=share, max_iter=2000)
    # What no label reaches has no probabilities, and counts as the first class.
    with np.errstate(invalid="ignore"):
        return float(graph.fit(x, y).score(test_x, test_y))


def few_label_baselines(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    dimensions: int = 50,
    graph: int = 10_000,
) -> dict[str, float]:
    """What cheap classifiers make of images of which few have a label.

    Args:
        images: uint8 `[n, H, W, C]`.
        labels: Integers `[n]`, -1 for images without a label.
        test_images: uint8 `[m, H, W, C]`.
        test_labels: Integers `[m]`.
        dimensions: Number of principal components, which are found without labels.
        graph: How many images labels spread over, beside those with a label: the first ones.

    Returns:
        Accuracies between 0 and 1: of `svm_accuracy` on the pixels ("svm") and on the components
        ("pca_svm"), of `graph_accuracy` on the components ("graph"), and on the pixels of
        `linear_probe` ("logistic") and of the nearest neighbor ("neighbor").

    Raises:
        TypeError: As these.
        ValueError: As these.

    Example:
        >>> few_label_baselines(digits, few_labels(labels, 100), test_digits, test_labels)["graph"]
    """
    pca = PrincipalComponents(images, dimensions)
    (known,) = np.where(labels >= 0)
    spread = np.union1d(known, np.arange(min(graph, len(images))))
    pixels = flat_pixels(images[known]), labels[known], flat_pixels(test_images), test_labels
    test_codes = pca.encode(test_images)
    components = pca.encode(images[known]), labels[known], test_codes, test_labels
    return {
        "svm": svm_accuracy(*pixels),
        "pca_svm": svm_accuracy(*components),
        "graph": graph_accuracy(
            pca.encode(images[spread]), labels[spread], test_codes, test_labels
        ),
        "logistic": linear_probe(*pixels)[len(known)],
        "neighbor": knn_accuracy(*pixels, neighbors=1),
    }
