"""How close images are to their originals, as super-resolution and translation papers measure."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_gen.metrics.checks import as_images

# ITU-R BT.601: Y from R, G, B in 0..255; black is 16 and white 235.
LUMA = (65.481 / 255, 128.553 / 255, 24.966 / 255)
SSIM_WINDOW = 11


def luma(images: tf.Tensor) -> tf.Tensor:
    """Return the luma Y of ITU-R BT.601 (MATLAB's rgb2ycbcr, not rounded).

    Args:
        images: uint8 `[..., 3]`, RGB, or `[..., 1]`, gray, which is taken for Y.

    Returns:
        float32 `[..., 1]`: for RGB from 16 for black to 235 for white.

    Example:
        >>> luma(np.full([1, 1, 1, 3], 255, "uint8"))  # 235
    """
    images = tf.cast(images, tf.float32)
    if images.shape[-1] == 1:
        return images
    return 16.0 + tf.reduce_sum(images * tf.constant(LUMA), axis=-1, keepdims=True)


def psnr(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Peak signal-to-noise ratio of the luma, with the peak 255, as super-resolution papers do.

    Args:
        images: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, 0..255.
        originals: uint8, same shape and order.
        shave: pixels cut off at every side before: the scale factor, by those papers' rule.

    Returns:
        float32 `[n]`, decibels; infinite for equal images.

    Raises:
        ValueError: the arrays are not images of one shape, or nothing is left of them.

    Example:
        >>> psnr(upscaled, originals, shave=4).mean()
    """
    return _in_batches(_psnr, images, originals, shave)


def ssim(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Structural similarity of the luma: Wang et al. (2004), section III-B.

    A normal window of 11x11 pixels with standard deviation 1.5, K1 = 0.01, K2 = 0.03, range 255;
    windows lie inside the image.

    Args:
        images: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, 0..255.
        originals: uint8, same shape and order.
        shave: pixels cut off at every side before: the scale factor, by those papers' rule.

    Returns:
        float32 `[n]`, at most 1, which is reached by equal images.

    Raises:
        ValueError: the arrays are not images of one shape, or less than 11 pixels are left.

    Example:
        >>> ssim(upscaled, originals, shave=4).mean()
    """
    return _in_batches(_ssim, images, originals, shave)


def l1_error(images: np.ndarray, originals: np.ndarray, shave: int = 0) -> np.ndarray:
    """Mean absolute difference over pixels and channels, in 8-bit levels.

    Args:
        images: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, 0..255.
        originals: uint8, same shape and order.
        shave: pixels cut off at every side before.

    Returns:
        float32 `[n]`, 0..255.

    Raises:
        ValueError: the arrays are not images of one shape, or nothing is left of them.

    Example:
        >>> l1_error(np.zeros([1, 8, 8, 3], "uint8"), np.full([1, 8, 8, 3], 3, "uint8"))
        array([3.], dtype=float32)
    """
    return _in_batches(_l1_error, images, originals, shave)


def squared_error(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Squared error of whole images, summed over pixels and channels, with pixels in [0, 1].

    The error that papers on autoencoders report of a digit (Hinton & Salakhutdinov 2006), and that
    principal components make least of among linear codes.

    Args:
        images: `[n, ...]`: uint8 0..255, or floats in units of 255 levels, which may lie outside
            [0, 1] as linear reconstructions do.
        originals: The same, of one shape and order, in either dtype.

    Returns:
        float32 `[n]`, from 0; at most the number of values of an image for images in [0, 1].

    Raises:
        ValueError: the shapes differ, or a dtype is neither.

    Example:
        >>> squared_error(np.ones([1, 28, 28, 1], "float32"), np.zeros([1, 28, 28, 1], "uint8"))
        array([784.], dtype=float32)
    """
    images, originals = np.asarray(images), np.asarray(originals)
    kinds = [array.dtype == np.uint8 or array.dtype.kind == "f" for array in (images, originals)]
    if images.shape != originals.shape or images.ndim < 2 or not all(kinds):
        raise ValueError(
            f"Found images {images.dtype} {images.shape} and originals {originals.dtype} "
            f"{originals.shape}: pass uint8 or floats [n, ...] of one shape."
        )
    errors = np.zeros(len(images), np.float32)
    for start in range(0, len(images), 1000):  # of a large set, floats of the whole would be large
        part = slice(start, start + 1000)
        difference = _in_unit(images[part]) - _in_unit(originals[part])
        errors[part] = np.square(difference).reshape(len(difference), -1).sum(axis=1)
    return errors


def _in_unit(images):
    if images.dtype == np.uint8:
        return images.astype(np.float32) / 255
    return images.astype(np.float32)


def color_statistics(images: np.ndarray) -> dict[str, float]:
    """Summarize the colors of a set of images, to see a cast or a loss of color.

    Args:
        images: uint8 `[n, H, W, 3]`, RGB, 0..255.

    Returns:
        A dict of floats in 8-bit levels: "red_mean", "red_std", and so for "green" and "blue",
        over all pixels of all images; "colorfulness", the mean over images of Hasler &
        Süsstrunk (2003), their M^(3): 0 for gray, 109 for "extremely colorful" images.

    Raises:
        ValueError: the array is not such images.

    Example:
        >>> color_statistics(photos)["colorfulness"]
    """
    images = as_images(images)
    if images.shape[-1] != 3:
        raise ValueError(f"color_statistics found shape {images.shape}: pass RGB, 3 channels.")
    report = {}
    for channel, name in enumerate(("red", "green", "blue")):
        values = images[..., channel]
        report[f"{name}_mean"] = float(values.mean(dtype=np.float64))
        report[f"{name}_std"] = float(values.std(dtype=np.float64))
    report["colorfulness"] = float(np.mean([_colorfulness(image) for image in images]))
    return report


def _colorfulness(image: np.ndarray) -> float:
    red, green, blue = np.moveaxis(image.astype(np.float64), -1, 0)
    opponents = red - green, (red + green) / 2 - blue
    spread = np.hypot(*(x.std() for x in opponents))
    return float(spread + 0.3 * np.hypot(*(x.mean() for x in opponents)))


class _ImageQuality(keras.metrics.MeanMetricWrapper):
    """Mean of one of the functions below over the pairs of images of all replicas."""

    def __init__(self, function, shave, name):
        super().__init__(function, name=name, shave=shave)
        self.shave = shave

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return {"shave": self.shave, "name": self.name}


@keras.saving.register_keras_serializable("keras_gen")
class PSNR(_ImageQuality):
    """Mean over images of `psnr`; `update_state(originals, images)` takes uint8 images.

    Args:
        shave: pixels cut off at every side before.
        name: of the metric.

    Example:
        >>> metric = PSNR(shave=4)
        >>> metric.update_state(originals, upscaled)
    """

    def __init__(self, shave: int = 0, name: str = "psnr"):
        super().__init__(_psnr, shave, name)


@keras.saving.register_keras_serializable("keras_gen")
class SSIM(_ImageQuality):
    """Mean over images of `ssim`; `update_state(originals, images)` takes uint8 images.

    Args:
        shave: pixels cut off at every side before.
        name: of the metric.

    Example:
        >>> metric = SSIM(shave=4)
        >>> metric.update_state(originals, upscaled)
    """

    def __init__(self, shave: int = 0, name: str = "ssim"):
        super().__init__(_ssim, shave, name)


@keras.saving.register_keras_serializable("keras_gen")
class L1Error(_ImageQuality):
    """Mean over images of `l1_error`; `update_state(originals, images)` takes uint8 images.

    Args:
        shave: pixels cut off at every side before.
        name: of the metric.

    Example:
        >>> metric = L1Error()
        >>> metric.update_state(originals, translated)
    """

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
    error = tf.reduce_mean(tf.square(luma(images) - luma(originals)), axis=[1, 2, 3])
    return 10.0 * tf.math.log(255.0**2 / error) / tf.math.log(10.0)


def _ssim(originals, images, shave):
    originals, images = _pair(originals, images, shave, least=SSIM_WINDOW)
    return tf.image.ssim(luma(originals), luma(images), max_val=255.0, filter_size=SSIM_WINDOW)


def _l1_error(originals, images, shave):
    originals, images = _pair(originals, images, shave, least=1)
    difference = tf.cast(images, tf.float32) - tf.cast(originals, tf.float32)
    return tf.reduce_mean(tf.abs(difference), axis=[1, 2, 3])


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
