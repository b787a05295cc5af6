"""A folder of images, one per file, with or without subfolders for classes."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from functools import partial
from numbers import Real
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.arguments import (
    checked_integer,
    checked_list,
    checked_number,
    checked_path,
    shown,
)
from keras_gen.data.folders.image_reading import (
    image_files,
    listed,
    read_images,
    require_fraction,
    visible,
)
from keras_gen.data.sets.tfds import MEMORY_LIMIT
from keras_gen.data.source import Source, on_first
from keras_gen.data.transforms.images import resize_cover
from keras_gen.data.transforms.tables import is_missing
from keras_gen.data.transforms.texts import sorted_names, without_fractions
from keras_gen.files.reading import MOST_BYTES, read_text
from keras_gen.messages import warn


def image_folder(
    path: str | os.PathLike,
    size: int,
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
    labels: bool | Mapping[str, str] | str | os.PathLike = False,
    channels: int | None = None,
    classes: Sequence[str] | None = None,
) -> Source:
    """Reads all images in a folder and its subfolders, in the order of their sorted paths.

    Files with an extension in `files.images.SUFFIXES` are decoded and cropped to squares by
    `resize_cover`. Links to files and folders are followed. Hidden files and folders, whose names
    begin with a dot, are skipped.

    Transparent pixels are blended with white, and a warning names their files. 16-bit images are
    converted to 8 bits; those that use 14 bits or fewer count as unreadable, because their white
    level is unknown.

    Args:
        path: Folder to read.
        size: Side of the images in pixels.
        max_broken: Fraction of images, 0 to 1, that may be unreadable; a warning lists the
            unreadable images.
        memory_limit: Maximum number of bytes of decoded images. Images in larger folders are kept
            encoded, and are decoded when used.
        labels: Whether an example is `(image, label)` instead of an image alone. The label is the
            index, from 0, of the subfolder that contains the image, with subfolders sorted by name.
            Alternatively, the class of each file: a dict with paths in the folder as keys, or a CSV
            file with a path and its class in the first two columns, with or without a header. The
            file is UTF-8, or UTF-16 as written by Excel, separated by commas, semicolons, or tabs.
            Images that are not listed are skipped. Class names that are all numbers are sorted
            numerically. If all class names are integers, 1.0 and 1 are the same class.
        channels: Number of channels: 3 for RGB, 1 for gray. If None, 3, with a warning if all
            images are gray.
        classes: Names of the classes in the order of their labels, such as `class_names` of the
            training set for a folder in which a class is missing.

    Returns:
        Source of uint8 images `[size, size, channels]`, or of tuples of an image and an int64
        label. With labels, its `class_names` are the names of the subfolders or classes.

    Raises:
        FileNotFoundError: If the folder does not exist, or contains no image.
        TypeError: If `size` is not an integer, `max_broken` is not a number, or `path` or `labels`
            has an unsupported type, such as `labels=1`.
        ValueError: If there are fewer than two readable images, if the unreadable fraction exceeds
            `max_broken`, if an image that needs a label is not in a subfolder, if a class is not
            one of the `classes`, if `labels` lists a file that is not an image in the folder, or
            gives a file no class or two classes, or if an argument is out of range.

    Example:
        >>> photos = image_folder("holiday", size=143)
        >>> train = image_folder("pets/train", size=64, labels=True)
        >>> test = image_folder("pets/test", size=64, classes=train.class_names)
        >>> named = image_folder("pets/all", size=64, labels="pets/classes.csv")
    """
    folder = checked_path("path", path)
    if not isinstance(labels, bool | np.bool_ | Mapping | str | os.PathLike):
        raise TypeError(
            f"labels is {shown(labels)}: expected True or False, a dict from the paths of "
            "files to classes, or the path of a CSV file."
        )
    size = checked_integer("size", size, minimum=1)
    if channels not in (None, 1, 3):
        raise ValueError(f"channels is {channels!r}: expected 3 for RGB, or 1 for gray.")
    warns_of_gray = channels is None
    channels = channels or 3
    require_fraction(max_broken)
    checked_number("memory_limit", memory_limit, minimum=0)
    files = image_files(folder)
    names = None
    class_of: dict[Path, str] = {}
    if not isinstance(labels, bool | np.bool_):
        class_of = _class_of_files(folder, files, labels)
        files = list(class_of)
        names = _classes(folder, sorted_names(class_of.values()), classes)
    elif labels or classes is not None:
        class_of = _class_of_subfolders(folder, files)
        found = sorted_names(path.name for path in visible(folder) if path.is_dir())
        names = _classes(folder, found, classes)
    hold_decoded = len(files) * size * size * channels <= memory_limit

    def cover(image: tf.Tensor) -> tf.Tensor:
        image = resize_cover(image, size)
        return tf.image.rgb_to_grayscale(image) if channels == 1 else image

    places, stored, decode, colored = read_images(
        folder, [(file,) for file in files], cover, hold_decoded, max_broken
    )
    if warns_of_gray and not colored:
        warn(
            f"All {len(places)} images in {folder} are gray, and are converted to three equal "
            "channels: pass channels=1 for one channel, or channels=3 to keep three."
        )
    if names is None:
        return Source(stored, decode, origin=f"{len(places)} images, from {folder}")

    held = [class_of[files[place]] for place in places]
    empty = sorted(set(names) - set(held), key=names.index)
    if empty:
        warn(
            f"{folder} contains no readable image for {len(empty)} of {len(names)} classes: "
            f"{listed(empty)}"
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
            f"{folder} contains {len(outside)} images outside its subfolders, such as "
            f"{outside[0]}, but labels are the names of subfolders: move each image to the "
            "folder of its class, or pass labels as a dict or a CSV file of paths and classes."
        )
    return {file: file.relative_to(folder).parts[0] for file in files}


def _class_of_files(
    folder: Path, files: list[Path], labels: Mapping[str, str] | str | os.PathLike
) -> dict[Path, str]:
    """The classes of the files that a dict or a CSV file names, in the order of the files."""
    known = {file.relative_to(folder).as_posix(): file for file in files}
    given: dict[str, str] = {}
    for path, name in labels.items() if isinstance(labels, Mapping) else _rows(labels):
        path = str(path)
        if path not in known:
            path = path.strip().replace("\\", "/").removeprefix("./")
        if is_missing(name):
            raise ValueError(f"labels has no class for {path}: add one, or leave the file out.")
        if not isinstance(name, str | Real):
            raise TypeError(
                f"labels gives {path} the class {shown(name)}: expected a name or a number."
            )
        name = str(name).strip()
        if given.setdefault(path, name) != name:
            raise ValueError(
                f"labels gives {path} the classes {given[path]} and {name}: expected one class."
            )
    if lost := [path for path in given if path not in known]:
        raise ValueError(
            f"labels names {len(lost)} files that are not among the {len(files)} images in "
            f"{folder}, {listed(lost)}: expected paths in it, such as {next(iter(known))}."
        )
    if not given:
        raise ValueError("labels is empty: expected paths in the folder and their classes.")
    given = dict(zip(given, without_fractions(given.values()), strict=True))
    return {file: given[path] for path, file in known.items() if path in given}


def _rows(path: str | os.PathLike) -> list[tuple[str, str]]:
    """The paths and classes in a CSV file, without its header."""
    text = read_text(path, MOST_BYTES)
    lines = [line for line in text.splitlines() if line.strip()]
    marks = (mark for mark in (",", ";", "\t") if all(mark in line for line in lines))
    table = csv.reader(io.StringIO(text, newline=""), delimiter=next(marks, ","))
    try:
        rows = [row for row in table if any(map(str.strip, row))]
    except csv.Error as error:
        raise ValueError(f"{path} is not a table ({error}): expected path,class.") from None
    if any(len(row) < 2 for row in rows):
        raise ValueError(
            f"{path} has a line with fewer than two columns: expected path,class in each line."
        )
    pairs = [(path, name) for path, name, *_ in rows]
    has_titles = bool(pairs) and not Path(pairs[0][0]).suffix
    return pairs[1:] if has_titles else pairs


def _classes(
    folder: Path, found: Sequence[str], classes: Sequence[str] | None
) -> tuple[str, ...]:
    names = tuple(found if classes is None else map(str, checked_list("classes", classes)))
    unknown = [name for name in found if name not in names]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"{folder} has the classes {', '.join(found)}, but classes is {list(names)}: "
            "expected each class once."
        )
    return names
