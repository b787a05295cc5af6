"""A small classifier of a labeled data set: features and classes for the metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import keras
import numpy as np

from keras_gen.arguments import checked_array, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_images
from keras_gen.networks import conv_classifier

WIDTHS = (32, 64, 128)  # channels of the convolutions with strides
POOLED_WIDTHS = (16, 32, 128)  # channels of those at every pixel, which take longer
SHIFT = 2  # pixels that training images are moved, at most
Kind = Literal["conv", "max", "average"]


@checked_types
def train_classifier(
    images: np.ndarray,
    labels: np.ndarray,
    classes: int | None = None,
    steps: int = 1500,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    seed: int = 0,
    kind: Kind = "conv",
) -> keras.Model:
    """Trains a small network to classify images.

    Images for the kinds "max" and "average" are moved at random, up to two pixels along each axis.

    Args:
        images: uint8 `[n, H, W, 1 or 3]`, 0..255, sides of at least 8 pixels.
        labels: Integers `[n]`, 0 to K - 1.
        classes: Number of classes K, 2 or more; by default one more than the largest label.
        steps: Training steps.
        batch_size: Images per step, drawn without replacement until all have been drawn.
        learning_rate: Rate at the start; it falls to 0 along a cosine.
        seed: Seed of the weights and the batches.
        kind: Kind of the network, see `build_classifier`.

    Returns:
        A float32 model of images `[batch, H, W, channels]` of the trained size, uint8 or floats in
        0 to 255, with outputs "features" `[batch, 128]` and "logits" `[batch, K]`.

    Example: `train_classifier(digits, labels)(test_digits)["logits"]`.
    """
    seed = checked_seed(seed)
    images = as_images(images)
    labels = checked_array("labels", labels)
    whole = np.issubdtype(labels.dtype, np.integer)
    if classes is None:
        classes = int(labels.max()) + 1 if whole and labels.size else 0
    right = whole and labels.shape == images.shape[:1] and classes > 1
    if not right or not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"train_classifier found labels {labels.dtype} {list(labels.shape)} for "
            f"{len(images)} "
            f"images of {classes} classes: pass one whole number for each image, from "
            "0 to the number of classes - 1, which must be at least 2."
        )
    if min(images.shape[1:3]) < 2 ** len(WIDTHS):
        raise ValueError(
            f"train_classifier found images of {images.shape[1]}x{images.shape[2]} "
            f"pixels: sides must have at least {2 ** len(WIDTHS)}."
        )
    model = build_classifier(images.shape[1:], classes, seed, kind)
    batch_size = min(batch_size, len(images))

    def batches():
        rng = np.random.default_rng(seed)
        order = np.empty(0, np.int64)
        for _ in range(steps):
            if len(order) < batch_size:
                order = rng.permutation(len(images))
            chosen = order[:batch_size]
            order = order[batch_size:]
            shown = images[chosen] if kind == "conv" else _moved(images[chosen], rng)
            yield shown, labels[chosen]

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    fit_logits(model, loss, batches(), steps, learning_rate)
    return model


def build_classifier(
    image_shape: tuple, classes: int, seed: int = 0, kind: Kind = "conv"
) -> keras.Model:
    """Returns the untrained network of `train_classifier`.

    The image size is fixed, because a classifier is reliable only on images like the training
    images; the same clothes in a wider margin have other features.

    Args:
        image_shape: Height, width and channels of the images.
        classes: Number of classes.
        seed: Seed of the weights.
        kind: "conv" has convolutions with strides, trains fastest, and serves to name classes.
            "max" and "average" have convolutions at every pixel, and the maximum or the mean of 2x2
            places after each. Their features serve to compare sets of images, for they change less
            when an image moves by a pixel than when it is torn.

    Example:
        >>> build_classifier((28, 28, 1), 10).output["logits"].shape
        (None, 10)
    """
    if kind not in get_args(Kind):
        raise ValueError(f"The classifier's kind is {kind!r}: pass one of {get_args(Kind)}.")
    images = keras.Input(image_shape, dtype="float32")
    if kind == "conv":
        network = conv_classifier(image_shape[-1], classes, WIDTHS, seed=seed)
    else:
        # Another first kernel, so that the two kinds have few flaws in common.
        first_kernel = 3 if kind == "max" else 5
        sizes = (POOLED_WIDTHS, first_kernel)
        network = conv_classifier(image_shape[-1], classes, *sizes, pooling=kind, seed=seed)
    return keras.Model(images, network(images), name=f"{kind}_classifier")


def _moved(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Moves each image by a few pixels; what comes in repeats its border."""
    n, height, width, _ = images.shape
    border = (SHIFT, SHIFT)
    padded = np.pad(images, ((0, 0), border, border, (0, 0)), mode="edge")
    places = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    top, left = rng.integers(0, 2 * SHIFT + 1, (2, n))
    return np.moveaxis(places[np.arange(n), top, left], 1, -1)


def fit_logits(
    model: keras.Model,
    loss: keras.losses.Loss,
    batches: Iterator[tuple[np.ndarray, np.ndarray]],
    steps: int,
    learning_rate: float,
) -> None:
    """Trains the logits of a classifier by AdamW.

    Args:
        model: Returns a dict with "logits".
        loss: Loss of labels and logits.
        batches: Images and labels of each step, in the order of the training.
        steps: Number of batches.
        learning_rate: Rate at the start; it falls to 0 along a cosine.
    """
    trained = keras.Model(model.input, model.output["logits"])
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3)
    # Compiling by XLA would take longer than it saves.
    trained.compile(optimizer, loss, jit_compile=False)
    # With their number, Keras runs no step without a batch at the end.
    trained.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
