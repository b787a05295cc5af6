"""Likelihoods of sequences of levels in bits per value that is no padding."""

import math

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_numbers


@checked_types
def bits_per_live_value(nats: np.ndarray, levels: np.ndarray) -> float:
    """Converts negative log-likelihoods of sequences to bits per value, without the padding.

    The sum of the nats of all sequences is divided by the number of their values from 0 on, so
    that a long sequence counts more than a short one. Padding that was counted would make any
    model look better.

    Args:
        nats: -log p(x) of whole sequences in which padding counts nothing, `[n]`.
        levels: The sequences, integers `[n, ...]`, where numbers below 0 are padding: such as
            `model.edges["x"].prepare(waveforms)` gives them.

    Returns:
        Bits per value.

    Raises:
        ValueError: If there is no value, or the numbers of sequences differ.

    Example:
        >>> bits_per_live_value(np.log([8.0, 2.0]), np.array([[5, 3, 1], [0, -1, -1]]))
        1.0
    """
    nats = as_numbers(nats, "nats").astype("float64")
    levels = as_numbers(levels, "levels")
    live = np.count_nonzero(levels >= 0)
    if nats.shape != levels.shape[:1] or not live:
        raise ValueError(
            f"Found nats of shape {list(nats.shape)} for {live} live values in sequences of shape "
            f"{list(levels.shape)}: expected a number for each sequence, and a value from 0 on."
        )
    if np.isnan(nats).any() or levels.dtype.kind not in "iu":
        raise ValueError(
            f"Found {np.isnan(nats).sum()} NaN in nats, and levels of {levels.dtype}: expected "
            "numbers, and integers."
        )
    return float(nats.sum() / live / math.log(2))
