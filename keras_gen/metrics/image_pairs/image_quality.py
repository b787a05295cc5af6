"""How close images are to their originals, as super-resolution and translation papers measure."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_gen.media.images import luma
from keras_gen.metrics.checks import as_images

SSIM_WINDOW = 11
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # finest first, Wang et al. (2003)


def psnr(images: np.ndarray, originals: np.ndarray, shave: int = 0, of: str = "luma") -> np.ndarray:
    """Peak signal-to-noise ratio, by default of the luma, as super-resolution papers measure it.

    The luma is that of the studio range, from 16 for black to 235 for white (MATLAB's rgb2ycbcr,
    not rounded), and the peak is 255. Gray images are taken for the luma.

    Args:
        images: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side before: the scale factor, by those papers' rule.
        of: "luma"; or "rgb": of all values of red, green and blue, as papers on codes measure it.
            Gray images have one PSNR.

    Returns:
        float32 `[n]`, decibels; infinite for equal images.

    Raises:
        ValueError: If the arrays are not images of one shape, nothing is left of them, or `of` is
            unknown.

    Example:
        >>> psnr(upscaled, originals, shave=4).mean()
    """
    if of not in ("luma", "rgb"):
        raise ValueError(f"of is {of!r}: expected 'luma' or 'rgb'.")
    return _in_batches(_psnr if of == "luma" else _rgb_psnr, images, originals, shave)


def ssim(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Structural similarity of the luma: Wang et al. (2004), section III-B.

    The window is a normal one of 11x11 pixels with standard deviation 1.5, inside the image, with
    K1 = 0.01, K2 = 0.03 and the range 255. The luma is that of `psnr`, in the studio range: of the
    full range, the similarity differs a little. Colors of one luma count as equal.

    Args:
        images: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side before.

    Returns:
        float32 `[n]`, at most 1, which is reached by equal images.

    Raises:
        ValueError: If the arrays are not images of one shape, or less than 11 pixels are left.

    Example:
        >>> ssim(upscaled, originals, shave=4).mean()
    """
    return _in_batches(_ssim, images, originals, shave)


def ms_ssim(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Structural similarity of the luma over five scales: Wang, Simoncelli and Bovik (2003).

    Equation 7, with the weights of their section 3.2: contrast and structure at every scale, each
    half the one before, and luminance at the last. Window, constants and luma are those of `ssim`.

    Deviation: images of less than 161 pixels either way are too small for five scales, whose last
    has to hold a window of 11 pixels. They get as many as fit, with those scales' weights divided
    by their sum. Compare values of one number of scales only.

    Args:
        images: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side before.

    Returns:
        float32 `[n]`, from 0 to 1, which is reached by equal images.

    Raises:
        ValueError: If the arrays are not images of one shape, or less than 11 pixels are left.

    Example:
        >>> ms_ssim(translated, photos).mean()
    """
    return _in_batches(_ms_ssim, images, originals, shave)


def l1_error(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Mean absolute difference over pixels and channels, in 8-bit levels.

    Args:
        images: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, 0..255.
        originals: uint8, same shape and order.
        shave: Pixels cut off at every side before.

    Returns:
        float32 `[n]`, 0..255.

    Raises:
        ValueError: If the arrays are not images of one shape, or nothing is left of them.

    Example:
        >>> l1_error(np.zeros([1, 8, 8, 3], "uint8"), np.full([1, 8, 8, 3], 3, "uint8"))
        array([3.], dtype=float32)
    """
    return _in_batches(_l1_error, images, originals, shave)


class _ImageQuality(keras.metrics.MeanMetricWrapper):
    """Mean of one of the functions below over the pairs of images of all replicas."""

    def __init__(self, function, shave, name):
        super().__init__(function, name=name, shave=shave)
        self.shave = shave

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        return {"shave": self.shave, "name": self.name}


@keras.saving.register_keras_serializable("keras_gen")
class PSNR(_ImageQuality):
    """Mean over images of `psnr`; `update_state(originals, images)` takes uint8 images.

    Args:
        shave: Pixels cut off at every side before.
        name: Name of the metric.

    Example:
        >>> metric = PSNR(shave=4)
        >>> metric.update_state(originals, upscaled)
    """

    def __init__(self, shave: int = 0, name: str = "psnr"):
        super().__init__(_psnr, shave, name)


@keras.saving.register_keras_serializable("keras_gen")
class SSIM(_ImageQuality):
    """Mean over images of `ssim`, with the arguments of `PSNR`."""

    def __init__(self, shave: int = 0, name: str = "ssim"):
        super().__init__(_ssim, shave, name)


@keras.saving.register_keras_serializable("keras_gen")
class L1Error(_ImageQuality):
    """Mean over images of `l1_error`, with the arguments of `PSNR`."""

    def __init__(self, shave: int = 0, name: str = "l1_error"):
        super().__init__(_l1_error, shave, name)


def _in_batches(
    function: Callable, images: np.ndarray, originals: np.ndarray, shave: int, batch_size: int = 64
) -> np.ndarray:
    images, originals = as_images(images), as_images(originals, "originals")
    parts = [
        function(originals[i : i + batch_size], images[i : i + batch_size], shave)
        for i in range(0, max(len(images), len(originals)), batch_size)
    ]
    return np.concatenate(parts)


def _psnr(originals, images, shave):
    originals, images = _pair(originals, images, shave, least=1)
    return tf.image.psnr(_studio_luma(originals), _studio_luma(images), max_val=255.0)


def _rgb_psnr(originals, images, shave):
    originals, images = _pair(originals, images, shave, least=1)
    pair = (tf.cast(values, tf.float32) for values in (originals, images))
    return tf.image.psnr(*pair, max_val=255.0)


def _ssim(originals, images, shave):
    originals, images = _pair(originals, images, shave, least=SSIM_WINDOW)
    return tf.image.ssim(
        _studio_luma(originals), _studio_luma(images), max_val=255.0, filter_size=SSIM_WINDOW
    )


def _ms_ssim(originals, images, shave):
    originals, images = _pair(originals, images, shave, least=SSIM_WINDOW)
    weights, side = np.float32(SCALE_WEIGHTS), min(images.shape[1:3])
    # As many as leave the last, of ceil(side / 2^(scales - 1)) pixels, a window.
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


def _l1_error(originals, images, shave):
    originals, images = _pair(originals, images, shave, least=1)
    difference = tf.cast(images, tf.float32) - tf.cast(originals, tf.float32)
    return tf.reduce_mean(tf.abs(difference), axis=[1, 2, 3])


def _studio_luma(images: tf.Tensor) -> tf.Tensor:
    images = tf.cast(images, tf.float32)
    return images if images.shape[-1] == 1 else 16 + 219 / 255 * luma(images)


def _pair(originals, images, shave, least):
    originals, images = tf.convert_to_tensor(originals), tf.convert_to_tensor(images)
    if {originals.dtype, images.dtype} != {tf.uint8} or originals.shape != images.shape:
        raise ValueError(
            f"Found images {images.dtype.name} {images.shape} and originals "
            f"{originals.dtype.name} {originals.shape}: pass uint8 images of one shape."
        )
    height, width = images.shape[1:3]
    if shave < 0 or min(height, width) - 2 * shave < least:
        raise ValueError(
            f"Found shave={shave} for images of {height}x{width} pixels: at least {least} pixels "
            "must be left either way."
        )
    inside = (slice(None), slice(shave, height - shave), slice(shave, width - shave))
    return originals[inside], images[inside]
