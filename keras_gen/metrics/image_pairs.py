"""Comparisons of images with originals: PSNR, SSIM, and the errors of reconstructed images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from scipy import ndimage

from keras_gen.checked_arguments import checked_types
from keras_gen.core.kinds_of_data import missing_pixels as missing_of
from keras_gen.data.transforms.images import shrunk
from keras_gen.files.images import luma
from keras_gen.metrics.metric_arguments import as_images, as_numbers
from keras_gen.metrics.samples.wasserstein import mean_patch_distance

BATCH = 64  # number of images measured at once
SSIM_WINDOW = 11
# Weights of the scales from Wang et al. (2003), finest scale first.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@checked_types
def psnr(
    images: np.ndarray, originals: np.ndarray, shave: int = 0, of: str = "luma"
) -> np.ndarray:
    """Returns the peak signal-to-noise ratio in dB, float32 `[n]`; infinite for equal images.

    As in MATLAB's rgb2ycbcr, the luma has the studio range, from 16 for black to 235 for white, but
    here, the luma is not rounded. The peak is 255. Gray images are treated as luma.

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`.
        originals: Original images, uint8, in the shape and order of the first argument.
        shave: Number of pixels to crop from every side before the comparison. In papers on
            super-resolution, this number is the scale factor.
        of: Values to compare: "luma", as in papers on super-resolution, or "rgb" for all red,
            green, and blue values, as in papers on compression. For gray images, the two choices
            are equivalent.

    Example: `psnr(upscaled, originals, shave=4).mean()`.
    """
    if of not in ("luma", "rgb"):
        raise ValueError(f"of is {of!r}: expected 'luma' or 'rgb'.")

    def measure(originals, images):
        if of == "luma":
            originals = _studio_luma(originals)
            images = _studio_luma(images)
        originals = tf.cast(originals, tf.float32)
        images = tf.cast(images, tf.float32)
        return tf.image.psnr(originals, images, max_val=255.0)

    return _in_batches(measure, images, originals, shave)


@checked_types
def ssim(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Returns the structural similarity (SSIM) of the luma, float32 `[n]`; 1 for equal images.

    See Wang et al. (2004), sec. III-B. The window is a Gaussian with 11x11 pixels and standard
    deviation 1.5, and remains inside the image; K1 = 0.01, K2 = 0.03, and the range L is 255. As in
    `psnr`, the luma has the studio range; with the full range, the similarity would differ
    slightly. Colors with the same luma are treated as equal.

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`.
        originals: Original images, uint8, in the shape and order of the first argument.
        shave: Number of pixels to crop from every side first; at least 11 pixels must remain.

    Example: `ssim(upscaled, originals, shave=4).mean()`.
    """

    def measure(originals, images):
        lumas = _studio_luma(originals), _studio_luma(images)
        return tf.image.ssim(*lumas, max_val=255.0, filter_size=SSIM_WINDOW)

    return _in_batches(measure, images, originals, shave, least=SSIM_WINDOW)


@checked_types
def ms_ssim(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Returns the multi-scale structural similarity of the luma, float32 `[n]` in [0, 1].

    This is Wang, Simoncelli, Bovik (2003), eq. (7), with the weights from sec. 3.2. The similarity
    combines contrast and structure at five scales, each half the size of the previous one, with
    luminance at the last scale. The result is 1 for equal images. For the window, the constants,
    and the luma, see `ssim`.

    Deviation: images with a side below 161 pixels are too small for five scales with a window of 11
    pixels. Such images are measured at as many scales as possible, and the weights of these scales
    are divided by the sum of the weights. Compare only values computed with the same number of
    scales.

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`.
        originals: Original images, uint8, in the shape and order of the first argument.
        shave: Number of pixels to crop from every side first; at least 11 pixels must remain.

    Example: `ms_ssim(translated, photos).mean()`.
    """

    def measure(originals, images):
        weights = np.float32(SCALE_WEIGHTS)
        # The number of scales is the maximum for which the last scale, with ceil(side / 2^(scales -
        # 1)) pixels, still contains a window.
        side = min(images.shape[1:3])
        scales = min(len(weights), ((side - 1) // (SSIM_WINDOW - 1)).bit_length())
        if scales < len(weights):
            weights = weights[:scales] / weights[:scales].sum()
        return tf.image.ssim_multiscale(
            _studio_luma(originals),
            _studio_luma(images),
            max_val=255.0,
            power_factors=weights,
            filter_size=SSIM_WINDOW,
        )

    return _in_batches(measure, images, originals, shave, least=SSIM_WINDOW)


@checked_types
def l1_error(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Returns the mean absolute difference in 8-bit levels, float32 `[n]` in [0, 255].

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`.
        originals: Original images, uint8, in the shape and order of the first argument.
        shave: Number of pixels to crop from every side first.

    Example:
        >>> l1_error(np.zeros([1, 8, 8, 3], "uint8"), np.full([1, 8, 8, 3], 3, "uint8"))
        array([3.], dtype=float32)
    """

    def measure(originals, images):
        difference = tf.cast(images, tf.float32) - tf.cast(originals, tf.float32)
        return tf.reduce_mean(tf.abs(difference), axis=[1, 2, 3])

    return _in_batches(measure, images, originals, shave)


def _in_batches(
    measure: Callable, images: np.ndarray, originals: np.ndarray, shave: int, least: int = 1
) -> np.ndarray:
    """Applies `measure` to all pairs, cropped to sides of at least `least` pixels."""
    images = as_images(images)
    originals = as_images(originals, "originals")
    if originals.shape != images.shape:
        raise ValueError(
            f"images has shape {images.shape}, but originals has shape {originals.shape}: "
            "expected the same shape."
        )
    height, width = images.shape[1:3]
    if shave < 0 or min(height, width) - 2 * shave < least:
        raise ValueError(
            f"shave is {shave} for images of {height}x{width} pixels: expected at least {least} "
            "pixels to remain along each side."
        )
    inside = (slice(None), slice(shave, height - shave), slice(shave, width - shave))
    images = images[inside]
    originals = originals[inside]
    parts = [
        measure(tf.constant(originals[i : i + BATCH]), tf.constant(images[i : i + BATCH]))
        for i in range(0, len(images), BATCH)
    ]
    return np.concatenate(parts)


def _studio_luma(images: tf.Tensor) -> tf.Tensor:
    images = tf.cast(images, tf.float32)
    return images if images.shape[-1] == 1 else 16 + 219 / 255 * luma(images)


BLOCK = 1000  # number of images kept as floats at once


@checked_types
def squared_error(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Returns the squared error summed over pixels (in [0, 1]) and channels, float32 `[n]`.

    Papers on autoencoders report this error (Hinton & Salakhutdinov 2006). Among linear codes,
    principal components have the lowest error.

    Args:
        images: Images `[n, ...]`: uint8, or floats on a scale where 1.0 is level 255. Floats may be
            outside [0, 1], as in linear reconstructions.
        originals: Original images, in the shape and order of `images`: uint8, or floats on the same
            scale.

    Example:
        >>> squared_error(np.ones([1, 28, 28, 1], "float32"), np.zeros([1, 28, 28, 1], "uint8"))
        array([784.], dtype=float32)
    """
    images, originals = as_numbers(images, "images"), as_numbers(originals, "originals")
    kinds = [array.dtype == np.uint8 or array.dtype.kind == "f" for array in (images, originals)]
    if images.shape != originals.shape or images.ndim < 2 or not all(kinds):
        raise ValueError(
            f"images is {images.dtype} {images.shape}, but originals is {originals.dtype} "
            f"{originals.shape}: expected uint8 or floats [n, ...] of the same shape."
        )
    for name, array in (("images", images), ("originals", originals)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} contains NaN or infinity: expected finite numbers.")
    errors = np.zeros(len(images), np.float32)
    for start in range(0, len(images), BLOCK):
        part = slice(start, start + BLOCK)
        difference = _in_unit(images[part]) - _in_unit(originals[part])
        errors[part] = np.square(difference).reshape(len(difference), -1).sum(axis=1)
    return errors


def _in_unit(images):
    if images.dtype == np.uint8:
        return images.astype(np.float32) / 255
    return images.astype(np.float32)


@checked_types
def hole_psnr(
    filled: np.ndarray, originals: np.ndarray, masks: np.ndarray, of: str = "luma"
) -> float:
    """Returns the missing pixels' PSNR in dB, based on the mean squared error of all images.

    If even one image were perfect, the mean of the images' PSNRs would be infinite. The peak is
    255.

    Args:
        filled: Completed images, uint8 `[n, H, W, 1 or 3]`, equal to `originals` where nothing is
            missing.
        originals: Original images, uint8, with the shape and order of `filled`.
        masks: Masks `[n, H, W, 1]`, nonzero where a pixel was missing.
        of: Values to compare, "luma" or "rgb"; see `psnr`. With "luma", color errors do not count,
            and because of the studio range, all other errors are a seventh smaller.

    Raises:
        ValueError: If the arrays do not match, if nothing is missing, or if known pixels differ.

    Example: `hole_psnr(model.inpaint(images, masks), images, masks)`.
    """
    missing = missing_pixels(originals, masks)
    if np.shape(filled) == np.shape(originals) and (~missing & (filled != originals)).any():
        raise ValueError(
            "filled differs from originals where nothing is missing: restore the known pixels."
        )
    # Known pixels add nothing to the squared errors, so the mean is computed over missing pixels
    # only.
    errors = 10 ** (-psnr(filled, originals, of=of).astype(np.float64) / 10)
    with np.errstate(divide="ignore"):
        return float(-10 * np.log10(errors.mean() / missing.mean()))


def missing_pixels(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns a bool mask of missing pixels, `[n, H, W, 1]`.

    Args:
        images: Images `[n, H, W, channels]`.
        masks: Masks `[n, H, W, 1]`, nonzero where a pixel is missing.

    Raises:
        TypeError: If masks are not numbers or booleans.
        ValueError: If the arrays do not match, if nothing is missing, or if masks contain NaN.
    """
    missing = missing_of(masks)
    if missing.shape != (*np.shape(images)[:3], 1) or not missing.any():
        raise ValueError(
            f"masks has shape {list(missing.shape)} and {missing.sum()} nonzero values: expected "
            f"{[*np.shape(images)[:3], 1]}, with at least one nonzero value."
        )
    return missing


TILE = 64  # side of the squares whose patches are compared


@checked_types
def enlargement_report(
    enlarge: Callable[[np.ndarray], np.ndarray], images: Sequence[np.ndarray], factor: int
) -> dict[str, float]:
    """Downsamples images, enlarges them, and compares the results with the originals.

    Args:
        enlarge: Function that maps uint8 images `[1, height, width, 3]` to images whose sides are
            `factor` times as long.
        images: Original images, each uint8 `[height, width, 3]`, with sides that are multiples of
            the factor and at least 64.
        factor: Factor by which the sides are enlarged.

    Returns:
        A dict of metrics. "psnr" (in dB) and "ssim" are means over the images, computed, as in
        papers on super-resolution, on the luma without a border of `factor` pixels. "patches" is
        the patch distance between 64-pixel squares cut from the images (see `pyramid_distances`),
        which is large if the results are too smooth. "detail" is the root mean square of the fine
        detail in the luma of these squares, divided by its value for the originals. Fine detail is
        the part that a Gaussian blur with a standard deviation of 1 pixel removes. The ideal value
        is 1, and lower values mean that results are too smooth.

    Example: `enlargement_report(model.translate, benchmark_images(4)["Set5"], 4)["psnr"]`.
    """
    found: dict[str, list] = {"psnr": [], "ssim": []}
    squares = []
    originals = []
    for image in images:
        original = image[None]
        enlarged = enlarge(shrunk(original, factor).numpy())
        found["psnr"].append(psnr(enlarged, original, factor))
        found["ssim"].append(ssim(enlarged, original, factor))
        squares.append(_squares(enlarged[0]))
        originals.append(_squares(image))
    report = {name: float(np.mean(values)) for name, values in found.items()}
    cut = np.concatenate(squares)
    expected = np.concatenate(originals)
    report["patches"] = mean_patch_distance(cut, expected)
    report["detail"] = _fine_detail(cut) / _fine_detail(expected)
    return report


def _fine_detail(squares: np.ndarray) -> float:
    gray = luma(squares)[..., 0]
    smooth = ndimage.gaussian_filter(gray, (0, 1, 1))
    return float(np.sqrt(np.square(gray - smooth).mean(dtype=np.float64)))


def _squares(image: np.ndarray) -> np.ndarray:
    """Returns an image's adjacent squares; remaining pixels at the right and bottom are omitted."""
    height, width, channels = image.shape
    rows = height // TILE
    columns = width // TILE
    cut = image[: rows * TILE, : columns * TILE]
    cut = cut.reshape(rows, TILE, columns, TILE, channels)
    return cut.swapaxes(1, 2).reshape(-1, TILE, TILE, channels)
