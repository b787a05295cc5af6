"""Digits on photographs, as in MNIST-M."""

import numpy as np

from keras_gen.arguments import check_levels, checked_seed
from keras_gen.checked_arguments import checked_types


@checked_types
def on_photographs(digits: np.ndarray, photographs: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns the differences between digits and parts of photographs; uint8 `[n, H, W, 3]`.

    Ganin et al.: "Domain-Adversarial Training of Neural Networks", JMLR 2016, sec. 5.2.4, MNIST-M:
    |photograph - digit| in each channel, with another part of a photograph for each digit.

    Args:
        digits: uint8 `[n, H, W, 1]`.
        photographs: Parts of photographs of the same size, uint8 `[m, H, W, 3]`, such as those of
            `photograph_patches`.
        seed: Of the draw of parts.

    Raises:
        ValueError: If the sizes differ, or one of them is not uint8.

    Example: `on_photographs(digits, photograph_patches(28).train.arrays())`.
    """
    check_levels("digits", digits)
    check_levels("photographs", photographs)
    if digits.shape[1:3] != photographs.shape[1:3]:
        raise ValueError(
            f"The digits have {digits.shape[1:3]} pixels and the photographs "
            f"{photographs.shape[1:3]}: expected the same."
        )
    drawn = np.random.default_rng(checked_seed(seed)).integers(
        len(photographs), size=len(digits)
    )
    difference = photographs[drawn].astype("int16") - digits
    return np.abs(difference).astype("uint8")
