"""Batches of examples, each with one from the same class and one from another class."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import Source, checked_pairs


@checked_types
def class_triples(
    source: Source, batch_size: int, seed: int = 0, start: int = 0
) -> tf.data.Dataset:
    """Returns infinite shuffled batches `(x, labels, same, other, other_labels)`.

    `same` is sampled uniformly from the other examples in the class of `x`, and `other` from all
    other classes.

    Args:
        source: Examples `(x, label)`, with at least two classes of at least two examples. Other
            examples raise a TypeError, and fewer a ValueError.
        batch_size: Number of examples per *global* batch.
        seed: Any non-negative integer.
        start: Number of batches already consumed; see `Source.stream`.

    Example:
        >>> source = Source((np.zeros([8, 28, 28, 1], "uint8"), np.arange(8) % 2))
        >>> x, labels, same, other, other_labels = next(iter(class_triples(source, 4)))
    """
    _, labels = checked_pairs(source).arrays()
    _, kinds, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(counts) < 2 or counts.min() < 2:
        raise ValueError(
            f"The numbers of examples per class are {counts.tolist()}: expected at least two "
            "classes with at least two examples each."
        )
    # In this order, the examples of a class are adjacent.
    order = np.argsort(kinds, kind="stable")
    first = (np.cumsum(counts) - counts)[kinds[order]]
    size = counts[kinds[order]]

    def uniform(most, key):
        chance = tf.random.stateless_uniform(tf.shape(most), key, dtype=tf.float64)
        return tf.cast(chance * tf.cast(most, tf.float64), tf.int64)

    def triples(place, key):
        fold = tf.random.experimental.stateless_fold_in
        begin = tf.gather(first, place)
        count = tf.gather(size, place)
        # The class is treated as a ring, without the example itself.
        same = begin + (place - begin + 1 + uniform(count - 1, fold(key, 0))) % count
        # All examples are treated as another ring, without the class.
        other = (begin + count + uniform(len(order) - count, fold(key, 1))) % len(order)
        x, label = source.gather(tf.gather(order, place))
        same_x, _ = source.gather(tf.gather(order, same))
        other_x, other_label = source.gather(tf.gather(order, other))
        return x, label, same_x, other_x, other_label

    return Source(np.arange(len(order))).stream(batch_size, seed, start, augment_batch=triples)
