"""Folders of the user's own images."""

from __future__ import annotations

import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.data.catalogue import MEMORY_LIMIT
from keras_gen.data.source import Source
from keras_gen.data.transforms import resize_cover

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
"""Endings of the files that `image_folder` reads, in any case."""

_ORIENTATION = 0x0112  # the EXIF tag of how the camera was held
# For EXIF orientations 1 to 8: quarter turns to the left, then whether to mirror.
_TURNS = [0, 0, 2, 2, 3, 3, 1, 1]
_MIRROR = [False, True, False, True, True, False, True, False]


def image_folder(
    path: str | os.PathLike,
    size: int,
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Reads all JPEG, PNG, WebP, GIF and BMP images of a folder and the folders in it.

    Any size and aspect (see `resize_cover`); gray becomes RGB, transparency becomes white, of an
    animation the first image counts, and photos are turned upright. The order is that of the
    sorted paths. Where the decoded images would take more than `memory_limit`, the files' bytes
    are held instead and decoded as they are used.

    Args:
        path: The folder.
        size: Side of the images in pixels.
        max_broken: Fraction of images, 0 to 1, that may be unreadable; they are left out and named
            in a warning.
        memory_limit: Most bytes to hold decoded.

    Returns:
        Source of uint8 RGB `[size, size, 3]`.

    Raises:
        FileNotFoundError: There is no such folder, or no image in it.
        NotADirectoryError: `path` is a file.
        ValueError: Fewer than two readable images, or more than `max_broken` unreadable ones.

    Example:
        >>> photos = image_folder("holiday", size=143)
    """
    folder = Path(path)
    if not 0 <= max_broken <= 1:
        raise ValueError(f"max_broken must be a share from 0 to 1, found {max_broken}.")
    files = _images(folder)
    hold_decoded = len(files) * size * size * 3 <= memory_limit

    @tf.function(
        input_signature=[tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32)],
        autograph=False,
    )
    def decode(contents: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
        return resize_cover(_upright(_rgb(contents), orientation), size)

    decode.get_concrete_function()  # a wrong size shows here, not as broken images

    def read(file: Path) -> tuple | np.ndarray | None:
        try:
            contents = file.read_bytes()
            stored = (contents, _orientation(contents))
            image = decode(*stored).numpy()  # also where the bytes are held: to find broken files
        except (OSError, tf.errors.OpError):
            return None
        return image if hold_decoded else stored

    with ThreadPoolExecutor(os.cpu_count()) as pool, tf.device("CPU:0"):
        read_files = list(pool.map(read, files))
    good = [example for example in read_files if example is not None]
    broken = [
        str(file.relative_to(folder))
        for file, example in zip(files, read_files, strict=True)
        if example is None
    ]
    if broken:
        _report(folder, broken, len(files), max_broken)
    if len(good) < 2:
        raise ValueError(
            f"{folder} has {len(good)} readable image, but a set needs at least 2; add images."
        )
    origin = f"{len(good)} images, from {folder}"
    if hold_decoded:
        return Source(np.stack(good), origin=origin)
    contents, orientations = zip(*good, strict=True)
    tensors = (tf.constant(contents), np.array(orientations, np.int32))
    return Source(tensors, lambda example: decode(*example), origin=origin)


def _images(folder: Path) -> list[Path]:
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file; give the folder that the images lie in.")
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


def _report(folder: Path, broken: list[str], count: int, max_broken: float) -> None:
    shown = ", ".join(broken[:20]) + (f" and {len(broken) - 20} more" if len(broken) > 20 else "")
    found = f"{len(broken)} of {count} images in {folder} cannot be read"
    if len(broken) > max_broken * count:
        raise ValueError(
            f"{found}, more than the fraction of {max_broken:g} allowed; repair or remove {shown}, "
            "or raise max_broken."
        )
    warnings.warn(f"{found} and are left out: {shown}", stacklevel=3)


def _orientation(contents: bytes) -> int:
    """The EXIF orientation 1 to 8 of an image's bytes."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(contents)) as image:
            orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # whatever it is: TensorFlow, which decodes, says whether a file is broken
        return 1
    return orientation if orientation in range(1, 9) else 1


def _upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    image = tf.image.rot90(image, tf.gather(_TURNS, orientation - 1))
    return tf.where(tf.gather(_MIRROR, orientation - 1), image[:, ::-1], image)


def _rgb(contents: tf.Tensor) -> tf.Tensor:
    """Decodes to uint8 RGB `[height, width, 3]`, transparency over white."""
    image = tf.io.decode_image(contents, expand_animations=False)
    image = tf.ensure_shape(image, [None, None, None])  # gray, gray + alpha, RGB or RGB + alpha
    channels = tf.shape(image)[-1]
    colors = tf.where(channels > 2, 3, 1)
    color = tf.repeat(image[..., :colors], 3 // colors, axis=-1)

    def over_white() -> tf.Tensor:
        alpha = tf.cast(image[..., -1:], tf.float32) / 255.0
        mixed = alpha * tf.cast(color, tf.float32) + (1.0 - alpha) * 255.0
        return tf.cast(tf.round(mixed), tf.uint8)

    color = tf.cond(channels > colors, over_white, lambda: color)
    return tf.ensure_shape(color, [None, None, 3])
