"""A few labels among many examples: which ones, and streams that mix both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.data.batches.unpaired import unpaired
from keras_gen.data.source import Source, checked_labels, checked_pairs, finished


@checked_types
def even_order(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns indices in random order, whose first k are spread evenly over the classes for any k.

    Args:
        labels: Integers `[n]`. A class whose examples are used up is missing from there on.
        seed: Seed of the order.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If they have other axes.

    Example:
        >>> few = source.select(even_order(labels, seed=0)[:100])
    """
    labels = checked_labels(labels)
    order = np.random.default_rng(checked_seed(seed)).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)  # within the class
    for label in np.unique(labels):
        own = labels[order] == label
        rank[own] = np.arange(own.sum())
    return order[np.argsort(rank, kind="stable")]


@checked_types
def few_labels(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Hides all but a few labels, evenly drawn over the classes: int64 `[n]`, -1 where hidden.

    Args:
        labels: Integers `[n]` from 0 on.
        count: Labels that stay: at least one of each class and fewer than all, else a ValueError.
        seed: Seed of the draw.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If they have other axes, one is below 0, or the count is out of its range.

    Example:
        >>> labels = few_labels(np.arange(9) % 3, count=3)
        >>> labeled, unlabeled = source.select(labels >= 0), source.select(labels < 0)
    """
    labels = checked_labels(labels)
    if labels.size and labels.min() < 0:
        raise ValueError(f"A label is {labels.min()}: expected integers from 0 on.")
    count = checked_integer("count", count)
    classes = len(np.unique(labels))
    if not classes <= count < len(labels):
        raise ValueError(
            f"count is {count} of {len(labels)} labels of {classes} classes: expected at least "
            f"{classes}, one of each class, and at most {len(labels) - 1}, so that one is hidden."
        )
    shown = even_order(labels, seed)[:count]
    found = np.full(len(labels), -1, np.int64)
    found[shown] = labels[shown]
    return found


@checked_types
def partly_labeled(
    labeled: Source,
    unlabeled: Source,
    batch_size: int,
    seed: int = 0,
    start: int = 0,
    labels_per_batch: int | None = None,
    augment_batch: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns infinite batches `(images, labels)`: first labeled examples, then some of label -1.

    Each part is shuffled on its own, so the few labeled examples are repeated more often.

    Args:
        labeled: Examples `(image, label)`, at least as many as a batch has; else a TypeError.
        unlabeled: Images of the same shape, or `(image, label)` with labels that are ignored.
        batch_size: Examples in a *global* batch.
        seed: Any non-negative integer.
        start: Batches already consumed; see `Source.stream`.
        labels_per_batch: Labeled examples in a batch, 1 to `batch_size - 1`, else a ValueError;
            None for half of an even batch.
        augment_batch: As in `Source.stream`, of `(images, labels)`.

    Example:
        >>> few = Source((np.zeros([4, 8, 8, 1], "uint8"), np.arange(4)))
        >>> many = Source(np.zeros([9, 8, 8, 1], "uint8"))
        >>> images, labels = next(iter(partly_labeled(few, many, batch_size=8)))
    """
    if labels_per_batch is None:
        if batch_size % 2:
            raise ValueError(
                f"batch_size is {batch_size}, and half of it should have labels: make it even, or "
                "give labels_per_batch."
            )
        labels_per_batch = batch_size // 2
    hidden = batch_size - labels_per_batch
    if not 0 < labels_per_batch < batch_size:
        raise ValueError(
            f"labels_per_batch is {labels_per_batch}: expected 1 to {batch_size - 1} of "
            f"{batch_size} examples."
        )

    def mixed(few, others):
        images, labels = few
        if isinstance(others, tuple):
            others = others[0]
        no_labels = -tf.ones([hidden], labels.dtype)
        return tf.concat([images, others], 0), tf.concat([labels, no_labels], 0)

    checked_pairs(labeled)
    if not isinstance(unlabeled.element_spec, tf.TensorSpec):
        checked_pairs(unlabeled)
    parts = unpaired(labeled, unlabeled, (labels_per_batch, hidden), seed, start)
    batches = parts.map(tf.autograph.experimental.do_not_convert(mixed))
    return finished(batches, seed, start, augment_batch)
