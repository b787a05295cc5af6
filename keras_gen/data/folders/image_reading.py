"""Reads the images in a folder, skipping broken ones, with one or more images per example."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gen.files.images import SUFFIXES, decode_image, decoded
from keras_gen.files.reading import read_regular
from keras_gen.messages import warn

# Image types that are not supported.
_UNREAD = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".dng", ".cr2", ".nef", ".arw")
_OF_SYSTEMS = ("__MACOSX", "@eaDir")  # folders that archives and servers add to a user's folders


class Read(NamedTuple):
    """The readable examples.

    Attributes:
        places: Indices of the readable examples among all examples.
        stored: Arrays of the examples, or of their encoded bytes, as stored in a `Source`.
        decode: Function that maps encoded bytes to an example; None if examples are stored decoded.
        colored: Whether any image is not gray.
    """

    places: list[int]
    stored: Any
    decode: Callable[[Any], Any] | None
    colored: bool


def read_images(
    folder: Path,
    examples: Sequence[tuple[Path, ...]],
    fit: Callable[..., Any],
    hold_decoded: bool,
    max_broken: float,
    check: Callable[..., None] | None = None,
) -> Read:
    """Reads and decodes examples with one or more image files each.

    Args:
        folder: Folder of the files, for messages.
        examples: Files of each example.
        fit: TensorFlow function that maps the images of an example, uint8 `[height, width, 3]` of
            any size, to an array of fixed shape or a tuple of such arrays.
        hold_decoded: Whether the fitted examples are stored, instead of the encoded files.
        max_broken: Fraction of examples that may be unreadable; a warning lists the unreadable
            examples. Another warning lists images with transparent pixels.
        check: Function that accepts the same images as arrays and raises a ValueError if they are
            unsuitable. Unsuitable examples count as unreadable.

    Raises:
        ValueError: If more examples are unreadable, or fewer than two are readable.
    """
    images_of = len(examples[0])
    of_images = [tf.TensorSpec([None, None, 3], tf.uint8)] * images_of
    of_bytes = [tf.TensorSpec([], tf.string)] * images_of
    # Traced here, so that TensorFlow does not warn of retracing when many folders are read.
    fitted = tf.function(fit, autograph=False).get_concrete_function(*of_images)
    transparent: list[Path] = []
    colored: list[Path] = []

    def read(files: tuple[Path, ...]) -> Any:
        contents = []
        images = []
        for file in files:
            try:
                contents.append(read_regular(file))
                # Also if the bytes are stored, to find broken files.
                image = decoded(contents[-1])
            except (OSError, ValueError) as error:
                return Broken(file, str(error))
            images.append(image.pixels)
            if image.transparent:
                transparent.append(file)
            if not colored and (image.pixels != image.pixels[..., :1]).any():
                colored.append(file)
        try:
            if check is not None:
                check(*images)
        except ValueError as error:
            return Broken(files[0], str(error))
        return tf.nest.map_structure(np.asarray, fitted(*images)) if hold_decoded else contents

    @tf.function(input_signature=of_bytes, autograph=False)
    def decode(*contents: tf.Tensor) -> Any:
        images = []
        for each in contents:
            image = tf.numpy_function(decode_image, [each], tf.uint8, stateful=False)
            images.append(tf.ensure_shape(image, [None, None, 3]))
        return fitted(*images)

    with ThreadPoolExecutor(os.cpu_count()) as pool, tf.device("CPU:0"):
        found = list(pool.map(read, examples))
    broken = [each for each in found if isinstance(each, Broken)]
    if broken:
        report_broken(folder, "images", broken, len(examples), max_broken)
    if transparent:
        shown = listed([os.path.relpath(file, folder) for file in sorted(transparent)])
        warn(
            f"{len(transparent)} images in {folder} have transparent pixels, which are blended "
            f"with white: {shown}"
        )
    places = [place for place, each in enumerate(found) if not isinstance(each, Broken)]
    if len(places) < 2:
        raise ValueError(
            f"{folder} contains {len(places)} readable image{'' if images_of == 1 else ' pair'}"
            f"{'' if len(places) == 1 else 's'}: expected at least 2. Add more."
        )
    good = [found[place] for place in places]
    if hold_decoded:
        return Read(
            places,
            tf.nest.map_structure(lambda *parts: np.stack(parts), *good),
            None,
            bool(colored),
        )
    # Bytes in a tensor, because byte strings in NumPy lose trailing zero bytes.
    stored = tuple(tf.constant(column) for column in zip(*good, strict=True))
    if images_of == 1:
        return Read(places, stored[0], decode, bool(colored))
    return Read(places, stored, lambda contents: decode(*contents), bool(colored))


def require_fraction(max_broken: float) -> None:
    """Raises a TypeError or ValueError unless `max_broken` is a fraction from 0 to 1."""
    if not isinstance(max_broken, Real):
        raise TypeError(f"max_broken must be a fraction from 0 to 1, found {max_broken!r}.")
    if not 0 <= max_broken <= 1:
        raise ValueError(f"max_broken must be a fraction from 0 to 1, found {max_broken}.")


def image_files(folder: Path) -> list[Path]:
    """Returns the images in a folder and its subfolders; see `files_in`."""
    return files_in(folder, "images", SUFFIXES, _UNREAD, "JPEG or PNG")


def files_in(
    folder: Path,
    noun: str,
    suffixes: tuple[str, ...],
    unread: tuple[str, ...],
    converted: str,
) -> list[Path]:
    """Returns the files of one type in a folder and its subfolders, in the order of sorted paths.

    Links are followed. Hidden files and folders, whose names begin with a dot, are skipped.

    Args:
        folder: Folder to search.
        noun: Plural noun for the files in messages, such as "images".
        suffixes: Extensions of these files, in lowercase.
        unread: Extensions of unsupported files, which a warning or the error names.
        converted: Format to which such files should be converted.

    Raises:
        FileNotFoundError: If the folder does not exist, or contains no such file.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}: expected a folder with {noun}.")
    seen = list(_visible_files(folder))
    files = [file for file in seen if file.suffix.lower() in suffixes]
    skipped = [file.name for file in seen if file.suffix.lower() in unread]
    if not files:
        convert = f". Convert {listed(skipped)}" if skipped else ""
        without = f"contains {len(seen)} files but no {noun.removesuffix('s')}"
        held = without if seen else "is empty"
        raise FileNotFoundError(
            f"{folder} {held}: expected files that end in {', '.join(suffixes)}{convert}."
        )
    if skipped:
        warn(
            f"{len(skipped)} {noun} in {folder} have unsupported types and are skipped. "
            f"Convert them to {converted}: {listed(skipped)}"
        )
    return files


def visible(folder: Path) -> list[Path]:
    """Returns the contents of a folder in the order of names, without hidden files and folders."""
    return [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.name not in _OF_SYSTEMS
    ]


def listed(names: list[str]) -> str:
    """Returns up to 20 names, joined in one line."""
    shown = ", ".join(names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown


class Broken(NamedTuple):
    """A file that cannot be read, and the reason."""

    file: Path
    why: str


def _visible_files(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """The files below a folder, in the order of their paths; follows links, but not in circles."""
    real = folder.resolve()
    if real in above:
        return
    for path in visible(folder):
        if path.is_dir():
            yield from _visible_files(path, (*above, real))
        else:
            yield path


def report_broken(
    folder: Path, noun: str, broken: list[Broken], count: int, max_broken: float
) -> None:
    """Warns about broken files; raises a ValueError if their fraction exceeds `max_broken`."""
    shown = listed([f"{os.path.relpath(file, folder)} ({why})" for file, why in broken])
    found = f"{len(broken)} of {count} {noun} in {folder} are unreadable"
    if len(broken) > max_broken * count:
        raise ValueError(
            f"{found}: expected at most the fraction {max_broken:g}. Repair or remove {shown}, "
            "or increase max_broken."
        )
    warn(f"{found} and are skipped: {shown}")
