"""Images as uint8 arrays: reading, writing and laying out in a grid."""

import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.files import replacing


def read_image(path: str | Path) -> np.ndarray:
    """Reads a PNG, JPEG, BMP or GIF file (its first frame).

    Gray becomes RGB, transparency is laid over white, 16 bits become 8, and a photo is turned the
    way its EXIF orientation tells.

    Returns:
        uint8 `[H, W, 3]` in 0..255.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not an image.

    Example:
        >>> read_image("photo.jpg").shape    # doctest: +SKIP
        (480, 640, 3)
    """
    encoded = Path(path).read_bytes()
    try:
        image = tf.io.decode_image(encoded, expand_animations=False).numpy()
    except tf.errors.OpError as error:
        raise ValueError(
            f"{path} is not a readable PNG, JPEG, BMP or GIF image "
            f"({len(encoded)} bytes): replace or remove it."
        ) from error
    channels = image.shape[-1]
    if channels in (2, 4):
        image = _over_white(image[..., :-1], image[..., -1:])
    if channels < 3:
        image = np.repeat(image, 3, axis=-1)
    return _upright(image, _orientation(encoded))


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Writes an image, complete or not at all; missing folders are made.

    Args:
        path: The file; replaced if it exists.
        image: uint8 `[H, W]`, `[H, W, 1]` or `[H, W, 3]` in 0..255.

    Raises:
        ValueError: The image has another dtype or shape.
        OSError: The file cannot be written.
    """
    image = np.asarray(image)
    if (
        image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or image.shape[2:] not in ((), (1,), (3,))
    ):
        raise ValueError(
            f"image is {image.dtype} {list(image.shape)}: expected uint8 [H, W], "
            "[H, W, 1] or [H, W, 3]."
        )
    encoded = tf.io.encode_png(image.reshape(*image.shape[:2], -1)).numpy()
    with replacing(path) as file:
        file.write(encoded)


def grid(images: np.ndarray, columns: int | None = None, pad: int = 2) -> np.ndarray:
    """Lays images out in rows, on white.

    Args:
        images: uint8 `[N, H, W, 1]` or `[N, H, W, 3]`, N >= 1.
        columns: Images in a row: nearly a square unless told.
        pad: White pixels around each image.

    Returns:
        uint8 `[rows * (H + pad) + pad, columns * (W + pad) + pad, 3]`.

    Raises:
        ValueError: The images have another dtype or shape, or there are none.

    Example:
        >>> grid(np.zeros([6, 28, 28, 1], np.uint8), columns=3).shape
        (62, 92, 3)
    """
    images = np.asarray(images)
    if (
        images.dtype != np.uint8
        or images.ndim != 4
        or images.shape[-1] not in (1, 3)
        or not images.size
    ):
        raise ValueError(
            f"images are {images.dtype} {list(images.shape)}: expected uint8 "
            "[N, H, W, 1] or [N, H, W, 3] with at least one image."
        )
    if (columns is not None and columns < 1) or pad < 0:
        raise ValueError(f"columns={columns} and pad={pad}: expected at least 1 and 0.")
    n, height, width, _ = images.shape
    columns = min(columns or math.ceil(math.sqrt(n)), n)
    rows = math.ceil(n / columns)
    sample_grid = np.full(
        [rows * (height + pad) + pad, columns * (width + pad) + pad, 3], 255, np.uint8
    )
    for index, image in enumerate(images):
        top = pad + index // columns * (height + pad)
        left = pad + index % columns * (width + pad)
        sample_grid[top : top + height, left : left + width] = image
    return sample_grid


def _over_white(color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    color, alpha = color.astype(np.uint32), alpha.astype(np.uint32)
    return ((color * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _orientation(encoded: bytes) -> int:
    """The EXIF orientation, 1 to 8, of an encoded JPEG; 1 if there is none."""
    start = encoded.find(b"Exif\0\0", 0, 65536) + 6 if encoded.startswith(b"\xff\xd8") else 5
    order = {b"II": "little", b"MM": "big"}.get(encoded[start : start + 2])
    if start < 6 or order is None:
        return 1

    def number(offset: int, size: int) -> int:
        return int.from_bytes(encoded[start + offset : start + offset + size], order)  # type: ignore

    directory = number(4, 4)
    for entry in range(directory + 2, directory + 2 + 12 * number(directory, 2), 12):
        if number(entry, 2) == 0x0112:
            value = number(entry + 8, 2)
            return value if 1 <= value <= 8 else 1
    return 1


def _upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes an EXIF orientation: 5 to 8 are transposed, then each axis is flipped or not."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)
