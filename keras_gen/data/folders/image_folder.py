"""A folder of images, one in each file, with or without subfolders of classes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.data.sets.tfds import MEMORY_LIMIT
from keras_gen.data.source import Source
from keras_gen.data.transforms.resizing import resize_cover
from keras_gen.media.images import SUFFIXES, decode_image

# Images of kinds that are not read.
_UNREAD = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".dng", ".cr2", ".nef", ".arw")
_OF_SYSTEMS = ("__MACOSX", "@eaDir")  # folders that archives and servers put beside a user's


def image_folder(
    path: str | os.PathLike,
    size: int,
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
    labels: bool = False,
    channels: int = 3,
    classes: Sequence[str] | None = None,
) -> Source:
    """Reads all images of a folder and its subfolders, in the order of their sorted paths.

    Files that end in `media.images.SUFFIXES` are decoded and cut to squares by `resize_cover`.
    Links to files and folders are followed. What is hidden, by a name that begins with a dot, is
    left out.

    Args:
        path: The folder.
        size: Side of the images in pixels.
        max_broken: Fraction of images, 0 to 1, that may be unreadable; a warning names them.
        memory_limit: Largest number of bytes to hold decoded. A larger folder is held encoded, and
            decoded as it is used.
        labels: Whether an example is `(image, label)` instead of an image alone. The label is the
            number of the subfolder that holds the image, in the order of their names, from 0.
        channels: 3 for RGB, 1 for gray.
        classes: Names of the subfolders in the order of their labels, which there then are: such
            as `class_names` of the training set for a folder that lacks a class.

    Returns:
        Source of uint8 `[size, size, channels]`, or of tuples with int64 labels, whose
        `class_names` are the names of the subfolders.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        TypeError: If `size` is no integer, or `max_broken` no number.
        ValueError: If there are fewer than two readable images, or more than `max_broken`
            unreadable ones, an image that needs a label lies in no subfolder, a subfolder is none
            of the `classes`, or an argument is out of its range.

    Example:
        >>> photos = image_folder("holiday", size=143)
        >>> train = image_folder("pets/train", size=64, labels=True)
        >>> test = image_folder("pets/test", size=64, classes=train.class_names)
    """
    folder = Path(path)
    size = checked_integer("size", size, minimum=1)
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels!r}: expected 3 for RGB, or 1 for gray.")
    if not isinstance(max_broken, Real):
        raise TypeError(f"max_broken must be a fraction from 0 to 1, found {max_broken!r}.")
    if not 0 <= max_broken <= 1:
        raise ValueError(f"max_broken must be a fraction from 0 to 1, found {max_broken}.")
    files = _image_files(folder)
    names = _class_names(folder, files, classes) if labels or classes is not None else None
    hold_decoded = len(files) * size * size * channels <= memory_limit

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)], autograph=False)
    def cover(image: tf.Tensor) -> tf.Tensor:
        image = resize_cover(image, size)
        return tf.image.rgb_to_grayscale(image) if channels == 1 else image

    def read(file: Path) -> bytes | np.ndarray | str:
        try:
            contents = file.read_bytes()
            image = decode_image(contents)  # also where the bytes are held: to find broken files
        except (OSError, ValueError) as error:
            return str(error)
        return cover(image).numpy() if hold_decoded else contents

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    def decode(contents: tf.Tensor) -> tf.Tensor:
        image = tf.numpy_function(decode_image, [contents], tf.uint8, stateful=False)
        return cover(tf.ensure_shape(image, [None, None, 3]))

    with ThreadPoolExecutor(os.cpu_count()) as pool, tf.device("CPU:0"):
        contents = dict(zip(files, pool.map(read, files), strict=True))
    broken = {file: found for file, found in contents.items() if isinstance(found, str)}
    if broken:
        _report(folder, broken, len(files), max_broken)
    good = [file for file in files if file not in broken]
    if len(good) < 2:
        raise ValueError(
            f"{folder} has {len(good)} readable image, but a set needs at least 2; add images."
        )
    # Bytes in a tensor, because NumPy's byte strings end at their last byte that is not 0.
    images = [contents[file] for file in good]
    stored = np.stack(images) if hold_decoded else tf.constant(images)
    if names is None:
        origin = f"{len(good)} images, from {folder}"
        return Source(stored, None if hold_decoded else decode, origin=origin)

    def decode_first(example: tuple) -> tuple:
        return decode(example[0]), example[1]

    classes_held = [file.relative_to(folder).parts[0] for file in good]
    empty = sorted(set(names) - set(classes_held), key=names.index)
    if empty:
        warnings.warn(
            f"{folder} holds no readable image of {len(empty)} of {len(names)} classes: "
            f"{_listed(empty)}",
            stacklevel=2,
        )
    return Source(
        (stored, np.array([names.index(name) for name in classes_held])),
        None if hold_decoded else decode_first,
        f"{len(good)} images of {len(names)} classes, from {folder}",
        names,
    )


def _image_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; give one that holds images.")
    visible = list(_visible_files(folder))
    files = [file for file in visible if file.suffix.lower() in SUFFIXES]
    unread = [file.name for file in visible if file.suffix.lower() in _UNREAD]
    if not files:
        convert = f", so convert {_listed(unread)}" if unread else ""
        raise FileNotFoundError(
            f"{folder} holds {len(visible)} files but no image; images end in "
            f"{', '.join(SUFFIXES)}{convert}."
        )
    if unread:
        warnings.warn(
            f"{len(unread)} images in {folder} are of kinds that are not read and are left out; "
            f"convert them to JPEG or PNG: {_listed(unread)}",
            stacklevel=3,
        )
    return files


def _visible(folder: Path) -> list[Path]:
    """What a folder holds, by name, without hidden files and folders."""
    return [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.name not in _OF_SYSTEMS
    ]


def _visible_files(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """The files in a folder and below, in the order of their paths, through links but no circle."""
    real = folder.resolve()
    if real in above:
        return
    for path in _visible(folder):
        if path.is_dir():
            yield from _visible_files(path, (*above, real))
        else:
            yield path


def _class_names(
    folder: Path, files: list[Path], classes: Sequence[str] | None
) -> tuple[str, ...]:
    outside = [file.name for file in files if file.parent == folder]
    if outside:
        raise ValueError(
            f"{folder} holds {len(outside)} images outside of subfolders, such as {outside[0]}, "
            "and labels are the names of subfolders: put each image into the folder of its class."
        )
    found = tuple(path.name for path in _visible(folder) if path.is_dir())
    names = found if classes is None else tuple(classes)
    unknown = [name for name in found if name not in names]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"{folder} has the subfolders {', '.join(found)}, and classes is {list(names)}: name "
            "each subfolder once."
        )
    return names


def _report(folder: Path, broken: dict[Path, str], count: int, max_broken: float) -> None:
    shown = _listed([f"{file.relative_to(folder)} ({why})" for file, why in broken.items()])
    found = f"{len(broken)} of {count} images in {folder} cannot be read"
    if len(broken) > max_broken * count:
        raise ValueError(
            f"{found}, more than the fraction of {max_broken:g} allowed; repair or remove {shown}, "
            "or raise max_broken."
        )
    warnings.warn(f"{found} and are left out: {shown}", stacklevel=3)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown
