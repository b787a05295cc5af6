"""A few labels among many examples: which ones, and streams that mix both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.data.source import Source, finished
from keras_gen.data.unpaired import unpaired


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


def half_labeled(
    labeled: Source,
    unlabeled: Source,
    batch_size: int,
    seed: int = 0,
    start: int = 0,
    augment_batch: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns batches whose first half has labels and whose second half has none.

    Each half is shuffled on its own, so the few labeled examples are repeated more often.

    Args:
        labeled: Examples `(image, label)`, at least half a batch.
        unlabeled: Images of the same shape, or `(image, label)`, whose labels are left aside.
        batch_size: Even number of examples in a *global* batch.
        seed: Any non-negative integer.
        start: Batches already consumed; see `Source.stream`.
        augment_batch: As of `Source.stream`, of `(images, labels)`.

    Returns:
        Infinite `tf.data.Dataset` of `(images, labels)`, -1 where there is no label.

    Raises:
        ValueError: If the batch size is odd, or half of it is more than a source holds.

    Example:
        >>> few = Source((np.zeros([4, 8, 8, 1], "uint8"), np.arange(4)))
        >>> many = Source(np.zeros([9, 8, 8, 1], "uint8"))
        >>> images, labels = next(iter(half_labeled(few, many, batch_size=8)))
    """
    if batch_size % 2:
        raise ValueError(f"batch_size is {batch_size}: half of it has labels, so make it even.")

    def join(known, others):
        images, *_ = others if isinstance(others, tuple) else (others,)
        label = known[1]
        return tf.concat([known[0], images], 0), tf.concat([label, -tf.ones_like(label)], 0)

    pairs = unpaired(labeled, unlabeled, batch_size // 2, seed, start)
    batches = pairs.map(tf.autograph.experimental.do_not_convert(join))
    return finished(batches, seed, start, augment_batch)
