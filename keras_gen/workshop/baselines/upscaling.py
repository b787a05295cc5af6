"""Enlarges images with bicubic interpolation or patch regression."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.cluster import MiniBatchKMeans

from keras_gen.arguments import checked_integer, checked_odd, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.data import shrunk
from keras_gen.declared import PositiveInteger
from keras_gen.files.images import luma
from keras_gen.metrics.metric_arguments import as_images

_SHOWN = 100_000  # number of patches that are clustered
_MIDDLE = 3  # side in pixels of the center of a patch, which is the part that is enlarged
_FLAT = 1e-3  # minimum divisor when a patch is divided by its contrast


@checked_types
def bicubic(images: np.ndarray, factor: PositiveInteger) -> np.ndarray:
    """Enlarges images with bicubic interpolation (Keys 1981), and returns them as uint8.

    Args:
        images: Images, uint8 `[n, height, width, channels]`.
        factor: Factor by which the sides are enlarged, at least 1.

    Example: `bicubic(small, 4)`.
    """
    size = [factor * side for side in images.shape[1:3]]
    enlarged = tf.image.resize(images, size, "bicubic").numpy()
    return enlarged.round().clip(0, 255).astype(np.uint8)


class ClusteredRidge:
    """Bicubic enlargement with details that are predicted by patch regression.

    Patches of the small image are clustered by shape, regardless of their mean and contrast. In
    each cluster, ridge regression predicts the luma of the large image minus the luma of the
    bicubic image as a linear function of the patch. The prediction covers the central 3x3 pixels of
    the patch; where these regions overlap, predictions are averaged. The method follows Timofte, De
    Smet, Van Gool: "A+: Adjusted Anchored Neighborhood Regression for Fast Super-Resolution", ACCV
    2014, without the paper's features and neighborhoods. Red, green, and blue change by the same
    amount.

    Args:
        factor: Factor by which the sides are enlarged, at least 2.
        clusters: Number of clusters.
        side: Odd side length of a patch in pixels, at least 3.
        penalty: Penalty on the squared weights, for levels in [0, 1].
        seed: Seed for the clusters.

    Example:
        >>> photographs = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), "uint8")
        >>> ridge = ClusteredRidge(factor=2, clusters=4).fit(photographs)
        >>> ridge(photographs).shape
        (20, 64, 64, 3)
    """

    def __init__(
        self,
        factor: int,
        clusters: int = 512,
        side: int = 7,
        penalty: float = 0.1,
        seed: int = 0,
    ):
        self.factor = checked_integer("factor", factor, minimum=2)
        self.clusters = checked_integer("clusters", clusters, minimum=1)
        self.side = checked_odd("side", side, minimum=_MIDDLE)
        self.penalty = penalty
        self.seed = seed
        self._means: MiniBatchKMeans | None = None
        self._weights = np.zeros(0)  # [clusters, values of a patch, values of its region]

    def fit(self, images: np.ndarray) -> ClusteredRidge:
        """Fits the regression to downscaled images in eight orientations, and returns `self`.

        Args:
            images: Large images, uint8 `[n, side, side, 3]`, whose side is a multiple of the
                factor.
        """
        images = as_images(images, channels=(3,))
        small = shrunk(images, self.factor).numpy()
        shapes = _shapes(self._patches(_luma(small)).reshape(-1, self.side**2))
        order = np.random.default_rng(checked_seed(self.seed)).permutation(len(shapes))[:_SHOWN]
        self._means = MiniBatchKMeans(
            self.clusters, batch_size=4096, n_init=1, random_state=checked_seed(self.seed)
        ).fit(shapes[order])

        values = self.side**2
        squares = np.zeros([self.clusters, values, values])
        products = np.zeros([self.clusters, values, (_MIDDLE * self.factor) ** 2])
        lacking = _luma(images) - _luma(self._bicubic(small))
        for patches, regions in self._turned(_luma(small), lacking):
            label = self._means.predict(_shapes(patches))
            for number in np.unique(label):
                chosen = patches[label == number]
                squares[number] += chosen.T @ chosen
                products[number] += chosen.T @ regions[label == number]
        penalized = squares + self.penalty * np.eye(values)
        self._weights = np.linalg.solve(penalized, products).astype(np.float32)
        return self

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Enlarges the sides by `factor`; returns uint8 images `[n, height, width, 3]`."""
        if self._means is None:
            raise ValueError("These regressions are not fitted: call fit first.")
        images = as_images(images, channels=(3,))
        margin = self.side // 2
        around = ((0, 0), (margin, margin), (margin, margin))
        patches = self._patches(np.pad(_luma(images), around, mode="edge"))
        flat = patches.reshape(-1, self.side**2)
        regions = np.zeros([len(flat), self._weights.shape[-1]], np.float32)
        label = self._means.predict(_shapes(flat))
        for number in np.unique(label):
            regions[label == number] = flat[label == number] @ self._weights[number]
        lacking = self._overlapped(regions.reshape(*patches.shape[:3], -1))
        large = self._bicubic(images) + 255 * lacking[..., None]
        return large.round().clip(0, 255).astype(np.uint8)

    def _bicubic(self, images):
        size = [self.factor * side for side in images.shape[1:3]]
        return tf.image.resize(images, size, "bicubic").numpy()

    def _patches(self, values):
        """Returns patches minus their means, `[n, rows, columns, side^2]`."""
        windows = sliding_window_view(values, (self.side, self.side), axis=(1, 2))
        patches = windows.reshape(*windows.shape[:3], -1)
        return patches - patches.mean(axis=-1, keepdims=True)

    def _turned(self, small, lacking) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Returns all patches and regions, as rows, for each rotation and flip of squares."""
        begin = self.factor * (self.side // 2 - _MIDDLE // 2)
        end = lacking.shape[1] - begin
        region = _MIDDLE * self.factor
        for turns in range(4):
            for step in (1, -1):
                patches = self._patches(np.rot90(small, turns, (1, 2))[:, ::step])
                inner = np.rot90(lacking, turns, (1, 2))[:, ::step][:, begin:end, begin:end]
                windows = sliding_window_view(inner, (region, region), axis=(1, 2))
                regions = windows[:, :: self.factor, :: self.factor]
                yield patches.reshape(-1, self.side**2), regions.reshape(-1, region**2)

    def _overlapped(self, regions):
        """Averages overlapping regions `[n, rows, columns, values]` to an image."""
        n, rows, columns, _ = regions.shape
        factor = self.factor
        blocks = regions.reshape(n, rows, columns, _MIDDLE, factor, _MIDDLE, factor)
        height = factor * rows
        width = factor * columns
        added = np.zeros([n, height + 2 * factor, width + 2 * factor], np.float32)
        count = np.zeros(added.shape[1:], np.float32)
        for down in range(0, _MIDDLE * factor, factor):
            for right in range(0, _MIDDLE * factor, factor):
                block = blocks[:, :, :, down // factor, :, right // factor]
                block = block.transpose(0, 1, 3, 2, 4).reshape(n, height, width)
                added[:, down : down + height, right : right + width] += block
                count[down : down + height, right : right + width] += 1
        return (added / count)[:, factor:-factor, factor:-factor]


def _luma(images):
    return luma(images / np.float32(255))[..., 0].astype(np.float32)


def _shapes(patches):
    """Scales patches to a contrast of 1."""
    contrast = np.linalg.norm(patches, axis=-1, keepdims=True)
    return patches / np.maximum(contrast, _FLAT)
