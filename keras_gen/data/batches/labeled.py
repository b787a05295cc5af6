"""Keeps only a few labels, and mixes labeled and unlabeled examples in streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.data.batches.groups import unpaired
from keras_gen.data.source import Source, checked_labels, checked_pairs, finished


@checked_types
def even_order(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns indices in random order; the first k indices are balanced over classes for any k.

    Args:
        labels: Integer labels `[n]`. Once all examples in a class have been used, the class no
            longer appears in the order.
        seed: Seed for the random order.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If the labels are not one-dimensional.

    Example:
        >>> few = source.select(even_order(labels, seed=0)[:100])
    """
    labels = checked_labels(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)  # position of each example within its class
    for label in np.unique(labels):
        own = labels[order] == label
        rank[own] = np.arange(own.sum())
    return order[np.argsort(rank, kind="stable")]


@checked_types
def few_labels(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Keeps a few labels, balanced over the classes, and sets others to -1; returns int64 `[n]`.

    Args:
        labels: Nonnegative integers `[n]`.
        count: Number of labels to keep: at least one per class and fewer than `n`.
        seed: Seed for the selection.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If the labels are not one-dimensional, if a label is below 0, or if `count` is
            out of range.

    Example:
        >>> labels = few_labels(np.arange(9) % 3, count=3)
        >>> labeled, unlabeled = source.select(labels >= 0), source.select(labels < 0)
    """
    labels = checked_labels(labels)
    if labels.size and labels.min() < 0:
        raise ValueError(
            f"The smallest label is {labels.min()}: expected integers of at least 0."
        )
    classes = len(np.unique(labels))
    if not classes <= count < len(labels):
        raise ValueError(
            f"count is {count} for {len(labels)} labels in {classes} classes: expected at least "
            f"{classes}, one per class, and at most {len(labels) - 1}, so that at least one "
            "label is hidden."
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
    """Returns a stream of `(images, labels)`: labeled examples, then examples with label -1.

    The stream is infinite. The two parts are shuffled separately, so the few labeled examples are
    repeated more often.

    Args:
        labeled: Examples `(image, label)`; there must be at least as many as the labeled examples
            in a batch. Examples with another structure raise a TypeError.
        unlabeled: Images with the same shape as labeled images, or `(image, label)` tuples whose
            labels are ignored.
        batch_size: Number of examples per *global* batch.
        seed: Nonnegative integer.
        start: Number of batches already consumed; see `Source.stream`.
        labels_per_batch: Number of labeled examples per batch, 1 to `batch_size - 1`. Other numbers
            raise a ValueError. If None, half of the batch is labeled, and `batch_size` must be
            even.
        augment_batch: Function applied to `(images, labels)`; see `Source.stream`.

    Example:
        >>> few = Source((np.zeros([4, 8, 8, 1], "uint8"), np.arange(4)))
        >>> many = Source(np.zeros([9, 8, 8, 1], "uint8"))
        >>> images, labels = next(iter(partly_labeled(few, many, batch_size=8)))
    """
    if labels_per_batch is None:
        if batch_size % 2:
            raise ValueError(
                f"batch_size is {batch_size}, but half of the batch should have labels: expected "
                "an even number. Change batch_size, or pass labels_per_batch."
            )
        labels_per_batch = batch_size // 2
    hidden = batch_size - labels_per_batch
    if not 0 < labels_per_batch < batch_size:
        raise ValueError(
            f"labels_per_batch is {labels_per_batch}: expected an integer from 1 to "
            f"{batch_size - 1} for batches of {batch_size} examples."
        )

    def mixed(few, others):
        images, labels = few
        if isinstance(others, tuple):
            others = others[0]
        labels = tf.cast(labels, tf.int64) if labels.dtype.is_unsigned else labels
        no_labels = -tf.ones([hidden], labels.dtype)
        return tf.concat([images, others], 0), tf.concat([labels, no_labels], 0)

    checked_pairs(labeled)
    if not isinstance(unlabeled.element_spec, tf.TensorSpec):
        checked_pairs(unlabeled)
    one, other = (tf.nest.flatten(each.element_spec)[0] for each in (labeled, unlabeled))
    if one.dtype != other.dtype or not one.shape.is_compatible_with(other.shape):
        raise ValueError(
            f"labeled has {one.dtype.name} images of shape {one.shape}, but unlabeled has "
            f"{other.dtype.name} images of shape {other.shape}: expected the same dtype and "
            "shape in both."
        )
    parts = unpaired(labeled, unlabeled, (labels_per_batch, hidden), seed, start)
    batches = parts.map(tf.autograph.experimental.do_not_convert(mixed))
    return finished(batches, seed, start, augment_batch)
