"""Folders of image pairs: both halves of one file, or two files with the same name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import (
    checked_choice,
    checked_integer,
    checked_number,
    checked_path,
)
from keras_gen.data.folders.image_reading import (
    RGB,
    Pixels,
    checked_pixels,
    image_files,
    listed,
    read_images,
)
from keras_gen.data.source import MEMORY_LIMIT, Source
from keras_gen.data.transforms.images import cover_window, image_size, resize_cover
from keras_gen.messages import warn

SIDES = ("source", "target")


def side_by_side(
    path: str | os.PathLike,
    size: int | tuple[int, int],
    left: str = "source",
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Reads a folder of images whose two halves form a pair, as in pix2pix.

    Each half is cropped and resized by `resize_cover`.

    Args:
        path: Folder to read, including its subfolders.
        size: Side length of square images in pixels, or `(height, width)`.
        left: Role of the left half, `"source"` or `"target"`.
        max_broken: Maximum fraction of unreadable files, 0 to 1. A warning lists the unreadable
            files.
        memory_limit: Maximum number of bytes of decoded images; images in larger folders are kept
            encoded.

    Returns:
        Source of tuples (source, target), each uint8 `[height, width, 3]`.

    Raises:
        FileNotFoundError: If the folder does not exist, or contains no image.
        ValueError: If fewer than two files are readable, if the unreadable fraction exceeds
            `max_broken`, or if `left` is neither `"source"` nor `"target"`. A file with an odd
            width counts as unreadable.

    Example:
        >>> train = side_by_side("facades/train", size=64, left="target")
    """
    folder = checked_path("path", path)
    sides = image_size("size", size)
    checked_number("max_broken", max_broken, 0, 1)
    checked_number("memory_limit", memory_limit, minimum=0)
    if left not in SIDES:
        raise ValueError(f"left is {left!r}: expected 'source' or 'target'.")
    files = image_files(folder)

    def halves(image: tf.Tensor) -> tuple:
        width = tf.shape(image)[1] // 2
        pair = resize_cover(image[:, :width], sides), resize_cover(image[:, width:], sides)
        return pair if left == "source" else pair[::-1]

    def check(image: np.ndarray) -> None:
        if image.shape[1] % 2:
            raise ValueError(f"its width is {image.shape[1]} pixels: expected an even number")

    hold_decoded = len(files) * 2 * RGB.bytes_of(sides) <= memory_limit
    return _pairs(folder, [(f,) for f in files], halves, hold_decoded, max_broken, check)


def paired_folders(
    source: str | os.PathLike,
    target: str | os.PathLike,
    size: int | tuple[int, int],
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
    unmatched: str = "refuse",
    channels: int = 3,
    factor: int = 1,
) -> Source:
    """Reads two folders of images, in which files with the same name form a pair.

    Names may have different extensions, such as `labels/a.png` and `photos/a.jpg`. Images are
    cropped and resized by `resize_cover`.

    Args:
        source: Folder of the source images, including its subfolders.
        target: Folder of the target images, with the same subfolders.
        size: Side length of square target images in pixels, or `(height, width)`.
        max_broken: Maximum fraction of unreadable pairs, 0 to 1. A warning lists the unreadable
            pairs.
        memory_limit: Maximum number of bytes of decoded images; images in larger folders are kept
            encoded.
        unmatched: Treatment of images without a counterpart: "refuse" to raise a ValueError, or
            "skip" to leave them out and list them in a warning.
        channels: Number of channels: 3 for RGB, 1 for gray, or 4 for RGB and opacity.
        factor: Ratio of the target's side lengths to the source's side lengths, such as 4 for
            `SRGAN`. The size of a source image is `size / factor`. A target may have up to `factor`
            - 1 additional rows and columns.

    Returns:
        Source of tuples (source, target), each uint8 `[height, width, channels]`.

    Raises:
        FileNotFoundError: If a folder does not exist, or contains no image.
        TypeError: If an argument has an unsupported type.
        ValueError: If an image has no counterpart or two files share a name, if fewer than two
            pairs are readable, if more than the fraction `max_broken` of the pairs are unreadable
            or have sizes whose ratio is not `factor`, if `size` is not a multiple of `factor`, or
            if an argument is out of range.

    Example:
        >>> train = paired_folders("labels/train", "photos/train", size=64)
        >>> scales = paired_folders("small", "large", size=96, factor=4, unmatched="skip")
    """
    checked_choice("unmatched", unmatched, ("refuse", "skip"))
    pixels = checked_pixels(channels)
    factor = checked_integer("factor", factor, minimum=1)
    sides = image_size("size", size)
    checked_number("max_broken", max_broken, 0, 1)
    checked_number("memory_limit", memory_limit, minimum=0)
    source = checked_path("source", source)
    target = checked_path("target", target)
    sources, targets = _by_name(source), _by_name(target)
    small = (sides[0] // factor, sides[1] // factor)
    if any(side % factor for side in sides):
        raise ValueError(
            f"size is {sides[0]}x{sides[1]}: expected multiples of factor={factor}. Pass "
            f"size={(factor * max(1, small[0]), factor * max(1, small[1]))}."
        )
    for one, other, folder in ((sources, targets, target), (targets, sources, source)):
        if alone := [str(file) for name, file in one.items() if name not in other]:
            message = (
                f"Images without a counterpart of the same name in {folder} "
                f"({len(alone)}){' are skipped' if unmatched == 'skip' else ' were found'}: "
                f"{listed(alone)}."
            )
            if unmatched == "refuse":
                raise ValueError(
                    f'{message} Add the counterparts, remove the images, or pass unmatched="skip".'
                )
            warn(message)
    files = [(file, targets[name]) for name, file in sources.items() if name in targets]
    if not files:
        raise ValueError(
            f"No image in {source} has the same name as an image in {target}: expected pairs of "
            "files with the same names. Rename the files."
        )

    def both(one: tf.Tensor, other: tf.Tensor) -> tuple:
        window = cover_window(one, small)
        larger = [factor * place for place in window]
        return pixels.cover(one, small, window), pixels.cover(other, sides, larger)

    def check(one: np.ndarray, other: np.ndarray) -> None:
        height, width = other.shape[:2]
        if one.shape[:2] != (height // factor, width // factor):
            found = (f"{image.shape[1]}x{image.shape[0]}" for image in (one, other))
            ratio = f": expected a ratio of {factor}" if factor > 1 else ""
            raise ValueError(f"it has {' pixels and its counterpart has '.join(found)}{ratio}")

    needed = pixels.bytes_of(small) + pixels.bytes_of(sides)
    hold_decoded = len(files) * needed <= memory_limit
    return _pairs(source, files, both, hold_decoded, max_broken, check, pixels)


def _by_name(folder: Path) -> dict[str, Path]:
    """Returns a dict that maps paths without extension to the images in a folder."""
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
    hold_decoded: bool,
    max_broken: float,
    check: Callable[..., None],
    pixels: Pixels = RGB,
) -> Source:
    places, stored, decode, _ = read_images(
        folder, files, fit, hold_decoded, max_broken, check, pixels
    )
    return Source(stored, decode, origin=f"{len(places)} pairs of images, from {folder}")
