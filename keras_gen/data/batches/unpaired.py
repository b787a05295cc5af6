"""Batches from two unpaired sets, such as photographs and paintings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_array, checked_types
from keras_gen.data.source import LEFT, RIGHT, Source, derive_seed


@checked_types
def unpaired(
    a: Source | np.ndarray,
    b: Source | np.ndarray,
    batch_size: int | tuple[int, int],
    seed: int = 0,
    start: int = 0,
    augment: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns infinite batches `(a_batch, b_batch)`, each domain shuffled on its own.

    Args:
        a: First domain, a source or an array of its examples.
        b: Second domain, of any size.
        batch_size: Number of examples of each domain per *global* batch, or one number per domain.
        seed: Any non-negative integer, from which unrelated seeds for both domains are derived.
        start: Number of batches already consumed; see `Source.stream`.
        augment: Function `augment(example, seed)` applied to each example of either domain.

    Example:
        >>> photos, paintings = np.zeros([9, 8, 8, 3], "uint8"), np.zeros([5, 8, 8, 3], "uint8")
        >>> x, y = next(iter(unpaired(photos, paintings, batch_size=2)))
    """
    sizes = batch_size if isinstance(batch_size, tuple) else (batch_size, batch_size)
    streams = []
    for name, domain, size, key in (("a", a, sizes[0], LEFT), ("b", b, sizes[1], RIGHT)):
        source = domain if isinstance(domain, Source) else Source(_examples(name, domain))
        own_seed = int(derive_seed(checked_seed(seed), key, words=1)[0])
        streams.append(source.shuffled(size, own_seed, start, augment))
    return tf.data.Dataset.zip(tuple(streams)).with_options(streams[0].options())


def _examples(name: str, values: np.ndarray) -> np.ndarray:
    examples = checked_array(name, values)
    if not examples.ndim or not len(examples):
        raise ValueError(f"{name} has shape {examples.shape}: expected at least one example.")
    return examples
