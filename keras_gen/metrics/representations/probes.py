"""Metrics of how useful codes or encoders are for classification."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_gen.checked_arguments import checked_types
from keras_gen.core import ConstantThenLinear
from keras_gen.data.batches.labeled import even_order
from keras_gen.declared import PositiveInteger
from keras_gen.metrics.metric_arguments import as_classes, as_labeled_pair
from keras_gen.networks import classifier_on


@checked_types
def linear_probe(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    counts: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[int, float]:
    """Returns a dict from numbers of labels to the test accuracy of logistic regression on codes.

    Accuracies are between 0 and 1. The codes are standardized with the means and standard
    deviations of all `train_codes`. The labeled examples are distributed as evenly as possible over
    the classes, and each larger selection contains the smaller selections.

    Args:
        train_codes: Training codes, finite numbers `[n, d]`.
        train_labels: Labels of the training codes, integers `[n]`, with at least two classes.
        test_codes: Test codes, finite numbers `[m, d]`.
        test_labels: Labels of the test codes, integers `[m]`.
        counts: Total numbers of labeled examples, each between the number of classes and n. These
            numbers are the keys of the result. If None, all n examples are used.
        seed: Seed for the selection of labeled examples.

    Example: `linear_probe(codes, labels, test_codes, test_labels, counts=[100, 1000])[100]`.
    """
    x, y, test_x, test_y = as_labeled_pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    classes = len(np.unique(y))
    counts = [len(x)] if counts is None else list(counts)
    if classes < 2 or not all(classes <= count <= len(x) for count in counts):
        raise ValueError(
            f"Found {classes} classes, {len(x)} examples, and counts {counts}: expected at least "
            "two classes, and counts from the number of classes to the number of examples."
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


Labeled = tuple[np.ndarray, np.ndarray]


@checked_types
def fine_tuned_error(
    encoder: keras.Model,
    train: Labeled,
    validation: Labeled,
    test: Labeled,
    batch_size: int = 100,
    epochs: int = 30,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> dict[str, float]:
    """Returns the test error of a classifier that is initialized with an encoder.

    A linear layer is added to a copy of the encoder, and both are trained with Adam. The learning
    rate is constant in the first half of training, and then decays linearly to zero. The test error
    is measured at the epoch with the highest accuracy on the validation images.

    Args:
        encoder: Network that maps float images in [0, 1] to features `[batch, ...]`.
        train: Training data: uint8 images `[n, H, W, channels]` and nonnegative integer labels
            `[n]`.
        validation: Validation images and labels, on which the best epoch is chosen.
        test: Test images and labels.
        batch_size: Number of images per step.
        epochs: Number of passes over the training images.
        learning_rate: Learning rate in the first half of training.
        seed: Seed for the new layer and for the order of the images.

    Returns:
        A dict with "test_error" in percent, and "epoch", the best epoch, counted from 1.

    Example: `fine_tuned_error(model.encoder, train, validation, test)["test_error"]`.
    """
    parts = dict(train=train, validation=validation, test=test)
    labels = [as_classes(y, f"labels of {name}", len(x)) for name, (x, y) in parts.items()]
    classes = max(int(each.max()) for each in labels) + 1
    keras.utils.set_random_seed(seed)
    network = classifier_on(encoder, classes)
    steps = epochs * -(-len(train[0]) // batch_size)
    rate = ConstantThenLinear.in_halves(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(
        "val_accuracy", mode="max", patience=epochs, restore_best_weights=True
    )
    network.fit(
        *train, batch_size, epochs, verbose=0, callbacks=[best], validation_data=validation
    )
    accuracy = network.evaluate(*test, verbose=0)[1]
    return {"test_error": 100 * (1 - accuracy), "epoch": best.best_epoch + 1}


@checked_types
def transfer_report(
    encoder: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    labels_per_class: PositiveInteger = 100,
    draws: PositiveInteger = 3,
    epochs: int = 30,
    data_range: tuple[float, float] = (-1.0, 1.0),
    seed: int = 0,
) -> dict[str, float]:
    """Returns an encoder's accuracy with fine-tuning, and with logistic regression on features.

    Both classifiers are trained on the same labeled images. Fine-tuning trains a copy of the
    encoder and a new linear layer with Adam and batches of 50.

    Args:
        encoder: Network that maps float images in `data_range` to features `[batch, ...]`.
        train: Training data: uint8 images `[n, H, W, channels]` and integer labels `[n]` from 0 to
            classes - 1.
        test: Held-out images and labels.
        labels_per_class: Number of labeled images per class. If a class has fewer images, all are
            used.
        draws: Number of random selections of labeled images, at least 1. The results are averaged
            over the selections.
        epochs: Number of passes over the labeled images in fine-tuning.
        data_range: Encoder inputs that represent the levels 0 and 255.
        seed: Seed for the first selection, the new layer, and the order of the images.

    Returns:
        A dict with the accuracies "tuned" (fine-tuning) and "probed" (logistic regression), from 0
        to 1. With several selections, the dict also has the standard errors of both accuracies,
        "tuned_error" and "probed_error".

    Example: `transfer_report(model.encoder, (images, labels), (test_images, test_labels))`.
    """
    images, labels = train
    test_images, test_labels = test
    labels = as_classes(labels, "labels of train", len(images))
    test_labels = as_classes(test_labels, "labels of test", len(test_images))
    classes = _classes_of(labels, test_labels)
    low, high = data_range

    def encode(x):
        floats = x * np.float32((high - low) / 255) + low
        return encoder.predict(floats, verbose=0).reshape(len(x), -1)

    test_codes = encode(test_images)
    accuracies: dict[str, list[float]] = {"tuned": [], "probed": []}
    for draw in range(seed, seed + draws):
        rng = np.random.default_rng(draw)
        rows = [rng.permutation(np.flatnonzero(labels == label)) for label in range(classes)]
        own = np.concatenate([row[:labels_per_class] for row in rows])
        probe = linear_probe(encode(images[own]), labels[own], test_codes, test_labels)
        accuracies["probed"] += probe.values()
        keras.utils.set_random_seed(draw)
        network = classifier_on(encoder, classes, data_range)
        network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        network.fit(images[own], labels[own], batch_size=50, epochs=epochs, verbose=0)
        found = network.predict(test_images, verbose=0).argmax(axis=-1)
        accuracies["tuned"].append(float((found == test_labels).mean()))
    report = {way: float(np.mean(values)) for way, values in accuracies.items()}
    for way, values in accuracies.items():
        if draws > 1:
            report[f"{way}_error"] = float(np.std(values, ddof=1) / draws**0.5)
    return report


def _classes_of(labels: np.ndarray, test_labels: np.ndarray) -> int:
    """Returns the number of classes; raises a ValueError if one of them has no training label."""
    found = np.unique(labels)
    classes = 1 + int(max(labels.max(), test_labels.max()))
    if len(found) < classes or classes < 2:
        raise ValueError(
            f"The training labels are {', '.join(map(str, found[:10]))}: expected every integer "
            f"from 0 to {max(classes, 2) - 1}. Number the classes without gaps."
        )
    return classes
