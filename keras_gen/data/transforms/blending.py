"""Digits on photographs, as in MNIST-M."""

import numpy as np

from keras_gen.arguments import check_levels, checked_seed
from keras_gen.checked_arguments import checked_types


@checked_types
def on_photographs(digits: np.ndarray, photographs: np.ndarray, seed: int = 0) -> np.ndarray:
    """Blends digits into parts of photographs by taking differences; uint8 `[n, H, W, 3]`.

    Ganin et al.: "Domain-Adversarial Training of Neural Networks", JMLR 2016, sec. 5.2.4, MNIST-M:
    |photograph - digit| in each channel, with a different part of a photograph for each digit.

    Args:
        digits: uint8 `[n, H, W, 1]`.
        photographs: Parts of photographs of the same size, uint8 `[m, H, W, 3]`, such as from
            `photograph_patches`.
        seed: Seed of the selection of parts.

    Raises:
        ValueError: If the sizes differ, or an array is not uint8.

    Example: `on_photographs(digits, photograph_patches(28).train.arrays())`.
    """
    check_levels("digits", digits)
    check_levels("photographs", photographs)
    if digits.shape[1:3] != photographs.shape[1:3]:
        raise ValueError(
            f"The digits have size {digits.shape[1:3]} and the photographs "
            f"{photographs.shape[1:3]}: expected equal sizes."
        )
    drawn = np.random.default_rng(checked_seed(seed)).integers(
        len(photographs), size=len(digits)
    )
    difference = photographs[drawn].astype("int16") - digits
    return np.abs(difference).astype("uint8")
