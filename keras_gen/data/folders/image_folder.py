"""A folder of images, one in each file, with or without subfolders of classes."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.data.folders.image_reading import (
    image_files,
    listed,
    read_images,
    require_fraction,
    visible,
)
from keras_gen.data.sets.tfds import MEMORY_LIMIT
from keras_gen.data.source import Source, on_first
from keras_gen.data.transforms.resizing import resize_cover


def image_folder(
    path: str | os.PathLike,
    size: int,
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
    labels: bool | Mapping[str, str] | str | os.PathLike = False,
    channels: int = 3,
    classes: Sequence[str] | None = None,
) -> Source:
    """Reads all images of a folder and its subfolders, in the order of their sorted paths.

    Files that end in `files.images.SUFFIXES` are decoded and cut to squares by `resize_cover`.
    Links to files and folders are followed. What is hidden, by a name that begins with a dot, is
    left out.

    Args:
        path: The folder.
        size: Side of the images in pixels.
        max_broken: Fraction of images, 0 to 1, that may be unreadable; a warning names them.
        memory_limit: Largest number of bytes to hold decoded. A larger folder is held encoded, and
            decoded as it is used.
        labels: Whether an example is `(image, label)` instead of an image alone. The label is the
            number of the subfolder that holds the image, in the order of their names, from 0. Or
            the class of each file: a dict by paths in the folder, or a CSV file with a path and
            its class in the first two columns, with a line of titles or without. Images that it
            does not name are left out.
        channels: 3 for RGB, 1 for gray.
        classes: Names of the classes in the order of their labels, which there then are: such as
            `class_names` of the training set for a folder that lacks a class.

    Returns:
        Source of uint8 `[size, size, channels]`, or of tuples with int64 labels, whose
        `class_names` are the names of the subfolders or classes.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        TypeError: If `size` is no integer, or `max_broken` no number.
        ValueError: If there are fewer than two readable images, or more than `max_broken`
            unreadable ones, an image that needs a label lies in no subfolder, a class is none of
            the `classes`, `labels` name no image of the folder, or an argument is out of its range.

    Example:
        >>> photos = image_folder("holiday", size=143)
        >>> train = image_folder("pets/train", size=64, labels=True)
        >>> test = image_folder("pets/test", size=64, classes=train.class_names)
        >>> named = image_folder("pets/all", size=64, labels="pets/classes.csv")
    """
    folder = Path(path)
    size = checked_integer("size", size, minimum=1)
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels!r}: expected 3 for RGB, or 1 for gray.")
    require_fraction(max_broken)
    files = image_files(folder)
    names = None
    class_of: dict[Path, str] = {}
    if not isinstance(labels, bool):
        class_of = _class_of_files(folder, files, labels)
        files = list(class_of)
        names = _classes(folder, sorted(set(class_of.values())), classes)
    elif labels or classes is not None:
        class_of = _class_of_subfolders(folder, files)
        found = [path.name for path in visible(folder) if path.is_dir()]
        names = _classes(folder, found, classes)
    hold_decoded = len(files) * size * size * channels <= memory_limit

    def cover(image: tf.Tensor) -> tf.Tensor:
        image = resize_cover(image, size)
        return tf.image.rgb_to_grayscale(image) if channels == 1 else image

    places, stored, decode = read_images(
        folder, [(file,) for file in files], cover, hold_decoded, max_broken
    )
    if names is None:
        return Source(stored, decode, origin=f"{len(places)} images, from {folder}")

    held = [class_of[files[place]] for place in places]
    empty = sorted(set(names) - set(held), key=names.index)
    if empty:
        warnings.warn(
            f"{folder} holds no readable image of {len(empty)} of {len(names)} classes: "
            f"{listed(empty)}",
            stacklevel=2,
        )
    return Source(
        (stored, np.array([names.index(name) for name in held])),
        None if decode is None else partial(on_first, decode),
        f"{len(places)} images of {len(names)} classes, from {folder}",
        names,
    )


def _class_of_subfolders(folder: Path, files: list[Path]) -> dict[Path, str]:
    outside = [file.name for file in files if file.parent == folder]
    if outside:
        raise ValueError(
            f"{folder} holds {len(outside)} images outside of subfolders, such as {outside[0]}, "
            "and labels are the names of subfolders: put each image into the folder of its class, "
            "or give labels as a dict or a CSV file of paths and classes."
        )
    return {file: file.relative_to(folder).parts[0] for file in files}


def _class_of_files(
    folder: Path, files: list[Path], labels: Mapping[str, str] | str | os.PathLike
) -> dict[Path, str]:
    """The classes of those files that a dict or a CSV file names, in the order of the files."""
    if isinstance(labels, Mapping):
        given = {str(path): str(name) for path, name in labels.items()}
    else:
        with open(labels, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
        if any(len(row) < 2 for row in rows):
            raise ValueError(f"{labels} has a line of one column: expected path,class in each.")
        given = {path: name.strip() for path, name, *_ in rows}
    found = {file: given.get(file.relative_to(folder).as_posix()) for file in files}
    class_of = {file: name for file, name in found.items() if name is not None}
    if not class_of:
        first = files[0].relative_to(folder).as_posix()
        raise ValueError(
            f"labels name {len(given)} files, and none of the {len(files)} images in {folder}: "
            f"expected paths in it, such as {first}."
        )
    return class_of


def _classes(
    folder: Path, found: Sequence[str], classes: Sequence[str] | None
) -> tuple[str, ...]:
    names = tuple(found if classes is None else classes)
    unknown = [name for name in found if name not in names]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"{folder} has the classes {', '.join(found)}, and classes is {list(names)}: name "
            "each once."
        )
    return names
