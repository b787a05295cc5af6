"""Image transforms: sizes, masks, edges, blending, and palettes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import ndimage

from keras_gen.arguments import check_levels, checked_integer, shown
from keras_gen.checked_arguments import checked_types
from keras_gen.declared import PositiveInteger
from keras_gen.files.images import luma

MOST_PIXELS = 2**28


def image_size(name: str, size: Any, minimum: int = 1) -> tuple[int, int]:
    """Converts a size in pixels, an integer (for squares) or `(height, width)`, to two integers.

    Raises:
        TypeError: If the size is neither an integer nor two integers.
        ValueError: If a tuple does not contain exactly two integers, if an integer is below
            `minimum`, or if the image would have more than 2**28 pixels.
    """
    sides = size if isinstance(size, tuple | list) else (size, size)
    if len(sides) != 2:
        raise ValueError(f"{name} is {shown(size)}: expected an integer, or (height, width).")
    height, width = (checked_integer(name, side, minimum) for side in sides)
    if height * width > MOST_PIXELS:
        raise ValueError(f"{name} is {shown(size)}: expected at most {MOST_PIXELS:,} pixels.")
    return height, width


@checked_types
def resize_cover(image: tf.Tensor, size: int | tuple[int, int]) -> tf.Tensor:
    """Crops the largest centered window with the aspect ratio of `size`, and resizes it.

    Args:
        image: Image of any size, uint8 `[height, width, channels]`; floats raise a ValueError.
        size: Side length of a square result in pixels, or `(height, width)`. Images are shrunk with
            antialiased bilinear interpolation.

    Example:
        >>> resize_cover(np.zeros([300, 400, 3], "uint8"), 128).shape
        TensorShape([128, 128, 3])
    """
    sides = image_size("size", size)
    check_levels("image", image, axes=3)
    return rounded_levels(resized(image, cover_window(image, sides), sides))


def cover_window(image: tf.Tensor, size: tuple[int, int]) -> list:
    """Returns the top, left, height, and width of the window that `resize_cover` crops, int64."""
    height, width = tf.unstack(tf.shape(image, tf.int64)[:2])
    inner_height = tf.minimum(height, tf.maximum(width * size[0] // size[1], 1))
    inner_width = tf.minimum(width, tf.maximum(height * size[1] // size[0], 1))
    return [(height - inner_height) // 2, (width - inner_width) // 2, inner_height, inner_width]


def resized(image: tf.Tensor, window: list, size: tuple[int, int]) -> tf.Tensor:
    """Resizes a window of an image with antialiasing; returns float32 `[*size, channels]`."""
    top, left, height, width = window
    # The window is cropped before resizing, so that pixels outside it are not resized.
    part = image[top : top + height, left : left + width]
    found = tf.image.resize(part, size, antialias=True)
    return tf.ensure_shape(found, [*size, image.shape[-1]])


def rounded_levels(image: tf.Tensor) -> tf.Tensor:
    """Rounds floats to uint8 levels, and clips them to [0, 255]."""
    return tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)


@checked_types
def pad_to(image: tf.Tensor, size: PositiveInteger) -> tf.Tensor:
    """Centers an image on a black square, as DCGANs pad 28x28 digits to 32x32.

    Args:
        image: Image `[height, width, channels]` of static shape, or a batch of such images. A side
            longer than `size` raises a ValueError.
        size: Side length of the result in pixels.

    Example:
        >>> pad_to(tf.ones([2, 28, 28, 1]), 32).shape
        TensorShape([2, 32, 32, 1])
    """
    *_, height, width, _ = image.shape
    if height > size or width > size:
        raise ValueError(
            f"An image of size {height}x{width} cannot be padded to {size}x{size}: use "
            "resize_cover."
        )
    top, left = (size - height) // 2, (size - width) // 2
    return tf.image.pad_to_bounding_box(image, top, left, size, size)


@checked_types
def shrunk(images: tf.Tensor, factor: PositiveInteger) -> tf.Tensor:
    """Shrinks images by an integer factor (bicubic, antialiased), as in super-resolution papers.

    When the five images of Set5 are shrunk by a factor of 4 and enlarged again with
    `tf.image.resize(..., "bicubic")`, the results have a PSNR of 28.43 dB, as in these papers.

    Args:
        images: Image, uint8 `[height, width, channels]`, or a batch of such images. Sides that are
            not divisible by the factor raise a ValueError.
        factor: Shrinking factor, a positive integer.

    Example:
        >>> shrunk(np.zeros([2, 96, 64, 3], "uint8"), 4).shape
        TensorShape([2, 24, 16, 3])
    """
    check_levels("images", images)
    *_, height, width, _ = images.shape
    if height % factor or width % factor:
        raise ValueError(
            f"images of size {height}x{width} cannot be shrunk by a factor of {factor}: crop their "
            f"sides to multiples of {factor}."
        )
    size = [height // factor, width // factor]
    small = tf.image.resize(images, size, "bicubic", antialias=True)
    return rounded_levels(small)


def centered_square(side: int, margin: int) -> tf.Tensor:
    """Returns the mask of a square in the middle of an image, float32 `[1, side, side, 1]`.

    This is the "central region" of Pathak et al.: "Context Encoders: Feature Learning by
    Inpainting", CVPR 2016, sec. 3.3.

    Args:
        side: Side length of the image in pixels.
        margin: Number of pixels between the square and each border of the image.

    Example:
        >>> float(tf.reduce_sum(centered_square(32, margin=8)))
        256.0
    """
    place = np.arange(side)
    inside = (place >= margin) & (place < side - margin)
    return tf.constant((inside[:, None] & inside)[None, ..., None], tf.float32)


def random_regions(noise: tf.Tensor, side: int, fraction: float = 0.25) -> tf.Tensor:
    """Returns masks `[n, side, side, 1]` of irregular regions, where upsampled noise is lowest.

    These are the "random regions" of Pathak et al. (2016), sec. 3.3, as in the authors' code; the
    paper uses silhouettes of objects.

    Args:
        noise: Uniform noise, float32 `[n, cells, cells, 1]`. Fewer cells result in larger regions.
        side: Side length of the images in pixels.
        fraction: Fraction of each image that is masked, from 0 to below 1. The paper uses at most
            1/4.

    Example:
        >>> masks = random_regions(tf.random.stateless_uniform([9, 8, 8, 1], seed=[0, 1]), side=32)
        >>> float(tf.reduce_mean(masks))
        0.25
    """
    upsample = _upsampling(noise.shape[1], side)
    smooth = tf.einsum("yi,bijc,xj->byxc", upsample, noise, upsample)
    lowest = tf.sort(tf.reshape(smooth, [-1, side * side]))
    threshold = lowest[:, int(fraction * side * side), None, None, None]
    return tf.cast(smooth < threshold, tf.float32)


@functools.cache
def _upsampling(cells: int, side: int) -> np.ndarray:
    """Returns bicubic upsampling as a matrix `[side, cells]`, because XLA has no kernel for it."""
    with tf.init_scope():  # creates a constant, even while a step is traced
        rows = np.eye(cells, dtype="float32")[None, ..., None]
        return tf.image.resize(rows, [side, cells], "bicubic").numpy()[0, ..., 0]


# Steps, in rows and columns, along the four directions of a gradient, 45 degrees apart.
_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1))
# This structure connects adjacent positions within an image, but not in different images.
_TOUCHING = np.stack([np.zeros([3, 3]), np.ones([3, 3]), np.zeros([3, 3])])


@checked_types
def edge_maps(
    images: np.ndarray, sigma: float = 1.0, low: float = 0.05, high: float = 0.15
) -> np.ndarray:
    """Detects edges; returns uint8 `[n, height, width, 1]`, 255 at edges and 0 elsewhere.

    The method is from Canny: "A Computational Approach to Edge Detection", PAMI 1986. The luma is
    blurred. An edge consists of neighboring positions where the gradient is at least `low`, and is
    a maximum along its own direction. The edge is kept if the gradient reaches `high` at one or
    more of these positions.

    Args:
        images: uint8 `[n, height, width, 1 or 3]`; floats raise a ValueError.
        sigma: Standard deviation of the blur in pixels.
        low: Minimum gradient at every position of an edge, in units of the full range per pixel.
        high: Minimum gradient that at least one position of an edge must reach.

    Example:
        >>> pairs = Source((edge_maps(photos), photos))
    """
    check_levels("images", images, axes=4)
    gray = images[..., 0] / 255 if images.shape[-1] == 1 else luma(images / 255)[..., 0]
    blurred = ndimage.gaussian_filter(gray, (0, sigma, sigma))
    rows = ndimage.correlate1d(blurred, [-0.5, 0, 0.5], axis=1)
    columns = ndimage.correlate1d(blurred, [-0.5, 0, 0.5], axis=2)
    # Slopes are rounded, so that the slopes on either side of an edge are equal.
    slope = np.hypot(rows, columns).round(6)
    direction = np.round(np.arctan2(rows, columns) / (np.pi / 4)).astype(int) % 4
    padded = np.pad(slope, ((0, 0), (1, 1), (1, 1)))
    height, width = slope.shape[1:]

    def beside(row, column):
        return padded[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]

    kept = np.zeros(slope.shape, bool)
    for number, (row, column) in enumerate(_STEPS):
        largest = (slope >= beside(row, column)) & (slope > beside(-row, -column))
        kept |= largest & (direction == number)
    lines, _ = ndimage.label(kept & (slope >= low), _TOUCHING)
    steep = np.unique(lines[kept & (slope >= high)])
    edges = np.isin(lines, steep[steep > 0])
    return 255 * edges[..., None].astype(np.uint8)


@checked_types
def on_photographs(digits: np.ndarray, photographs: np.ndarray, seed: int = 0) -> np.ndarray:
    """Blends digits into photographs as absolute differences; returns uint8 `[n, H, W, 3]`.

    Ganin et al.: "Domain-Adversarial Training of Neural Networks", JMLR 2016, sec. 5.2.4, MNIST-M.
    A result is |photograph - digit| in each channel, with a different part of a photograph for each
    digit.

    Args:
        digits: Digits, uint8 `[n, H, W, 1]`.
        photographs: Parts of photographs with the size of the digits, uint8 `[m, H, W, 3]`, for
            example from `photograph_patches`.
        seed: Seed for the selection of parts.

    Raises:
        ValueError: If digits and photographs differ in size, or if an array is not uint8.

    Example: `on_photographs(digits, photograph_patches(28).train.arrays())`.
    """
    check_levels("digits", digits)
    check_levels("photographs", photographs)
    if digits.shape[1:3] != photographs.shape[1:3]:
        raise ValueError(
            f"The digits have size {digits.shape[1:3]}, but the photographs have size "
            f"{photographs.shape[1:3]}: expected the same size."
        )
    drawn = np.random.default_rng(seed).integers(len(photographs), size=len(digits))
    difference = photographs[drawn].astype("int16") - digits
    return np.abs(difference).astype("uint8")


_STEP = 8  # number of levels per color bin


@checked_types
def common_colors(images: np.ndarray, count: int, apart: float = 48.0) -> np.ndarray:
    """Finds the colors of label maps; returns uint8 `[count, channels]`, most common first.

    Maps that were compressed with JPEG contain many colors close to each real color, and mixed
    colors at borders. Colors are therefore selected in order of frequency, skipping any color that
    is close to a selected color.

    Args:
        images: Images, uint8 `[n, height, width, channels]`.
        count: Maximum number of colors. Fewer are returned if the images contain fewer.
        apart: Minimum distance between two of the returned colors, in levels.

    Example:
        >>> colors = common_colors(labels, 12)
    """
    pixels = images.reshape(-1, images.shape[-1])
    bins, place, sizes = np.unique(
        pixels // _STEP, axis=0, return_inverse=True, return_counts=True
    )
    sums = [np.bincount(place.ravel(), channel, minlength=len(bins)) for channel in pixels.T]
    means = np.stack(sums, axis=1) / sizes[:, None]
    found: list[np.ndarray] = []
    for color in means[np.argsort(-sizes, kind="stable")]:
        if all(np.linalg.norm(color - other) >= apart for other in found):
            found.append(color)
        if len(found) == count:
            break
    return np.round(found).astype(np.uint8)


@checked_types
def nearest_colors(images: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Returns the classes of the pixels in label maps, int64 `[n, height, width]`.

    Args:
        images: Images, uint8 `[n, height, width, channels]`.
        colors: Colors, uint8 `[classes, channels]`; the nearest color determines a pixel's class.

    Example:
        >>> nearest_colors(np.array([[[[0, 0, 9]]]], "uint8"), [[255, 0, 0], [0, 0, 0]])
        array([[[1]]])
    """
    if colors.ndim != 2 or colors.shape[1] != images.shape[-1]:
        raise ValueError(
            f"colors has shape {colors.shape}: expected [classes, {images.shape[-1]}]."
        )
    pixels = images.astype(np.float32)
    distances = [
        ((pixels - color) ** 2).sum(axis=-1) for color in np.asarray(colors, np.float32)
    ]
    return np.argmin(distances, axis=0)
