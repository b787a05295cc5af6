"""Accuracies of inexpensive classifiers with few labels, or with labels of another domain."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.files.images import flat_pixels
from keras_gen.metrics.metric_arguments import as_feature_pair
from keras_gen.metrics.representations.probes import linear_probe
from keras_gen.metrics.samples.artifacts import gradient_histograms
from keras_gen.workshop.baselines.filters import deslanted
from keras_gen.workshop.baselines.quantized_codes import PrincipalComponents

COSTS = (1.0, 10.0, 100.0)  # candidate costs of a support vector machine's errors
FOLDS = 5  # number of folds into which the training codes are divided to choose the cost
STROKES = 100  # number of principal components of the strokes' histograms
NEIGHBORS = 10  # number of neighbors of each image in the graph
ALPHA = 0.9  # weight of the neighbors' labels in each step


def neighbor_accuracy(
    images: np.ndarray, labels: np.ndarray, test_images: np.ndarray, test_labels: np.ndarray
) -> float:
    """Returns the test accuracy, 0 to 1, of the nearest neighbor in pixel space.

    Args:
        images: Labeled images, uint8 `[n, H, W, channels]`.
        labels: Labels of the images, integers `[n]`.
        test_images: Test images, uint8 `[m, H, W, channels]`.
        test_labels: Labels of the test images, integers `[m]`.

    Example: `neighbor_accuracy(digits, labels, test_digits, test_labels)`.
    """
    nearest = KNeighborsClassifier(1).fit(flat_pixels(images), labels)
    return float(nearest.score(flat_pixels(test_images), test_labels))


def gradient_accuracy(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    neighbors: int = 5,
) -> float:
    """Returns the test accuracy, 0 to 1, of nearest neighbors in gradient histograms.

    The histograms of oriented gradients are described in `keras_gen.metrics.gradient_histograms`.
    The predicted label is the most frequent label among the neighbors.

    Args:
        images: Labeled images, uint8 `[n, H, W, channels]`.
        labels: Labels of the images, integers `[n]`.
        test_images: Test images, uint8 `[m, H, W, channels]`.
        test_labels: Test labels, integers `[m]`.
        neighbors: Number of nearest neighbors per test image, 1 to n.

    Example: `gradient_accuracy(digits, labels, test_digits, test_labels)`.
    """
    nearest = KNeighborsClassifier(neighbors).fit(gradient_histograms(images), labels)
    return float(nearest.score(gradient_histograms(test_images), test_labels))


def svm_accuracy(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
) -> float:
    """Returns the test accuracy, 0 to 1, of a support vector machine with a Gaussian kernel.

    The width of the kernel is the standard deviation of all code values. The cost of errors is 1,
    10, or 100; five-fold cross-validation on the training codes determines which.

    Args:
        train_codes: Training codes, finite numbers `[n, d]`.
        train_labels: Training labels, integers `[n]`, from at least two classes with at least 5
            examples each.
        test_codes: Test codes, finite numbers `[m, d]`.
        test_labels: Test labels, integers `[m]`.

    Raises:
        ValueError: If a class has fewer than 5 examples.

    Example: `svm_accuracy(codes[:100], labels[:100], test_codes, test_labels)`.
    """
    if (least := np.unique(train_labels, return_counts=True)[1].min()) < FOLDS:
        raise ValueError(
            f"The smallest class has {least} examples: expected at least {FOLDS} of each class, "
            f"for cross-validation with {FOLDS} folds."
        )
    machine = GridSearchCV(SVC(), {"C": list(COSTS)}, cv=FOLDS)
    return float(machine.fit(train_codes, train_labels).score(test_codes, test_labels))


def stroke_codes(*sets: np.ndarray) -> list[np.ndarray]:
    """Returns codes of the strokes of digits, one float64 array `[n, 100]` for each set of images.

    Histograms of oriented gradients (Dalal, Triggs, CVPR 2005) with cells of 4x4 pixels are
    computed from deslanted images. The codes are the first 100 principal components of these
    histograms, or fewer if the first set is smaller. No labels are used.

    Args:
        *sets: Images, uint8 `[n, H, W, 1]`, with sides of at least 8 pixels. The components are
            computed from the first set.

    Example: `codes, test_codes = stroke_codes(digits, test_digits)`.
    """
    from skimage.feature import hog

    cells = dict(orientations=9, pixels_per_cell=(4, 4), cells_per_block=(2, 2))
    features = [
        np.stack([hog(image[..., 0], **cells) for image in deslanted(images)]) for images in sets
    ]
    pca = PCA(min(STROKES, *features[0].shape), random_state=0).fit(features[0])
    return [pca.transform(each) for each in features]


def graph_accuracy(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> float:
    """Returns the test accuracy, 0 to 1, of labels propagated through a nearest-neighbor graph.

    Zhou, Bousquet, Lal, Weston, Schoelkopf: "Learning with Local and Global Consistency", NeurIPS
    2003. Each training code is linked to its ten nearest neighbors. A test code gets the label of
    its nearest training codes.

    Args:
        codes: Training codes, numbers `[n, d]`.
        labels: Labels of the training codes, integers `[n]`, with -1 for unknown labels.
        test_codes: Test codes, numbers `[m, d]`.
        test_labels: Test labels, integers `[m]`.

    Example: `graph_accuracy(codes, few_labels(labels, 100), test_codes, test_labels)`.
    """
    spreading = LabelSpreading(kernel="knn", n_neighbors=NEIGHBORS, alpha=ALPHA, max_iter=2000)
    # A code that no label reaches has NaN probabilities, and is assigned to the first class.
    with np.errstate(invalid="ignore"):
        spreading.fit(codes.astype(np.float64), labels)
        return float(spreading.score(test_codes.astype(np.float64), test_labels))


def few_label_baselines(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    dimensions: int = 50,
    graph: int = 10_000,
) -> dict[str, float]:
    """Returns the accuracies of inexpensive image classifiers trained with few labels.

    "graph" propagates labels with `graph_accuracy` between principal components of the images, and
    "stroke_graph" between their `stroke_codes`, which are designed for digits.

    Args:
        images: Images, uint8 `[n, H, W, 1]`, with sides of at least 8 pixels.
        labels: Labels, integers `[n]`, with -1 for images without a label.
        test_images: Test images, uint8 `[m, H, W, 1]`.
        test_labels: Test labels, integers `[m]`.
        dimensions: Number of principal components, which are computed without labels.
        graph: Number of unlabeled images in the graph; the first unlabeled images are used.

    Returns:
        A dict that maps the names of classifiers to accuracies between 0 and 1. "svm" is
        `svm_accuracy` on the pixels, and "pca_svm" is `svm_accuracy` on the principal components.
        "graph" and "stroke_graph" are label propagation. "logistic" is `linear_probe`, and
        "neighbor" is the nearest neighbor, both on the pixels.

    Raises:
        ValueError: See `svm_accuracy` and `PrincipalComponents`.

    Example:
        >>> few_label_baselines(digits, few_labels(labels, 100), test_digits, test_labels)["graph"]
    """
    pca = PrincipalComponents(images, dimensions)
    (known,) = np.where(labels >= 0)
    few = labels[known]
    pixels = flat_pixels(images[known])
    test_pixels = flat_pixels(test_images)
    test_codes = pca.encode(test_images)

    spread = np.union1d(known, np.arange(min(graph, len(images))))
    codes = pca.encode(images[spread])
    strokes = stroke_codes(images[spread], test_images)
    return {
        "svm": svm_accuracy(pixels, few, test_pixels, test_labels),
        "pca_svm": svm_accuracy(pca.encode(images[known]), few, test_codes, test_labels),
        "graph": graph_accuracy(codes, labels[spread], test_codes, test_labels),
        "stroke_graph": graph_accuracy(strokes[0], labels[spread], strokes[1], test_labels),
        "logistic": linear_probe(pixels, few, test_pixels, test_labels)[len(known)],
        "neighbor": neighbor_accuracy(images[known], few, test_images, test_labels),
    }


def color_balanced_classes(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    clusters: int = 2,
    dimensions: int = 50,
    seed: int = 0,
) -> np.ndarray:
    """Predicts classes with a support vector machine trained on color-balanced images.

    The images of each class are clustered with k-means by their mean color, regardless of
    brightness. From each cluster, as many images are sampled as the smallest cluster of any class
    contains. The support vector machine has a Gaussian kernel, and its inputs are principal
    components. As in `keras_gen.vae.DBVAE`, the groups that should be treated equally are not
    known.

    Args:
        images: Training images, uint8 `[n, H, W, C]`.
        labels: Labels of the images, integers `[n]`; each class has at least `clusters` images.
        test_images: Test images, uint8 `[m, H, W, C]`.
        clusters: Number of clusters in each class.
        dimensions: Number of principal components, limited to the number of pixel values.
        seed: Seed for the clusters and the sampled images.

    Returns:
        The predicted labels of the test images `[m]`.

    Example: `np.mean(color_balanced_classes(faces, labels, test_faces) == test_labels)`.
    """
    colors = images.mean(axis=(1, 2))
    colors /= np.maximum(colors.sum(axis=1, keepdims=True), 1e-6)
    groups = np.zeros(len(images), int)
    for label in np.unique(labels):
        of_class = labels == label
        means = KMeans(clusters, n_init=10, random_state=checked_seed(seed))
        groups[of_class] = groups.max() + 1 + means.fit_predict(colors[of_class])
    _, sizes = np.unique(groups, return_counts=True)
    rng = np.random.default_rng(seed)
    chosen = np.concatenate(
        [
            rng.choice(np.flatnonzero(groups == group), min(sizes), replace=False)
            for group in np.unique(groups)
        ]
    )
    pca = PrincipalComponents(images, min(dimensions, images[0].size))
    machine = SVC(C=COSTS[1]).fit(pca.encode(images[chosen]), labels[chosen])
    return machine.predict(pca.encode(test_images))


@checked_types
def coral(features: np.ndarray, target: np.ndarray, covariance: bool = True) -> np.ndarray:
    """Returns source features with the target's mean and covariance, float64 `[n, d]`.

    Sun, Feng, Saenko: "Return of Frustratingly Easy Domain Adaptation", AAAI 2016, algorithm 1. In
    addition, the means are matched. As in the paper, 1 is added to every variance.

    Args:
        features: Features of the source, floats `[n, d]`.
        target: Features of the target, floats `[m, d]`.
        covariance: Whether to match the full covariance. If False, only the variance of each
            feature is matched.

    Raises:
        TypeError: If `covariance` is not a bool.
        ValueError: If either array has fewer than 2 rows, if the numbers of features differ, or if
            a value is not finite.

    Example: `coral(features, target_features)`.
    """
    features, target = as_feature_pair(features, target, ("features", "target"))
    centered = features - features.mean(axis=0)
    if covariance:
        source_matrix = np.cov(features, rowvar=False) + np.eye(features.shape[1])
        target_matrix = np.cov(target, rowvar=False) + np.eye(features.shape[1])
        whitened = centered @ scipy.linalg.inv(scipy.linalg.sqrtm(source_matrix).real)
        return whitened @ scipy.linalg.sqrtm(target_matrix).real + target.mean(axis=0)
    ratio = np.sqrt((target.var(axis=0) + 1) / (features.var(axis=0) + 1))
    return centered * ratio + target.mean(axis=0)


def coral_accuracy(
    features: np.ndarray,
    labels: np.ndarray,
    target: np.ndarray,
    test_features: np.ndarray,
    test_labels: np.ndarray,
    covariance: bool = True,
) -> float:
    """Returns the target accuracy, 0 to 1, of a linear classifier trained on aligned features.

    Args:
        features: Features of the source, floats `[n, d]`.
        labels: Labels of the source, integers `[n]`.
        target: Unlabeled features of the target, floats `[m, d]`.
        test_features: Test features of the target, `[k, d]`.
        test_labels: Labels of the test features, integers `[k]`.
        covariance: Whether to match the full covariance; see `coral`.

    Example: `coral_accuracy(features, labels, target_features, test_features, test_labels)`.
    """
    aligned = coral(features, target, covariance)
    scaler = StandardScaler().fit(aligned)
    linear = LogisticRegression(max_iter=300).fit(scaler.transform(aligned), labels)
    return float(linear.score(scaler.transform(test_features), test_labels))
