"""Data with a rare group that a trained model may misclassify."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import Source, checked_pairs
from keras_gen.declared import Fraction

GROUPS = ("even, red", "even, green", "odd, red", "odd, green")


@checked_types
def rare_color(
    digits: Source, rare: Fraction = 0.02, seed: int = 0
) -> tuple[Source, np.ndarray]:
    """Colors digits red or green; few odd digits are green, and half of the even digits are green.

    The task is to separate odd digits (class 1) from even digits (class 0). A classifier that
    relies on color misclassifies the rare green odd digits.

    Args:
        digits: Examples `(image, label)`: gray uint8 images `[height, width, 1]` and integer
            labels.
        rare: Fraction of the odd digits that are green, 0 to 1. Use 0.5 for a test set with groups
            of about equal size.
        seed: Seed for the selection of digits.

    Returns:
        A source of `(image, class)`, and the groups, int64 `[n]`, both in the order of `digits`.
        Images are uint8 `[height, width, 3]`, and classes are int64. A group is twice the class,
        plus 1 if the digit is green. `GROUPS` contains the names of the groups.

    Example:
        >>> digits = Source((np.zeros([4, 28, 28, 1], "uint8"), np.arange(4)))
        >>> source, groups = rare_color(digits, rare=0.5)
    """
    images, labels = checked_pairs(digits).arrays()
    odd = labels.astype(np.int64) % 2
    green = np.zeros(len(labels), np.int64)
    order = np.random.default_rng(seed).permutation(len(labels))
    for parity, fraction in ((0, 0.5), (1, rare)):
        own = order[odd[order] == parity]
        green[own[: round(fraction * len(own))]] = 1
    painted = images * np.eye(3, dtype=np.uint8)[green][:, None, None]
    origin = f"{digits.origin}, {rare:.1%} of the odd ones green"
    return Source((painted, odd), origin=origin), 2 * odd + green


@checked_types
def rare_group(examples: Source, rare: float = 0.05, seed: int = 0) -> tuple[Source, np.ndarray]:
    """Leaves examples out, so that an attribute is rare in one of two classes.

    Args:
        examples: Examples `(image, label)`, with labels 0 to 3. A label is twice the class, plus 1
            if the example has the attribute. With `faces(labels=True)`, class 1 contains smiling
            faces, and the attribute is 1 for men.
        rare: Maximum fraction of the resulting examples in class 1 that have the attribute, at
            least 0 and below 1. Use 0.5 for a test set.
        seed: Seed for the selection.

    Returns:
        A source of `(image, class)`, with int64 classes, and the groups, int64 `[n]`, in the same
        order. The groups are the original labels.

    Example:
        >>> some = Source((np.zeros([5, 8, 8, 3], "uint8"), np.array([0, 1, 2, 3, 3])))
        >>> source, groups = rare_group(some, rare=0.5)
    """
    images, labels = checked_pairs(examples).arrays()
    groups = labels.astype(np.int64)
    if not 0 <= rare < 1:
        raise ValueError(f"rare is {rare}: expected a fraction of at least 0 and below 1.")
    rare_ones = np.random.default_rng(seed).permutation(np.flatnonzero(groups == 3))
    stay = round(rare / (1 - rare) * np.count_nonzero(groups == 2))
    kept = np.delete(np.arange(len(groups)), rare_ones[stay:])
    origin = f"{examples.origin}, at most {rare:.1%} of class 1 with the attribute"
    return Source((images[kept], groups[kept] // 2), origin=origin), groups[kept]
