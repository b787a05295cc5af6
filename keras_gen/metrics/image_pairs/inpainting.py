"""How well missing pixels were filled in, and the plainest way to do so."""

import numpy as np
from scipy import ndimage

from keras_gen.metrics.image_pairs.image_quality import psnr


def hole_psnr(filled: np.ndarray, originals: np.ndarray, masks: np.ndarray) -> float:
    """PSNR of the pixels that were missing, of the mean squared error over all images.

    Of the luma, as `psnr`, whose mean over images would be infinite for one perfect image.

    Args:
        filled: uint8 `[n, H, W, 3]` or `[n, H, W, 1]`, equal to `originals` where nothing is
            missing.
        originals: uint8, same shape and order.
        masks: `[n, H, W, 1]`, not 0 where a pixel was missing.

    Returns:
        Decibels; infinite for equal images.

    Raises:
        ValueError: If the arrays do not fit each other, nothing is missing, or known pixels differ.

    Example:
        >>> hole_psnr(model.inpaint(images, masks), images, masks)
    """
    missing = _missing(originals, masks)
    if (
        np.shape(filled) == missing.shape[:3] + np.shape(originals)[3:]
        and (~missing & (filled != originals)).any()
    ):
        raise ValueError(
            "filled differs from originals where nothing is missing: put the known pixels back."
        )
    # Known pixels add nothing to the errors, and so must not count among the pixels either.
    errors = 10 ** (-psnr(filled, originals).astype(np.float64) / 10)
    with np.errstate(divide="ignore"):
        return float(-10 * np.log10(errors.mean() / missing.mean()))


def border_mean(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Fills what is missing of each image with the mean color of the known pixels beside it.

    Args:
        images: uint8 `[n, H, W, channels]`.
        masks: `[n, H, W, 1]`, not 0 where a pixel is missing.

    Returns:
        uint8, as `images`.

    Raises:
        ValueError: If the arrays do not fit each other, nothing is missing, or all of an image is.

    Example:
        >>> baseline = border_mean(images, masks)
    """
    missing = _missing(images, masks)
    beside = ndimage.binary_dilation(missing, np.ones([1, 3, 3, 1])) & ~missing
    count = beside.sum((1, 2), keepdims=True)
    if not count.all():
        raise ValueError("An image has no known pixel beside missing ones: mask a part of each.")
    means = (images * beside).sum((1, 2), keepdims=True) / count
    return np.where(missing, means.round().astype(np.uint8), images)


def _missing(images, masks) -> np.ndarray:
    missing = np.asarray(masks) != 0
    if missing.shape != (*np.shape(images)[:3], 1) or not missing.any():
        raise ValueError(
            f"Masks have shape {list(missing.shape)}, {missing.sum()} of their values not 0: "
            f"expected {[*np.shape(images)[:3], 1]}, with something missing."
        )
    return missing
