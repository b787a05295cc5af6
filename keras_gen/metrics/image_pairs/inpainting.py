"""How well missing pixels were filled in."""

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.core.kinds_of_data import missing_pixels as missing_of
from keras_gen.metrics.image_pairs.image_quality import psnr


@checked_types
def hole_psnr(
    filled: np.ndarray, originals: np.ndarray, masks: np.ndarray, of: str = "luma"
) -> float:
    """PSNR of the missing pixels in decibels, from the mean squared error over all images.

    (The mean of the images' own PSNRs would be infinite for one perfect image.) The peak is 255.

    Args:
        filled: uint8 `[n, H, W, 1 or 3]`, equal to `originals` where nothing is missing.
        originals: uint8, same shape and order.
        masks: `[n, H, W, 1]`, not 0 where a pixel was missing.
        of: "luma" or "rgb", see `psnr`. In the luma's studio range, errors of color do not count,
            and the others count a seventh less.

    Raises:
        ValueError: If the arrays do not fit, nothing is missing, or known pixels differ.

    Example: `hole_psnr(model.inpaint(images, masks), images, masks)`.
    """
    missing = missing_pixels(originals, masks)
    if np.shape(filled) == np.shape(originals) and (~missing & (filled != originals)).any():
        raise ValueError(
            "filled differs from originals where nothing is missing: put the known pixels back."
        )
    # Known pixels add nothing to the errors, and so must not count among the pixels either.
    errors = 10 ** (-psnr(filled, originals, of=of).astype(np.float64) / 10)
    with np.errstate(divide="ignore"):
        return float(-10 * np.log10(errors.mean() / missing.mean()))


def missing_pixels(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns where pixels are missing, bool `[n, H, W, 1]`.

    Args:
        images: `[n, H, W, channels]`.
        masks: `[n, H, W, 1]`, not 0 where a pixel is missing.

    Raises:
        TypeError: If masks are no numbers or truth values.
        ValueError: If the arrays do not fit each other, nothing is missing, or masks hold NaN.
    """
    missing = missing_of(masks)
    if missing.shape != (*np.shape(images)[:3], 1) or not missing.any():
        raise ValueError(
            f"Masks have shape {list(missing.shape)}, {missing.sum()} of their values not 0: "
            f"expected {[*np.shape(images)[:3], 1]}, with something missing."
        )
    return missing
