"""How well an encoder serves a new task with few labels."""

import keras
import numpy as np

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_classes
from keras_gen.metrics.representations.probes import linear_probe
from keras_gen.networks import classifier_on


@checked_types
def transfer_report(
    encoder: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    labels_per_class: int = 100,
    draws: int = 3,
    epochs: int = 30,
    data_range: tuple[float, float] = (-1.0, 1.0),
    seed: int = 0,
) -> dict[str, float]:
    """Accuracy of an encoder after fine-tuning, and of logistic regression on its features.

    Both are trained on the same labeled images. Fine-tuning changes a copy of the encoder under a
    new linear layer, by Adam with batches of 50.

    Args:
        encoder: Maps float images in `data_range` to features `[batch, ...]`.
        train: uint8 images `[n, H, W, channels]` and integer labels `[n]`, 0 to classes - 1.
        test: Likewise, held out.
        labels_per_class: Labeled images of each class, or all if there are fewer.
        draws: Draws of labeled images to average over, 1 or more.
        epochs: Passes over them in fine-tuning.
        data_range: The encoder's inputs for the levels 0 and 255.
        seed: Seed of the first draw, of the new layer and of the order.

    Returns:
        "tuned" and "probed", fractions of right answers; of several draws also "tuned_error" and
        "probed_error", their standard errors.

    Example: `transfer_report(model.encoder, (images, labels), (test_images, test_labels))`.
    """
    images, labels = train
    test_images, test_labels = test
    labels = as_classes(labels, "labels of train", len(images))
    test_labels = as_classes(test_labels, "labels of test", len(test_images))
    draws = checked_integer("draws", draws, minimum=1)
    labels_per_class = checked_integer("labels_per_class", labels_per_class, minimum=1)
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
    """The number of classes; a ValueError unless training shows each of them, from 0 on."""
    found = np.unique(labels)
    classes = 1 + int(max(labels.max(), test_labels.max()))
    if len(found) < classes or classes < 2:
        raise ValueError(
            f"Training has the labels {', '.join(map(str, found[:10]))}: expected each from 0 to "
            f"{max(classes, 2) - 1}; number the classes without gaps."
        )
    return classes
