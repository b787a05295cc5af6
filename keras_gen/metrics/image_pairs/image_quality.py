"""How close images are to their originals, as in papers on super-resolution and translation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.files.images import luma
from keras_gen.metrics.metric_arguments import as_images

BATCH = 64  # images measured at once
SSIM_WINDOW = 11
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # finest first, Wang et al. (2003)


@checked_types
def psnr(
    images: np.ndarray, originals: np.ndarray, shave: int = 0, of: str = "luma"
) -> np.ndarray:
    """Peak signal-to-noise ratio in decibels, float32 `[n]`; infinite for equal images.

    The luma is that of the studio range, from 16 for black to 235 for white (MATLAB's rgb2ycbcr,
    not rounded), and the peak is 255. Gray images are taken as the luma.

    Args:
        images: uint8 `[n, H, W, 1 or 3]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side first; in papers on super-resolution, the scale factor.
        of: "luma", as in papers on super-resolution, or "rgb" for all values of red, green and
            blue, as in papers on codes. Gray images have one PSNR.

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
    """Structural similarity of the luma, float32 `[n]`, at most 1, which equal images reach.

    Wang et al. (2004), section III-B. The window is normal, of 11x11 pixels with standard deviation
    1.5, inside the image, with K1 = 0.01, K2 = 0.03 and the range 255. The luma is that of `psnr`,
    in the studio range; in the full range, the similarity differs a little. Colors of one luma
    count as equal.

    Args:
        images: uint8 `[n, H, W, 1 or 3]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side first; at least 11 pixels must be left.

    Example: `ssim(upscaled, originals, shave=4).mean()`.
    """

    def measure(originals, images):
        lumas = _studio_luma(originals), _studio_luma(images)
        return tf.image.ssim(*lumas, max_val=255.0, filter_size=SSIM_WINDOW)

    return _in_batches(measure, images, originals, shave, least=SSIM_WINDOW)


@checked_types
def ms_ssim(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Structural similarity of the luma over five scales: float32 `[n]`, 0 to 1 (equal images).

    Wang, Simoncelli and Bovik (2003), equation 7, with the weights of section 3.2: contrast and
    structure at every scale, each half the one before, and luminance at the last. Window, constants
    and luma are those of `ssim`.

    Deviation: images with a side below 161 pixels are too small for five scales with a window of 11
    pixels. They get as many scales as fit, with those scales' weights divided by their sum. Compare
    only values of one number of scales.

    Args:
        images: uint8 `[n, H, W, 1 or 3]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side first; at least 11 pixels must be left.

    Example: `ms_ssim(translated, photos).mean()`.
    """

    def measure(originals, images):
        weights = np.float32(SCALE_WEIGHTS)
        # As many scales as leave the last, of ceil(side / 2^(scales - 1)) pixels, a window.
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
    """Mean absolute difference over pixels and channels in 8-bit levels, float32 `[n]`, 0..255.

    Args:
        images: uint8 `[n, H, W, 1 or 3]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side first.

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
    """Returns `measure` of all pairs, shaved to no less than `least` pixels a side."""
    images = as_images(images)
    originals = as_images(originals, "originals")
    if originals.shape != images.shape:
        raise ValueError(
            f"Found images of shape {images.shape} and originals of {originals.shape}: "
            "pass images of one shape."
        )
    height, width = images.shape[1:3]
    if shave < 0 or min(height, width) - 2 * shave < least:
        raise ValueError(
            f"Found shave={shave} for images of {height}x{width} pixels: at least "
            f"{least} pixels must be left either way."
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
