"""Two sets without pairs, streamed side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.data.source import LEFT, RIGHT, Source, derive_seed


def unpaired(
    a: Source | np.ndarray,
    b: Source | np.ndarray,
    batch_size: int | tuple[int, int],
    seed: int = 0,
    start: int = 0,
    augment: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns batches of two domains, each shuffled on its own: pairs change every epoch.

    Args:
        a: First domain, a source or an array of its examples.
        b: Second domain, of any size; an epoch of one side is independent of the other's.
        batch_size: Examples of each domain in a *global* batch, or of the first and the second.
        seed: Any non-negative integer; both sides derive unrelated seeds from it.
        start: Batches already consumed; see `Source.stream`.
        augment: `augment(example, seed)` applied to each example of either side.

    Returns:
        Infinite `tf.data.Dataset` of `(a_batch, b_batch)`.

    Raises:
        TypeError: As `Source.stream`, for either side.
        ValueError: As `Source.stream`, for either side.

    Example:
        >>> photos, paintings = (np.zeros([n, 8, 8, 3], "uint8") for n in (9, 5))
        >>> x, y = next(iter(unpaired(photos, paintings, batch_size=2)))
    """
    sizes = batch_size if isinstance(batch_size, tuple) else (batch_size, batch_size)
    sides = [
        (side if isinstance(side, Source) else Source(side)).stream(
            size, int(derive_seed(seed, key, 1)[0]), start, augment
        )
        for side, size, key in zip((a, b), sizes, (LEFT, RIGHT), strict=True)
    ]
    return tf.data.Dataset.zip(tuple(sides)).with_options(sides[0].options())
