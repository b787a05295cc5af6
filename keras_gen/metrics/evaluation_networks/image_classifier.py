"""A small classifier of a labeled data set: features and labels for the metrics that need them."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from keras_gen.metrics.checks import as_images
from keras_gen.networks import conv_classifier

WIDTHS = (32, 64, 128)


def train_classifier(
    images: np.ndarray,
    labels: np.ndarray,
    classes: int | None = None,
    steps: int = 1500,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> keras.Model:
    """Train a small convolutional network to tell the classes of images.

    There is no augmentation: mirrored digits are none. The result depends on the arguments alone.

    Args:
        images: uint8 `[n, H, W, 1]` or `[n, H, W, 3]`, 0..255, sides of at least 8 pixels.
        labels: int `[n]`, 0 to K - 1.
        classes: K; None: one more than the largest label.
        steps: training steps.
        batch_size: images a step, drawn without replacement until all were seen.
        learning_rate: at the start; it falls to 0 along a cosine.
        seed: of the weights and the batches.

    Returns:
        A float32 model of images uint8 `[batch, height, width, channels]`, any size, with outputs
        "features" `[batch, 128]` and "logits" `[batch, K]`.

    Raises:
        ValueError: the images or the labels are not such, or there is but one class.

    Example:
        >>> digits = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), "uint8")
        >>> classifier = train_classifier(digits, np.arange(20) % 10, steps=20)
    """
    images, labels = as_images(images), np.asarray(labels)
    whole = np.issubdtype(labels.dtype, np.integer)
    if classes is None:
        classes = int(labels.max()) + 1 if whole and labels.size else 0
    right = whole and labels.shape == images.shape[:1] and classes > 1
    if not right or not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"train_classifier found labels {labels.dtype} {list(labels.shape)} for {len(images)} "
            f"images of {classes} classes: pass one whole number for each image, from 0 to the "
            "number of classes - 1, which must be at least 2."
        )
    if min(images.shape[1:3]) < 2 ** len(WIDTHS):
        raise ValueError(
            f"train_classifier found images of {images.shape[1]}x{images.shape[2]} pixels: sides "
            f"must have at least {2 ** len(WIDTHS)}."
        )
    model = build_classifier(images.shape[-1], classes, seed)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(learning_rate, steps), weight_decay=1e-3
    )
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def train_step(batch, batch_labels):
        with tf.GradientTape() as tape:
            logits = model(batch, training=True)["logits"]
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(batch_labels, logits)
            loss = tf.reduce_mean(loss)
        optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)

    rng = np.random.default_rng(seed)
    batch_size = min(batch_size, len(images))
    order = np.empty(0, np.int64)
    for _ in range(steps):
        if len(order) < batch_size:
            order = rng.permutation(len(images))
        chosen, order = order[:batch_size], order[batch_size:]
        train_step(tf.constant(images[chosen]), tf.constant(labels[chosen].astype(np.int64)))
    return model


def build_classifier(channels: int, classes: int, seed: int = 0) -> keras.Model:
    """Return the untrained network of `train_classifier`.

    Args:
        channels: of the images.
        classes: K.
        seed: of the weights.

    Example:
        >>> build_classifier(1, 10).output["logits"].shape
        (None, 10)
    """
    return conv_classifier(channels, classes, WIDTHS, seed=seed, name="image_classifier")
