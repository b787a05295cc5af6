"""A folder of images, one in each file, with or without subfolders of classes."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.data.sets.tfds import MEMORY_LIMIT
from keras_gen.data.source import Source
from keras_gen.data.transforms.resizing import resize_cover
from keras_gen.media.images import SUFFIXES, decode_image


def image_folder(
    path: str | os.PathLike,
    size: int,
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
    labels: bool = False,
    channels: int = 3,
) -> Source:
    """Reads all images of a folder and its subfolders, in the order of their sorted paths.

    Files that end in `media.images.SUFFIXES` are decoded and cut to squares by `resize_cover`.

    Args:
        path: The folder.
        size: Side of the images in pixels.
        max_broken: Fraction of images, 0 to 1, that may be unreadable; a warning names them.
        memory_limit: Largest number of bytes to hold decoded. A larger folder is held encoded, and
            decoded as it is used.
        labels: Whether an example is `(image, label)` instead of an image alone. The label is the
            number of the subfolder that holds the image, in the order of their names, from 0.
        channels: 3 for RGB, 1 for gray.

    Returns:
        Source of uint8 `[size, size, channels]`, or of tuples with int64 labels.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If there are fewer than two readable images, or more than `max_broken`
            unreadable ones, or an image that needs a label lies in no subfolder.

    Example:
        >>> photos = image_folder("holiday", size=143)
    """
    folder = Path(path)
    if not 0 <= max_broken <= 1:
        raise ValueError(f"max_broken must be a fraction from 0 to 1, found {max_broken}.")
    files = _image_files(folder)
    classes = _classes(folder, files) if labels else {}
    hold_decoded = len(files) * size * size * channels <= memory_limit

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)], autograph=False)
    def cover(image: tf.Tensor) -> tf.Tensor:
        image = resize_cover(image, size)
        return tf.image.rgb_to_grayscale(image) if channels == 1 else image

    cover.get_concrete_function()  # a wrong size shows here, not as broken images

    def read(file: Path) -> bytes | np.ndarray | None:
        try:
            contents = file.read_bytes()
            image = decode_image(contents)  # also where the bytes are held: to find broken files
        except (OSError, ValueError):
            return None
        return cover(image).numpy() if hold_decoded else contents

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    def decode(contents: tf.Tensor) -> tf.Tensor:
        image = tf.numpy_function(decode_image, [contents], tf.uint8, stateful=False)
        return cover(tf.ensure_shape(image, [None, None, 3]))

    with ThreadPoolExecutor(os.cpu_count()) as pool, tf.device("CPU:0"):
        contents = dict(zip(files, pool.map(read, files), strict=True))
    good = {file: found for file, found in contents.items() if found is not None}
    broken = [str(file.relative_to(folder)) for file in files if file not in good]
    if broken:
        _report(folder, broken, len(files), max_broken)
    if len(good) < 2:
        raise ValueError(
            f"{folder} has {len(good)} readable image, but a set needs at least 2; add images."
        )
    kinds = f" of {len(set(classes.values()))} classes" if labels else ""
    origin = f"{len(good)} images{kinds}, from {folder}"
    # Bytes in a tensor, because NumPy's byte strings end at their last byte that is not 0.
    images = list(good.values())
    stored = np.stack(images) if hold_decoded else tf.constant(images)
    if not labels:
        return Source(stored, None if hold_decoded else decode, origin=origin)

    def decode_first(example: tuple) -> tuple:
        return decode(example[0]), example[1]

    numbers = np.array([classes[file] for file in good])
    return Source((stored, numbers), None if hold_decoded else decode_first, origin=origin)


def _image_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; give one that holds images.")
    visible = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    ]
    files = [file for file in visible if file.suffix.lower() in SUFFIXES]
    if not files:
        raise FileNotFoundError(
            f"{folder} holds {len(visible)} files but no image; images end in "
            f"{', '.join(SUFFIXES)}."
        )
    return files


def _classes(folder: Path, files: list[Path]) -> dict[Path, int]:
    outside = [file.name for file in files if file.parent == folder]
    if outside:
        raise ValueError(
            f"{folder} holds {len(outside)} images outside of subfolders, such as {outside[0]}, "
            "and labels are the names of subfolders: put each image into the folder of its class."
        )
    subfolders = {file: file.relative_to(folder).parts[0] for file in files}
    names = sorted(set(subfolders.values()))
    return {file: names.index(name) for file, name in subfolders.items()}


def _report(folder: Path, broken: list[str], count: int, max_broken: float) -> None:
    shown = ", ".join(broken[:20])
    if len(broken) > 20:
        shown += f" and {len(broken) - 20} more"
    found = f"{len(broken)} of {count} images in {folder} cannot be read"
    if len(broken) > max_broken * count:
        raise ValueError(
            f"{found}, more than the fraction of {max_broken:g} allowed; repair or remove {shown}, "
            "or raise max_broken."
        )
    warnings.warn(f"{found} and are left out: {shown}", stacklevel=3)
