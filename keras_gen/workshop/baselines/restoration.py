"""Inexpensive methods that denoise, fill in, and enlarge images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu
from sklearn.cluster import MiniBatchKMeans
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from keras_gen.arguments import checked_integer, checked_odd, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.data import shrunk
from keras_gen.declared import PositiveInteger
from keras_gen.files.images import flat_pixels, luma
from keras_gen.metrics.image_pairs import missing_pixels
from keras_gen.metrics.metric_arguments import as_images
from keras_gen.workshop.baselines.pixel_contexts import nearest_around

_SEEN = 57  # number of corrupted pixels around a pixel, including itself
_PREDICTED = 9  # number of values of the ridge prediction around a pixel
_AT_ONCE = 500  # number of images denoised at once
_SHOWN = 100_000  # number of patches that are clustered
_MIDDLE = 3  # side in pixels of the center of a patch, which is the part that is enlarged
_FLAT = 1e-3  # minimum divisor when a patch is divided by its contrast


class BoostedDenoiser:
    """Boosted trees that predict each pixel of the clean image from a corrupted image.

    Ridge regression predicts the whole clean image from the whole corrupted image. For each pixel,
    the inputs of the trees are the 57 nearest corrupted pixels, the nine nearest values of the
    ridge prediction, the row, and the column. The trees (scikit-learn's
    `HistGradientBoostingRegressor`) minimize the squared error.

    Args:
        corrupted: Corrupted training images, floats `[n, H, W, 1]`.
        clean: The training images before the corruption, floats `[n, H, W, 1]`.
        pixels: Number of randomly sampled pixels to which the trees are fitted.
        trees: Number of trees.
        seed: Seed for the sampled pixels and the trees.

    Example: `BoostedDenoiser(corrupted, clean)(corrupted_test_images)`.
    """

    def __init__(
        self,
        corrupted: np.ndarray,
        clean: np.ndarray,
        pixels: int = 500_000,
        trees: int = 80,
        seed: int = 0,
    ):
        flat = corrupted.reshape(len(corrupted), -1)
        self.ridge = Ridge().fit(flat, clean.reshape(flat.shape))
        rng = np.random.default_rng(checked_seed(seed))
        chosen = rng.choice(corrupted.size, min(pixels, corrupted.size), replace=False)
        self.trees = HistGradientBoostingRegressor(
            learning_rate=0.2, max_iter=trees, max_leaf_nodes=63, random_state=seed
        )
        self.trees.fit(self._inputs(corrupted, chosen), clean.ravel()[chosen])

    def __call__(self, corrupted: np.ndarray) -> np.ndarray:
        """Returns denoised images, floats `[n, H, W, 1]`."""
        parts = np.array_split(corrupted, -(-len(corrupted) // _AT_ONCE))
        values = [self.trees.predict(self._inputs(part, np.arange(part.size))) for part in parts]
        return np.concatenate(values).reshape(corrupted.shape)

    def _inputs(self, corrupted, places):
        predicted = self.ridge.predict(corrupted.reshape(len(corrupted), -1))
        image, row, column, _ = np.unravel_index(places, corrupted.shape)
        found = [row, column]
        for values, count in ((corrupted, _SEEN), (predicted, _PREDICTED)):
            offsets = nearest_around(count)
            reach = offsets.max()
            margins = ((0, 0), (reach, reach), (reach, reach))
            padded = np.pad(values.reshape(corrupted.shape[:3]), margins)
            found += [padded[image, row + reach + d, column + reach + r] for d, r in offsets]
        return np.stack(found, axis=1, dtype=np.float32, casting="unsafe")


def border_mean(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns uint8 images whose missing pixels have the mean color of adjacent known pixels.

    Args:
        images: Images, uint8 `[n, H, W, channels]`.
        masks: Masks `[n, H, W, 1]`, nonzero where a pixel is missing.

    Raises:
        ValueError: If the arrays do not match, if nothing is missing, or if a whole image is
            missing.

    Example: `border_mean(images, masks)`.
    """
    missing = missing_pixels(images, masks)
    border = ndimage.binary_dilation(missing, np.ones([1, 3, 3, 1])) & ~missing
    count = border.sum((1, 2), keepdims=True)
    if not count.all():
        raise ValueError(
            "An image has no known pixel next to missing pixels: mask only part of each image."
        )
    means = (images * border).sum((1, 2), keepdims=True) / count
    return np.where(missing, means.round().astype(np.uint8), images)


def laplace_fill(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Fills missing pixels with the smoothest surface through the surrounding known pixels.

    The method solves Laplace's equation in each channel: every missing pixel is the mean of its two
    to four neighbors. This is inpainting by diffusion, as in Bertalmio, Sapiro, Caselles,
    Ballester: "Image Inpainting", SIGGRAPH 2000, without the paper's transport along edges.

    For the arguments, result, and errors, see `border_mean`.

    Example: `laplace_fill(images, masks)`.
    """
    missing = missing_pixels(images, masks)
    n, height, width, channels = images.shape
    links = sparse.kronsum(_chain(width), _chain(height))
    laplacian = (sparse.diags(links.sum(axis=0).A1) - links).tocsr()
    pixels = images.reshape(n, height * width, channels).transpose(1, 0, 2).copy()
    # The equations of images with equal masks are solved together.
    kinds, kind = np.unique(missing.reshape(n, -1), axis=0, return_inverse=True)
    for number, hole in enumerate(kinds):
        if hole.all():
            raise ValueError("An image has no known pixels: mask only part of each image.")
        own = np.flatnonzero(kind == number)
        known = pixels[np.ix_(~hole, own)].reshape(-1, len(own) * channels).astype(np.float64)
        rows = laplacian[hole]
        found = splu(rows[:, hole].tocsc()).solve(-rows[:, ~hole] @ known)
        found = found.reshape(-1, len(own), channels).round().clip(0, 255)
        pixels[np.ix_(hole, own)] = found
    return pixels.transpose(1, 0, 2).reshape(images.shape)


def ridge_fill(
    images: np.ndarray,
    masks: np.ndarray,
    train: np.ndarray,
    mirror: bool = False,
    alphas: Sequence[float] = (10.0, 30.0, 100.0, 300.0, 1000.0),
) -> np.ndarray:
    """Returns uint8 images whose missing pixels are predicted by ridge regression.

    The regression predicts whole images from the known pixels, in [0, 1]. It is the best linear
    model.

    Args:
        images: Images, uint8 `[n, H, W, channels]`.
        masks: Masks `[n, H, W, 1]`, nonzero where a pixel is missing; all masks are equal.
        train: Training images, uint8 `[m, H, W, channels]`.
        mirror: Whether to also fit the regression to the mirror images of the training images.
        alphas: Penalties on the squared weights to try. The last tenth of `train` determines the
            best penalty.

    Raises:
        ValueError: If the masks differ. For other errors, see `border_mean`.

    Example: `ridge_fill(images, masks, train_images)`.
    """
    missing = missing_pixels(images, masks)
    if missing.all() or (missing != missing[:1]).any():
        raise ValueError(
            "The masks differ, or hide everything: expected the same mask for all images, hiding "
            "only part of each image."
        )
    hole = np.broadcast_to(missing[0], images.shape[1:]).ravel()

    def split(examples):
        pixels = flat_pixels(examples)
        return pixels[:, ~hole], pixels[:, hole]

    def fitted(alpha, examples):
        both = np.concatenate([examples, examples[:, :, ::-1]]) if mirror else examples
        return Ridge(alpha).fit(*split(both))

    cut = len(train) * 9 // 10
    alpha = max(alphas, key=lambda alpha: fitted(alpha, train[:cut]).score(*split(train[cut:])))
    found = fitted(alpha, train).predict(split(images)[0]).reshape(len(images), -1)
    filled = images.reshape(len(images), -1).copy()
    filled[:, hole] = (255 * found).round().clip(0, 255)
    return filled.reshape(images.shape)


def _chain(length):
    """Returns the sparse adjacency matrix of pixels on a line."""
    return sparse.diags([1.0, 1.0], [-1, 1], (length, length))


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
