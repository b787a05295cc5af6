"""Folders of image pairs: both halves of one file, or two files with the same name."""

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
from keras_gen.data.transforms.images import resize_cover

SIDES = ("source", "target")


def side_by_side(
    path: str | os.PathLike,
    size: int,
    left: str = "source",
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Reads a folder of images whose two halves form a pair, as in pix2pix.

    Each half is cropped to a square by `resize_cover`.

    Args:
        path: Folder to read, including its subfolders.
        size: Side of the images in pixels.
        left: Role of the left half, `"source"` or `"target"`.
        max_broken: Fraction of files, 0 to 1, that may be unreadable; a warning lists the
            unreadable files.
        memory_limit: Maximum number of bytes of decoded images; images in larger folders are kept
            encoded.

    Returns:
        Source of tuples (source, target) of uint8 `[size, size, 3]`.

    Raises:
        FileNotFoundError: If the folder does not exist, or contains no image.
        ValueError: If fewer than two files are readable, more than `max_broken` are unreadable, or
            `left` is neither `"source"` nor `"target"`. A file of odd width counts as unreadable.

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
            raise ValueError(f"its width is {image.shape[1]} pixels: expected an even number")

    return _pairs(folder, [(f,) for f in files], halves, size, max_broken, memory_limit, check)


def paired_folders(
    source: str | os.PathLike,
    target: str | os.PathLike,
    size: int,
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Reads two folders of images, in which files with the same name form a pair.

    Names may have different extensions, such as `labels/a.png` and `photos/a.jpg`. Images are
    cropped to squares by `resize_cover`.

    Args:
        source: Folder of the source images, including its subfolders.
        target: Folder of the target images, with the same subfolders.
        size: Side of the images in pixels.
        max_broken: Fraction of pairs, 0 to 1, that may be unreadable; a warning lists the
            unreadable pairs.
        memory_limit: Maximum number of bytes of decoded images; images in larger folders are kept
            encoded.

    Returns:
        Source of tuples (source, target) of uint8 `[size, size, 3]`.

    Raises:
        FileNotFoundError: If a folder does not exist, or contains no image.
        ValueError: If an image has no counterpart or two files share a name, fewer than two pairs
            are readable, or more than `max_broken` are unreadable or differ in height or width.

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
                f"{len(alone)} images have no counterpart with the same name in {folder}: "
                f"{listed(alone)}. Add or remove them."
            )

    def both(one: tf.Tensor, other: tf.Tensor) -> tuple:
        return resize_cover(one, size), resize_cover(other, size)

    def check(one: np.ndarray, other: np.ndarray) -> None:
        if one.shape != other.shape:
            found = (f"{image.shape[1]}x{image.shape[0]}" for image in (one, other))
            raise ValueError(f"it has {' pixels and its counterpart has '.join(found)}")

    files = [(file, targets[name]) for name, file in sources.items()]
    return _pairs(source, files, both, size, max_broken, memory_limit, check)


def _by_name(folder: Path) -> dict[str, Path]:
    """The images in a folder, by their paths without extension."""
    found: dict[str, Path] = {}
    for file in image_files(folder):
        name = str(file.relative_to(folder).with_suffix(""))
        if name in found:
            raise ValueError(
                f"{found[name]} and {file} share a name: expected one file per name. Remove or "
                "rename one of them."
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
