"""A few labels among many examples: which ones, and streams that mix both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.data.batches.unpaired import unpaired
from keras_gen.data.source import Source, finished


def even_order(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns indices in random order whose first ones, however many, are even over the labels.

    The first 100 are among the first 1,000, and each class has as many examples as the others,
    unless it runs out of them.

    Args:
        labels: Integers `[n]`.
        seed: Seed of the order.

    Returns:
        A permutation of 0 to n - 1, int64 `[n]`.

    Example:
        >>> few = source.select(even_order(labels, seed=0)[:100])
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), np.int64)  # how many of the label came before
    for label in np.unique(labels):
        own = labels[order] == label
        turn[own] = np.arange(own.sum())
    return order[np.argsort(turn, kind="stable")]


def few_labels(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Keeps the labels of few examples, drawn evenly over the classes, and hides the others.

    Args:
        labels: Integers `[n]` from 0 on, of two classes or more.
        count: How many are kept: from the number of classes on, and fewer than all.
        seed: Seed of the draw, as of `even_order`.

    Returns:
        The labels, -1 in place of those that are hidden, int64 `[n]`.

    Raises:
        ValueError: If there is one class only, or `count` is out of its range.

    Example:
        >>> labels = few_labels(np.arange(9) % 3, count=3)
        >>> labeled, unlabeled = source.select(labels >= 0), source.select(labels < 0)
    """
    classes = len(np.unique(labels))
    if classes < 2:
        raise ValueError(
            f"All {len(labels)} labels are {labels[0]}: expected 2 classes or more to tell apart."
        )
    if not classes <= count < len(labels):
        raise ValueError(
            f"count is {count} of {len(labels)} labels of {classes} classes: keep at least "
            f"{classes}, one of each class, and at most {len(labels) - 1}, so that one is hidden."
        )
    kept = even_order(labels, seed)[:count]
    hidden = np.full(len(labels), -1, np.int64)
    hidden[kept] = labels[kept]
    return hidden


def partly_labeled(
    labeled: Source,
    unlabeled: Source,
    batch_size: int,
    seed: int = 0,
    start: int = 0,
    labels_per_batch: int | None = None,
    augment_batch: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns batches of which the first examples have labels and the others none.

    Each part is shuffled on its own, so the few labeled examples are repeated more often.

    Args:
        labeled: Examples `(image, label)`, at least as many as a batch has.
        unlabeled: Images of the same shape, or `(image, label)`, whose labels are left aside.
        batch_size: Examples in a *global* batch.
        seed: Any non-negative integer.
        start: Batches already consumed; see `Source.stream`.
        labels_per_batch: How many of a batch have labels, 1 or more; None for half of them.
        augment_batch: As of `Source.stream`, of `(images, labels)`.

    Returns:
        Infinite `tf.data.Dataset` of `(images, labels)`, -1 where there is no label.

    Raises:
        ValueError: If none or all of a batch have labels, half of an odd number should, or a part
            of the batch is more than its source holds.

    Example:
        >>> few = Source((np.zeros([4, 8, 8, 1], "uint8"), np.arange(4)))
        >>> many = Source(np.zeros([9, 8, 8, 1], "uint8"))
        >>> images, labels = next(iter(partly_labeled(few, many, batch_size=8)))
    """
    if labels_per_batch is None and batch_size % 2:
        raise ValueError(
            f"batch_size is {batch_size}, of which no half can have labels: make it even, or say "
            "how many by labels_per_batch."
        )
    known = batch_size // 2 if labels_per_batch is None else labels_per_batch
    if not 0 < known < batch_size:
        raise ValueError(
            f"labels_per_batch is {known}: expected 1 to {batch_size - 1} of {batch_size} examples."
        )

    def join(few, others):
        images, *_ = others if isinstance(others, tuple) else (others,)
        hidden = -tf.ones([batch_size - known], few[1].dtype)
        return tf.concat([few[0], images], 0), tf.concat([few[1], hidden], 0)

    parts = unpaired(labeled, unlabeled, (known, batch_size - known), seed, start)
    batches = parts.map(tf.autograph.experimental.do_not_convert(join))
    return finished(batches, seed, start, augment_batch)
