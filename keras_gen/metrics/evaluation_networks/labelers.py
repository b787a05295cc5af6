"""Small networks that predict labels, points, or segments in images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import keras
import numpy as np
from keras import layers

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_images, part_of
from keras_gen.networks import conv_classifier, conv_encoder

WIDTHS = (32, 64, 128)  # channels of the convolutions with strides
POOLED_WIDTHS = (16, 32, 128)  # channels of the convolutions at every pixel, which are slower
SHIFT = 2  # maximum shift of training images in pixels
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

    To train the networks "max" and "average", the images are randomly shifted by up to two pixels
    along each axis.

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`, with sides of at least 8 pixels.
        labels: Labels, integers `[n]` from 0 to K - 1.
        classes: Number of classes, K, at least 2. If None, K is one more than the largest label.
        steps: Number of training steps.
        batch_size: Number of images per step. Images are chosen without replacement until all of
            them have been used.
        learning_rate: Initial learning rate, which decays to 0 on a cosine schedule.
        seed: Seed for the weights and the batches.
        kind: Type of network; see `build_classifier`.

    Returns:
        A float32 model that maps images `[batch, H, W, channels]` of the training size, uint8 or
        floats in [0, 255], to a dict with "features" `[batch, 128]` and "logits" `[batch, K]`.

    Example: `train_classifier(digits, labels)(test_digits)["logits"]`.
    """
    images = as_images(images)
    whole = np.issubdtype(labels.dtype, np.integer)
    if classes is None:
        classes = int(labels.max()) + 1 if whole and labels.size else 0
    right = whole and labels.shape == images.shape[:1] and classes > 1
    if not right or not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"train_classifier got {labels.dtype} labels of shape {list(labels.shape)} for "
            f"{len(images)} images of {classes} classes: expected at least 2 classes, and one "
            "integer from 0 to classes - 1 for each image."
        )
    if min(images.shape[1:3]) < 2 ** len(WIDTHS):
        raise ValueError(
            f"train_classifier got images of {images.shape[1]}x{images.shape[2]} pixels: "
            f"expected sides of at least {2 ** len(WIDTHS)}."
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

    The image size is fixed, because a classifier is reliable only on images that resemble its
    training images. For example, the same clothes with a wider margin have different features.

    Args:
        image_shape: Height, width, and channels of the images.
        classes: Number of classes.
        seed: Seed for the weights.
        kind: Type of network. "conv" has strided convolutions, trains fastest, and is intended for
            classification. "max" and "average" have convolutions with stride 1, each followed by
            the maximum or the mean of 2x2 positions. The features of these two networks are
            intended for comparing sets of images, because the features change less when an image is
            shifted by a pixel than when its halves are mismatched (see `torn`).

    Example:
        >>> build_classifier((28, 28, 1), 10).output["logits"].shape
        (None, 10)
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}: expected one of {', '.join(get_args(Kind))}.")
    images = keras.Input(image_shape, dtype="float32")
    if kind == "conv":
        network = conv_classifier(image_shape[-1], classes, WIDTHS, seed=seed)
    else:
        # The first kernels differ, so that the two types have few flaws in common.
        first_kernel = 3 if kind == "max" else 5
        sizes = (POOLED_WIDTHS, first_kernel)
        network = conv_classifier(image_shape[-1], classes, *sizes, pooling=kind, seed=seed)
    return keras.Model(images, network(images), name=f"{kind}_classifier")


def _moved(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shifts each image by a few pixels, repeating its border."""
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
    """Trains the logits of a classifier with AdamW.

    Args:
        model: Model that returns a dict with "logits".
        loss: Loss as a function of labels and logits.
        batches: Images and labels for each step, in order.
        steps: Number of batches.
        learning_rate: Initial learning rate, which decays to 0 on a cosine schedule.
    """
    trained = keras.Model(model.input, model.output["logits"])
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3)
    # XLA is not used, because its compilation would take longer than it saves.
    trained.compile(optimizer, loss, jit_compile=False)
    # The number of steps is given, because Keras would otherwise run a last step without a batch.
    trained.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)


@checked_types
def train_point_reader(
    images: np.ndarray,
    points: np.ndarray,
    steps: int = 1500,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> keras.Model:
    """Trains a small network to find points in images.

    Args:
        images: Images, uint8 `[n, H, W, channels]`, with sides of at least 8 pixels.
        points: Coordinates of the points, `[n, points, 2]`, in [0, 1].
        steps: Number of training steps.
        batch_size: Number of images per step.
        learning_rate: Initial learning rate, which decays to 0 on a cosine schedule.
        seed: Seed for the weights and the batches.

    Returns:
        A model that maps images in [0, 255] to coordinates `[batch, points, 2]`.

    Example: `train_point_reader(faces.images[0], faces.points[0])`.
    """
    count, number, _ = points.shape
    keras.utils.set_random_seed(seed)
    shown = keras.Input(images.shape[1:], dtype="float32")
    # The network ends with a dense layer over all positions, because its outputs are locations.
    network = conv_encoder(images.shape[1:], latent_dim=2 * number, filters=(16, 32, 64))
    [outputs] = network(keras.layers.Rescaling(1 / 127.5, offset=-1)(shown))
    rng = np.random.default_rng(seed)
    flat = points.reshape(count, -1)

    def batches():
        for _ in range(steps):
            chosen = rng.integers(count, size=batch_size)
            yield images[chosen], flat[chosen]

    model = keras.Model(shown, {"logits": outputs})
    fit_logits(model, keras.losses.MeanSquaredError(), batches(), steps, learning_rate)
    coordinates = keras.layers.Reshape((number, 2))(outputs)
    return keras.Model(shown, coordinates, name="point_reader")


DILATIONS = (1, 1, 2, 4, 8, 1)


@checked_types
def train_segmenter(
    images: np.ndarray,
    labels: np.ndarray,
    classes: int,
    filters: int = 24,
    steps: int = 1000,
    batch_size: int = 8,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> keras.Model:
    """Trains a network to label each pixel; mirror images are also used for training.

    The network's convolutions are dilated, so that they preserve the image size and have a large
    receptive field (Yu, Koltun: "Multi-Scale Context Aggregation by Dilated Convolutions", ICLR
    2016). Isola et al. (2017), sec. 4.1, translate label maps into images, and call the accuracy
    with which such a network recovers the labels the FCN-score.

    Args:
        images: Images, uint8 `[n, H, W, channels]`.
        labels: Labels of the pixels, integers `[n, H, W]` from 0 to `classes` - 1.
        classes: Number of classes.
        filters: Number of channels in each layer.
        steps: Number of training steps.
        batch_size: Number of images per step.
        learning_rate: Initial learning rate, which decays to 0 on a cosine schedule.
        seed: Seed for the weights and the batches.

    Returns:
        A float32 model that maps images to a dict with "logits" `[batch, H, W, classes]`.

    Example: `pixel_accuracy(train_segmenter(photos, labels, 12), translated, asked)`.
    """
    images = as_images(images)
    if labels.shape != images.shape[:3] or not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"train_segmenter got labels of shape {list(labels.shape)} from {labels.min()} to "
            f"{labels.max()} for images of shape {list(images.shape)}: expected one label from 0 "
            f"to {classes - 1} for each pixel."
        )
    keras_seed = keras.random.SeedGenerator(seed)
    inputs = keras.Input((None, None, images.shape[-1]), dtype="float32")
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    for dilation in DILATIONS:
        kernel = keras.initializers.HeNormal(seed=keras_seed)
        x = layers.Conv2D(
            filters, 3, padding="same", dilation_rate=dilation, use_bias=False,
            kernel_initializer=kernel,
        )(x)  # fmt: skip
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    kernel = keras.initializers.HeNormal(seed=keras_seed)
    logits = layers.Conv2D(classes, 1, kernel_initializer=kernel)(x)
    model = keras.Model(inputs, {"logits": logits}, name="segmenter")

    def batches():
        rng = np.random.default_rng(seed)
        for _ in range(steps):
            chosen = rng.permutation(len(images))[:batch_size]
            turn = slice(None, None, -1 if rng.random() < 0.5 else 1)
            yield images[chosen][:, :, turn], labels[chosen][:, :, turn]

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    fit_logits(model, loss, batches(), steps, learning_rate)
    return model


@checked_types
def pixel_accuracy(segmenter: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Returns the fraction of pixels to which the segmenter assigns the requested label.

    Args:
        segmenter: Result of `train_segmenter`.
        images: Images, uint8 `[n, H, W, channels]`.
        labels: Requested labels, integers `[n, H, W]`.
    """
    images = as_images(images)
    if labels.shape != images.shape[:3]:
        raise ValueError(
            f"labels has shape {list(labels.shape)}: expected one label for each pixel of images "
            f"of shape {list(images.shape)}."
        )
    try:
        outputs = segmenter.predict(images, batch_size=16, verbose=0)
    except ValueError as error:  # TensorFlow's own message has many lines
        raise ValueError(
            f"segmenter does not accept images of shape {list(images.shape)}: expected the shape "
            "of its training images."
        ) from error
    if not isinstance(outputs, dict):
        raise TypeError("segmenter returns an array: expected a dict with 'logits'.")
    found = part_of(outputs, "logits", "The output of segmenter")
    return float((found.argmax(axis=-1) == labels).mean())
