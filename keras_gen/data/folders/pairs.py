"""Folders of pairs of images: the left and right of one file, or two files of one name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer, checked_number, checked_path
from keras_gen.data.folders.image_reading import (
    image_files,
    listed,
    read_images,
    require_fraction,
)
from keras_gen.data.sets.tfds import MEMORY_LIMIT
from keras_gen.data.source import Source
from keras_gen.data.transforms.resizing import resize_cover

SIDES = ("source", "target")


def side_by_side(
    path: str | os.PathLike,
    size: int,
    left: str = "source",
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Reads a folder of images whose two halves are a pair, as those of pix2pix.

    Each half is cut to a square by `resize_cover`.

    Args:
        path: The folder; its subfolders are read too.
        size: Side of the images in pixels.
        left: What the left half is, `"source"` or `"target"`.
        max_broken: Fraction of files, 0 to 1, that may be unreadable; a warning names them.
        memory_limit: Largest number of bytes to hold decoded; a larger folder is held encoded.

    Returns:
        Source of tuples (source, target) of uint8 `[size, size, 3]`.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If fewer than two files are readable, or more than `max_broken` unreadable; of
            odd width, halves do not fit each other. Or if `left` is neither of the two.

    Example:
        >>> train = side_by_side("facades/train", size=64, left="target")
    """
    folder = checked_path("path", path)
    size = checked_integer("size", size, minimum=1)
    require_fraction(max_broken)
    checked_number("memory_limit", memory_limit, minimum=0)
    if left not in SIDES:
        raise ValueError(f"left is {left!r}: expected 'source' or 'target'.")
    files = image_files(folder)

    def halves(image: tf.Tensor) -> tuple:
        width = tf.shape(image)[1] // 2
        pair = resize_cover(image[:, :width], size), resize_cover(image[:, width:], size)
        return pair if left == "source" else pair[::-1]

    def check(image: np.ndarray) -> None:
        if image.shape[1] % 2:
            raise ValueError(f"its width is odd, {image.shape[1]} pixels, so it has no halves")

    return _pairs(folder, [(f,) for f in files], halves, size, max_broken, memory_limit, check)


def paired_folders(
    source: str | os.PathLike,
    target: str | os.PathLike,
    size: int,
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Reads two folders of images, whose files of one name are pairs.

    Names may differ in their ending, `labels/a.png` beside `photos/a.jpg`. Images are cut to
    squares by `resize_cover`.

    Args:
        source: Folder of the sources; its subfolders are read too.
        target: Folder of the targets, with the same subfolders.
        size: Side of the images in pixels.
        max_broken: Fraction of pairs, 0 to 1, that may be unreadable; a warning names them.
        memory_limit: Largest number of bytes to hold decoded; larger folders are held encoded.

    Returns:
        Source of tuples (source, target) of uint8 `[size, size, 3]`.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If an image has no twin or two files one name, fewer than two pairs are
            readable, or more than `max_broken` unreadable or of different height or width.

    Example:
        >>> train = paired_folders("labels/train", "photos/train", size=64)
    """
    size = checked_integer("size", size, minimum=1)
    require_fraction(max_broken)
    checked_number("memory_limit", memory_limit, minimum=0)
    source = checked_path("source", source)
    target = checked_path("target", target)
    sources, targets = _by_name(source), _by_name(target)
    for one, other, folder in ((sources, targets, target), (targets, sources, source)):
        if alone := [str(file) for name, file in one.items() if name not in other]:
            raise ValueError(
                f"{len(alone)} images have no twin of the same name in {folder}: {listed(alone)}; "
                "add or remove them."
            )

    def both(one: tf.Tensor, other: tf.Tensor) -> tuple:
        return resize_cover(one, size), resize_cover(other, size)

    def check(one: np.ndarray, other: np.ndarray) -> None:
        if one.shape != other.shape:
            found = (f"{image.shape[1]}x{image.shape[0]}" for image in (one, other))
            raise ValueError(f"it has {' pixels and its twin '.join(found)}")

    files = [(file, targets[name]) for name, file in sources.items()]
    return _pairs(source, files, both, size, max_broken, memory_limit, check)


def _by_name(folder: Path) -> dict[str, Path]:
    """The images of a folder by their paths without ending."""
    found: dict[str, Path] = {}
    for file in image_files(folder):
        name = str(file.relative_to(folder).with_suffix(""))
        if name in found:
            raise ValueError(
                f"{found[name]} and {file} have one name: remove or rename one, so that each has "
                "one twin."
            )
        found[name] = file
    return found


def _pairs(
    folder: Path,
    files: Sequence[tuple[Path, ...]],
    fit: Callable[..., Any],
    size: int,
    max_broken: float,
    memory_limit: int,
    check: Callable[..., None],
) -> Source:
    hold_decoded = len(files) * size * size * 6 <= memory_limit
    places, stored, decode, _ = read_images(folder, files, fit, hold_decoded, max_broken, check)
    return Source(stored, decode, origin=f"{len(places)} pairs of images, from {folder}")
