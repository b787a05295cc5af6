"""Small classifiers that distinguish two image domains, for evaluating translations."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from scipy import ndimage

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.evaluation_networks.labelers import fit_logits
from keras_gen.metrics.metric_arguments import as_images
from keras_gen.networks import conv_classifier

CROP = 0.375  # side of the random crops, as a fraction of the images' height and width


def _blurred_or_noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Applies the same random blur (up to 1.5 pixels) and noise (up to 20 levels) to all images."""
    blur = rng.uniform(0, 1.5)
    blurred = ndimage.gaussian_filter(images.astype(np.float32), (0, blur, blur, 0))
    return _levels(blurred + rng.uniform(0, 20) * rng.normal(size=images.shape))


def _recolored(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gives each image its own contrast, brightness, tint, and noise (up to 10 levels)."""
    n = len(images)
    gain = rng.uniform(0.6, 1.4, (n, 1, 1, 1)) * rng.uniform(0.85, 1.15, (n, 1, 1, 3))
    shift = rng.uniform(-30, 30, (n, 1, 1, 1))
    noise = rng.uniform(0, 10, (n, 1, 1, 1)) * rng.normal(size=images.shape)
    return _levels(127.5 + gain * (images - 127.5) + shift + noise)


def _levels(images: np.ndarray) -> np.ndarray:
    return np.clip(np.round(images), 0, 255).astype(np.uint8)


# Three networks with different widths, first kernels, and augmentations, so that no single flaw
# fools all three.
KINDS: dict[str, tuple[tuple[int, ...], int, Callable]] = {
    "plain": ((16, 32, 64, 128), 5, lambda images, rng: images),
    "blurred": ((24, 48, 96), 3, _blurred_or_noisy),
    "recolored": ((16, 24, 48, 96, 128), 7, _recolored),
}


@checked_types
def train_domain_classifier(
    a: np.ndarray,
    b: np.ndarray,
    kind: str = "plain",
    steps: int = 1800,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> keras.Model:
    """Trains a convolutional network to distinguish images from two domains, `a` and `b`.

    Every batch contains equal numbers of randomly cropped and flipped images from both domains. In
    every second batch, the images are reduced to half their size before they are cropped, so that
    the classifier handles both sizes. Images are not zoomed, because a classifier could then learn
    to detect the resampling.

    Args:
        a: Images from the first domain, such as photos, uint8 `[n_a, H, W, 3]`.
        b: Images from the second domain, such as paintings, uint8 `[n_b, H, W, 3]`.
        kind: Type of classifier: `"plain"`, `"blurred"` (three layers, trained on blurred and noisy
            images), or `"recolored"` (five layers, trained on images with changed contrast,
            brightness, and tint). A good translation convinces classifiers of all three types.
        steps: Number of training steps.
        batch_size: Even number of images per step.
        learning_rate: Initial learning rate, which decays to 0 on a cosine schedule.
        seed: Seed for the weights, the batches, and the dropout.

    Returns:
        A float32 model that maps uint8 images `[batch, H, W, 3]`, with sides of at least 16 pixels,
        to a dict with "features" `[batch, d]` and "logits" `[batch]`. A positive logit indicates
        domain `b`.

    Example: `train_domain_classifier(photos, paintings, kind="blurred")`.
    """
    a = as_images(a, "a", channels=(3,))
    b = as_images(b, "b", channels=(3,))
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(
            f"train_domain_classifier got images of shape {a.shape[1:]} in a, but {b.shape[1:]} in "
            "b: resize the images to one size, because the classifier could otherwise recognize "
            "domains by size."
        )
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: expected one of {', '.join(map(repr, KINDS))}.")
    if batch_size % 2:
        raise ValueError(f"batch_size is {batch_size}: expected an even number.")
    widths, first_kernel, augment = KINDS[kind]
    model = _build(widths, first_kernel, seed)
    labels = np.repeat(np.asarray([0, 1], np.float32), batch_size // 2)
    size = [max(1, round(CROP * side)) for side in a.shape[1:3]]
    scales = [(a, b), (_halved(a), _halved(b))]

    def batches():
        rng = np.random.default_rng(seed)
        for step in range(steps):
            crops = [_crops(images, batch_size // 2, size, rng) for images in scales[step % 2]]
            yield augment(np.concatenate(crops), rng), labels

    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    fit_logits(model, loss, batches(), steps, learning_rate)
    return model


def predict(classifier: keras.Model, images: np.ndarray, batch_size: int = 64) -> dict:
    """Returns a dict of "features", float32 `[n, d]`, and "logits", float32 `[n]`, for n images.

    Args:
        classifier: Result of `train_domain_classifier`.
        images: Images to classify, uint8 `[n, H, W, 3]`.
        batch_size: Number of images processed at once.

    Example: `predict(classifier, photos)["logits"] > 0` is true for each photo that is mistaken for
    a painting.
    """
    images = as_images(images, channels=(3,))
    parts = [
        classifier(images[i : i + batch_size], training=False)
        for i in range(0, len(images), batch_size)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def accuracy(classifier: keras.Model, a: np.ndarray, b: np.ndarray) -> float:
    """Returns the fraction of images assigned to the correct domain, averaged over both domains.

    Guessing yields 0.5, even if `n_a` and `n_b` differ.

    Args:
        classifier: Result of `train_domain_classifier`.
        a: Held-out images from the first domain, uint8 `[n_a, H, W, 3]`.
        b: Held-out images from the second domain, uint8 `[n_b, H, W, 3]`.

    Example: `accuracy(classifier, test_photos, test_paintings)`.
    """
    right_a = predict(classifier, a)["logits"] < 0
    right_b = predict(classifier, b)["logits"] > 0
    return float((right_a.mean() + right_b.mean()) / 2)


def _build(widths: tuple[int, ...], first_kernel: int, seed: int) -> keras.Model:
    network = conv_classifier(3, 1, widths, first_kernel, dropout=0.3, seed=seed)
    logits = keras.layers.Reshape((), dtype="float32")(network.output["logits"])
    outputs = {"features": network.output["features"], "logits": logits}
    return keras.Model(network.input, outputs, name="domain_classifier")


def _halved(images: np.ndarray) -> np.ndarray:
    height = images.shape[1] // 2
    width = images.shape[2] // 2
    even = images[:, : 2 * height, : 2 * width]
    blocks = even.reshape(len(images), height, 2, width, 2, 3)
    return _levels(blocks.mean(axis=(2, 4), dtype=np.float32))


def _crops(images: np.ndarray, n: int, size: list[int], rng: np.random.Generator) -> np.ndarray:
    """Returns n random crops `[n, *size, 3]` from random images, half of them mirrored."""
    tops = rng.integers(images.shape[1] - size[0] + 1, size=n)
    lefts = rng.integers(images.shape[2] - size[1] + 1, size=n)
    flips = rng.choice([1, -1], size=n)
    chosen = rng.integers(len(images), size=n)
    crops = []
    for index, top, left, flip in zip(chosen, tops, lefts, flips, strict=True):
        crops.append(images[index, top : top + size[0], left : left + size[1]][:, ::flip])
    return np.stack(crops)
