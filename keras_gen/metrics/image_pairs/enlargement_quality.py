"""How well a method enlarges photographs of different sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from keras_gen.checked_arguments import checked_types
from keras_gen.data.transforms.resizing import shrunk
from keras_gen.files.images import luma
from keras_gen.metrics.image_pairs.image_quality import psnr, ssim
from keras_gen.metrics.samples.sliced_wasserstein import mean_patch_distance

TILE = 64  # side of the squares in which patches are compared


@checked_types
def enlargement_report(
    enlarge: Callable[[np.ndarray], np.ndarray], images: Sequence[np.ndarray], factor: int
) -> dict[str, float]:
    """Shrinks images, enlarges them again, and compares the results with the originals.

    Args:
        enlarge: From uint8 images `[1, height, width, 3]` to those of sides `factor` times as long.
        images: Originals, each uint8 `[height, width, 3]`, sides of at least 64 that the factor
            divides.
        factor: Of the sides.

    Returns:
        "psnr", in dB, and "ssim", means over the images, of the luma without a border of `factor`
        pixels, as in papers; "patches", the distance of patches in squares of 64 pixels, which are
        cut from the images (`pyramid_distances`): large for images that are too smooth; "detail",
        the root mean square of what a Gaussian of one pixel's deviation takes from the luma of
        these squares, divided by that of the originals: 1 is right, and less is too smooth.

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
    """Squares side by side; what is left at the right and below is left out."""
    height, width, channels = image.shape
    rows = height // TILE
    columns = width // TILE
    cut = image[: rows * TILE, : columns * TILE]
    cut = cut.reshape(rows, TILE, columns, TILE, channels)
    return cut.swapaxes(1, 2).reshape(-1, TILE, TILE, channels)
