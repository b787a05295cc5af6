"""Metrics for integer codes: bits per example, and the number of codes in use."""

import math
from collections.abc import Sequence

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.declared import Count
from keras_gen.metrics.metric_arguments import as_numbers


@checked_types
def code_bits(shape: Sequence[int], levels: int) -> float:
    """Returns the bits per example in integer codes: the number of codes times log2(levels).

    Args:
        shape: Shape of an example's codes.
        levels: Number of possible values of a code, at least 2.

    Example:
        >>> code_bits((8, 8), 512)
        576.0
    """
    if levels < 2:
        raise ValueError(f"levels is {levels}: expected at least 2 levels.")
    return math.prod(shape) * math.log2(levels)


@checked_types
def code_uses(codes: np.ndarray, levels: Count) -> np.ndarray:
    """Returns the number of uses of each code, int64 `[levels]`.

    Args:
        codes: Integer codes from 0 to `levels - 1`, in a nonempty array of any shape.
        levels: Number of possible values of a code.

    Example:
        >>> code_uses(np.array([[0, 2], [2, 2]]), 4)
        array([1, 0, 3, 0])
    """
    codes = as_numbers(codes, "codes")
    if not np.issubdtype(codes.dtype, np.integer):
        raise TypeError(f"Codes have dtype {codes.dtype}: expected integers.")
    if not codes.size or codes.min() < 0 or codes.max() >= levels:
        found = f"range from {codes.min()} to {codes.max()}" if codes.size else "are empty"
        raise ValueError(f"Codes {found}: expected integers from 0 to {levels - 1}.")
    return np.bincount(codes.ravel(), minlength=levels).astype(np.int64)


@checked_types
def perplexity(uses: np.ndarray) -> float:
    """Returns the effective number of codes in use, at least 1: exp(entropy of frequencies).

    A distribution over this number of equally frequent codes would have the same entropy. The
    base-2 logarithm of the result is the number of bits per code that an entropy coder needs to
    encode codes one by one.

    Args:
        uses: Nonnegative counts `[levels]`, not all 0, as returned by `code_uses`.

    Example:
        >>> perplexity([5, 5, 0])
        2.0
    """
    uses = as_numbers(uses, "uses").astype(np.float64)
    if not np.isfinite(uses).all() or uses.min(initial=0) < 0 or not uses.sum() > 0:
        raise ValueError(
            f"uses has the sum {uses.sum():g}: expected nonnegative numbers whose sum is above "
            "0."
        )
    frequencies = uses[uses > 0] / uses.sum()
    return float(np.exp2(-(frequencies * np.log2(frequencies)).sum()))
