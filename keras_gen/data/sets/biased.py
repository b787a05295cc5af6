"""Data in which a group is rare, so that what is learned from them may be wrong about it."""

from __future__ import annotations

import numpy as np

from keras_gen.data.source import Source

GROUPS = ("even, red", "even, green", "odd, red", "odd, green")


def rare_color(digits: Source, rare: float = 0.02, seed: int = 0) -> tuple[Source, np.ndarray]:
    """Paints digits red or green, where few of the odd ones are green.

    The task is to tell odd digits (class 1) from even ones (class 0), of which one half is green.
    A green digit is then most likely even, and a classifier that makes use of it is wrong about
    the rare group of the green odd ones.

    Args:
        digits: Examples `(image, label)`: gray images uint8 `[height, width, 1]`, integer labels.
        rare: Fraction of the odd digits that are green, 0 to 1; 0.5 for a test of all groups.
        seed: Seed of the choice of digits.

    Returns:
        A source of `(image, class)`, uint8 `[height, width, 3]` and int64, in the order of
        `digits`; and the group of each example, int64 `[n]`, a number of `GROUPS`: twice the class,
        and 1 more for green.

    Raises:
        ValueError: If the fraction is out of range, or the images are not gray.

    Example:
        >>> digits = Source((np.zeros([4, 28, 28, 1], "uint8"), np.arange(4)))
        >>> source, groups = rare_color(digits, rare=0.5)
        >>> sorted(groups.tolist())
        [0, 1, 2, 3]
    """
    images, labels = digits.arrays()
    if not 0 <= rare <= 1:
        raise ValueError(f"rare is {rare}: expected a fraction from 0 to 1.")
    if images.ndim != 4 or images.shape[-1] != 1:
        raise ValueError(
            f"rare_color found images of shape {list(images.shape[1:])}: expected gray ones, "
            "[height, width, 1]."
        )
    odd, green = labels.astype(np.int64) % 2, np.zeros(len(labels), np.int64)
    order = np.random.default_rng(seed).permutation(len(labels))
    for kind, fraction in enumerate((0.5, rare)):
        own = order[odd[order] == kind]
        green[own[: round(fraction * len(own))]] = 1
    painted = images * np.eye(3, dtype=np.uint8)[green][:, None, None]
    origin = f"{digits.origin}, {rare:.1%} of the odd ones green"
    return Source((painted, odd), origin=origin), 2 * odd + green


def rare_group(examples: Source, rare: float = 0.05, seed: int = 0) -> tuple[Source, np.ndarray]:
    """Leaves examples out, so that an attribute is rare in one of two classes.

    Args:
        examples: Examples `(image, label)`, with labels 0 to 3: twice the class, and 1 more for the
            attribute. Of `faces(labels=True)` the class is a smile, and the attribute a man's face.
        rare: Most of class 1 that may have the attribute, a fraction from 0 to below 1; 0.5 for a
            test.
        seed: Seed of the choice of those that stay.

    Returns:
        A source of `(image, class)`, int64, in the order of `examples`; and the group of each, its
        label, int64 `[n]`.

    Raises:
        ValueError: If the fraction is out of range, or a label is.

    Example:
        >>> some = Source((np.zeros([5, 8, 8, 3], "uint8"), np.array([0, 1, 2, 3, 3])))
        >>> source, groups = rare_group(some, rare=0.5)
        >>> groups.tolist()
        [0, 1, 2, 3]
    """
    images, labels = examples.arrays()
    groups = labels.astype(np.int64)
    if not 0 <= rare < 1:
        raise ValueError(f"rare is {rare}: expected a fraction from 0 to below 1.")
    if groups.min() < 0 or groups.max() > 3:
        raise ValueError(
            f"rare_group found labels from {groups.min()} to {groups.max()}: expected 0 to 3, "
            "twice the class and 1 more for the attribute."
        )
    own = np.random.default_rng(seed).permutation(np.flatnonzero(groups == 3))
    stay = round(rare / (1 - rare) * np.count_nonzero(groups == 2))
    kept = np.delete(np.arange(len(groups)), own[stay:])
    origin = f"{examples.origin}, at most {rare:.1%} of class 1 with the attribute"
    return Source((images[kept], groups[kept] // 2), origin=origin), groups[kept]
