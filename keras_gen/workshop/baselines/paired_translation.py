"""Methods without a network that predict the target of a source image from training pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestNeighbors

from keras_gen.data.transforms.images import nearest_colors
from keras_gen.files.images import flat_pixels


def nearest_target(
    sources: np.ndarray, train_sources: np.ndarray, train_targets: np.ndarray, side: int = 16
) -> np.ndarray:
    """Returns the target of the nearest training source.

    The result is a real image, but it belongs to another source.

    Args:
        sources: Source images, uint8 `[n, H, W, C]`.
        train_sources: Training source images, uint8 `[m, H, W, C]`.
        train_targets: Training target images, uint8 `[m, H, W, channels]`.
        side: Height and width to which sources are downscaled before they are compared.

    Example: `nearest_target(labels, train_labels, train_photos)`.
    """

    def small(images):
        return flat_pixels(tf.image.resize(images, [side, side], antialias=True).numpy())

    neighbors = NearestNeighbors(n_neighbors=1).fit(small(train_sources))
    _, place = neighbors.kneighbors(small(sources))
    return train_targets[place[:, 0]]


def ridge_target(
    sources: np.ndarray,
    train_sources: np.ndarray,
    train_targets: np.ndarray,
    alphas: Sequence[float] = (30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0),
) -> np.ndarray:
    """Predicts uint8 targets with ridge regression on whole images, the best linear model.

    Args:
        sources: Source images, uint8 `[n, H, W, C]`.
        train_sources: Training source images, uint8 `[m, H, W, C]`, at least 3.
        train_targets: Training target images, uint8 `[m, H, W, channels]`.
        alphas: Penalties on the squared weights to try; pixels are scaled to [0, 1]. The last tenth
            of the training pairs (at least two pairs) determines the best penalty.

    Example: `ridge_target(labels, train_labels, train_photos)`.
    """
    x = flat_pixels(train_sources)
    y = flat_pixels(train_targets)
    # At least two pairs are held out, because the score of one pair is undefined.
    cut = min(len(x) * 9 // 10, len(x) - 2)

    def score(alpha):
        return Ridge(alpha).fit(x[:cut], y[:cut]).score(x[cut:], y[cut:])

    found = Ridge(max(alphas, key=score)).fit(x, y).predict(flat_pixels(sources))
    levels = (255 * found).round().clip(0, 255).astype(np.uint8)
    return levels.reshape(len(sources), *train_targets.shape[1:])


def color_means(
    sources: np.ndarray, train_sources: np.ndarray, train_targets: np.ndarray, colors: np.ndarray
) -> np.ndarray:
    """Replaces each source color with the mean of its target pixels; returns uint8 images.

    Args:
        sources: Label maps, uint8 `[n, H, W, C]`.
        train_sources: Training source images, uint8 `[m, H, W, C]`.
        train_targets: Training target images, uint8 `[m, H, W, channels]`.
        colors: Colors of the classes, uint8 `[classes, C]`; see `common_colors`.

    Example: `color_means(labels, train_labels, train_photos, common_colors(train_labels, 12))`.
    """
    classes = nearest_colors(train_sources, colors)
    overall = train_targets.reshape(-1, train_targets.shape[-1]).mean(axis=0)
    means = np.tile(overall, (len(colors), 1))
    for number in np.unique(classes):
        means[number] = train_targets[classes == number].mean(axis=0)
    return means.round().astype(np.uint8)[nearest_colors(sources, colors)]
