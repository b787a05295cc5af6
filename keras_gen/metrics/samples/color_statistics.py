"""The colors of a set of images."""

from __future__ import annotations

import numpy as np

from keras_gen.metrics.checks import as_images


def color_statistics(images: np.ndarray) -> dict[str, float]:
    """Summarizes the colors of a set of images, to see a cast or a loss of color.

    Args:
        images: RGB, uint8 `[n, H, W, 3]`, 0..255.

    Returns:
        A dict of floats in 8-bit levels: "red_mean", "red_std", and so for "green" and "blue",
        over all pixels of all images; "colorfulness", the mean over images of Hasler &
        Süsstrunk (2003), their M^(3): 0 for gray, 109 for "extremely colorful" images.

    Raises:
        ValueError: If the array is not such images.

    Example:
        >>> color_statistics(photos)["colorfulness"]
    """
    images = as_images(images, channels=(3,))
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
