"""Image metrics that do not require trained networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.files.images import LUMA_WEIGHTS, luma
from keras_gen.metrics.metric_arguments import as_images

# Cb and Cr are blue and red minus the luma, scaled to half the range of levels (as in JPEG).
BLUE_AND_RED = [2, 0]
CHROMA_SCALES = 0.5 / (1 - LUMA_WEIGHTS[BLUE_AND_RED])
NEIGHBORS = 4  # number of frequencies on either side with which a peak is compared
MARGIN = 32  # number of pixels reflected around an image
BORDER = 4  # distance from the border, in pixels, within which changes are measured


@checked_types
def chroma_grain(images: np.ndarray) -> float:
    """Returns the root mean square, in 8-bit levels, of the fine color contrast in images.

    Fine color contrast is the part of Cb and Cr that a Gaussian blur with a standard deviation of
    one pixel removes. Photographs and paintings have little chroma grain, because the eye resolves
    color coarsely. Images from a network that generates each channel independently have much more
    chroma grain.

    Args:
        images: Images, uint8 `[n, H, W, 3]`.

    Example:
        >>> chroma_grain(model.translate(photos)) / chroma_grain(photos)  # 1 is right
    """
    images = as_images(images, "images", channels=(3,))
    chroma = (images[..., BLUE_AND_RED] - luma(images)) * CHROMA_SCALES
    smooth = ndimage.gaussian_filter(chroma, (0, 1, 1, 0))
    return float(np.sqrt(np.square(chroma - smooth).mean(dtype=np.float64)))


@checked_types
def mesh(images: np.ndarray, period: int = 4) -> float:
    """Returns the strength of a pattern that repeats every few pixels; about 1 without a pattern.

    Layers with stride 2 leave patterns with periods of 2, 4, and so on. The channels are averaged.
    The power at the given period is then computed along rows, along columns, and along both
    diagonals, and is divided by the median power of the surrounding frequencies. The highest of the
    four ratios is returned.

    Args:
        images: Images, uint8 `[n, H, W, C]`, with sides that are multiples of `period`.
        period: Period of the pattern in pixels.

    Raises:
        ValueError: If a side is not a multiple of the period.

    Example:
        >>> mesh(model.translate(photos)) / mesh(photos)
    """
    images = as_images(images, "images")
    height, width = images.shape[1:3]
    if period < 2 or height % period or width % period:
        raise ValueError(
            f"period is {period} for images of {height}x{width} pixels: expected a period of "
            "at least 2 that divides both sides."
        )
    gray = images.mean(axis=-1, dtype=np.float32)
    # A window is applied, because the jump between opposite borders contains all frequencies.
    window = np.outer(np.hanning(height), np.hanning(width))
    gray = (gray - gray.mean(axis=(1, 2), keepdims=True)) * window
    power = np.square(np.abs(np.fft.fft2(gray))).mean(axis=0)
    row = height // period
    column = width // period
    places = ((0, column), (row, 0), (row, column), (row, -column % width))
    return max(_standing_out(power, *place) for place in places)


@checked_types
def border_change(
    translate: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    margin: int = MARGIN,
) -> float:
    """Returns the mean change of border pixels, in 8-bit levels, when images are extended.

    Args:
        translate: Function that maps uint8 images `[n, H, W, C]` to images of the same size.
        images: Images to extend by reflection, uint8 `[n, H, W, C]`.
        margin: Number of pixels added on every side, at least 1.

    Raises:
        ValueError: If `margin` is below 1, or if `translate` changes the size of images.

    Example:
        >>> border_change(lambda x: model.translate(x, "photo_to_monet"), photos)
    """
    images = as_images(images, "images")
    margin = checked_integer("margin", margin, minimum=1)
    around = [(0, 0), (margin, margin), (margin, margin), (0, 0)]
    larger = np.pad(images, around, mode="reflect")
    continued, plain = translate(larger), translate(images)
    for given, made in ((larger, continued), (images, plain)):
        if np.shape(made) != given.shape:
            raise ValueError(
                f"translate returned shape {np.shape(made)} for images of shape {given.shape}: "
                "expected the same shape."
            )
    continued = continued[:, margin:-margin, margin:-margin]
    change = np.abs(continued.astype(np.float32) - plain)
    inner = change[:, BORDER:-BORDER, BORDER:-BORDER]
    total = change.sum(dtype=np.float64) - inner.sum(dtype=np.float64)
    return float(total / (change.size - inner.size))


@checked_types
def lower_edge_ink(images: np.ndarray, rows: int = 2) -> float:
    """Returns the fraction of images with ink in the lowest rows, such as digits that are cut off.

    A model that generates images from top to bottom, and that sees only a few rows above the
    current pixel, does not know when to end a digit.

    Args:
        images: Images on a black background, uint8 `[n, H, W, C]`. Pixels above half of the range
            count as ink.
        rows: Number of rows to check, at least 1.

    Example:
        >>> lower_edge_ink(model.sample(100)), lower_edge_ink(digits)
    """
    images = as_images(images, "images")
    checked_integer("rows", rows, minimum=1, maximum=images.shape[1])
    return float((images[:, -rows:] > 127).any(axis=(1, 2, 3)).mean())


def _standing_out(power, row, column):
    """Returns the power of a frequency relative to the surrounding frequencies."""
    steps = np.arange(-NEIGHBORS, NEIGHBORS + 1)
    around = power[np.ix_((row + steps) % len(power), (column + steps) % power.shape[1])]
    # The frequencies next to the peak, into which the window spreads it, are left out.
    far = np.maximum(*np.abs(np.meshgrid(steps, steps))) > 1
    level = np.median(around[far])
    if not level and not power[row, column]:
        return 1.0  # images of a single color have no pattern
    return float(power[row, column] / level)


ORIENTATIONS = 8
CELLS = 4  # number of cells along each side of an image
BLOCK = 2  # number of cells along each side of a block, in which histograms are normalized


@checked_types
def gradient_histograms(images: np.ndarray) -> np.ndarray:
    """Returns histograms of gradient directions in 4x4 cells of each image.

    The histograms of Dalal, Triggs: "Histograms of Oriented Gradients for Human Detection", CVPR
    2005, are computed with scikit-image. These features are not learned, so samples cannot be
    optimized for them. The features represent edges, but not color or brightness.

    Args:
        images: Images, uint8 `[n, H, W, C]`, with sides of at least 8 pixels.

    Returns:
        Features, float32 `[n, 288]`. For an image without flat areas, the mean square of the
        features is 1, like the mean square of features from `keras_gen.metrics.trained_extractor`.

    Example: `kernel_distance(gradient_histograms(real), gradient_histograms(samples))`.
    """
    from skimage.feature import hog

    images = as_images(images)
    height, width = images.shape[1:3]
    if min(height, width) < 2 * CELLS:
        raise ValueError(
            f"gradient_histograms got images of {height}x{width} pixels: expected sides of at "
            f"least {2 * CELLS}."
        )
    options = dict(
        orientations=ORIENTATIONS,
        pixels_per_cell=(height // CELLS, width // CELLS),
        cells_per_block=(BLOCK, BLOCK),
        channel_axis=-1,
    )
    # The squares of a block's histograms sum to 1.
    scale = (ORIENTATIONS * BLOCK**2) ** 0.5
    # Incomplete cells at the sides are cropped.
    whole = images[:, : height // CELLS * CELLS, : width // CELLS * CELLS]
    return scale * np.stack([hog(image, **options) for image in whole]).astype(np.float32)
