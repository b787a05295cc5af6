"""A small network that labels the pixels of images, to evaluate translations of label maps."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from keras_gen.arguments import checked_array, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.evaluation_networks.image_classifier import fit_logits
from keras_gen.metrics.metric_arguments import as_images

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
    """Trains a network to label each pixel, on images and their mirror images.

    Its convolutions are dilated, so that the size is kept and far pixels are seen: Yu, Koltun:
    "Multi-Scale Context Aggregation by Dilated Convolutions", ICLR 2016. Isola et al. (2017) call
    the accuracy of such a network on translated label maps FCN-score (sec. 4.1).

    Args:
        images: uint8 `[n, H, W, channels]`.
        labels: Integers `[n, H, W]`, 0 to `classes` - 1.
        classes: Number of classes.
        filters: Channels of each layer.
        steps: Training steps.
        batch_size: Images of a step.
        learning_rate: Rate at the start; it falls to 0 along a cosine.
        seed: Seed of the weights and the batches.

    Returns:
        A float32 model of images with the output "logits" `[batch, H, W, classes]`.

    Example: `pixel_accuracy(train_segmenter(photos, labels, 12), translated, asked)`.
    """
    seed = checked_seed(seed)
    images = as_images(images)
    labels = checked_array("labels", labels)
    if labels.shape != images.shape[:3] or not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"train_segmenter found labels {list(labels.shape)} of {labels.min()} to "
            f"{labels.max()} for images {list(images.shape)}: pass one of 0 to {classes - 1} for "
            "each pixel."
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
    """Returns the fraction of pixels that get the label that was asked for.

    Args:
        segmenter: From `train_segmenter`.
        images: uint8 `[n, H, W, channels]`.
        labels: Integers `[n, H, W]`.
    """
    found = segmenter.predict(as_images(images), batch_size=16, verbose=0)["logits"]
    return float((found.argmax(axis=-1) == labels).mean())
