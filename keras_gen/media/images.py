"""Images as uint8 arrays: reading, writing and laying out in a grid."""

import contextlib
import io
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from keras_gen.files import replacing

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
}
SUFFIXES = tuple(_FORMATS)
"""Endings of the files that are taken for images, in any case."""


def decode_image(contents: bytes) -> np.ndarray:
    """Decodes a PNG, JPEG, WebP, GIF (its first frame) or BMP file: uint8 `[height, width, 3]`.

    Gray becomes RGB, transparency is laid over white, 16 bits become 8, and a photo is turned
    upright by its EXIF orientation.

    Raises:
        ValueError: If it is not an image, or a broken one.
    """
    try:
        image = Image.open(io.BytesIO(contents), formats=tuple(set(_FORMATS.values())))
        image.load()
        return rgb(image)
    except Exception as error:  # Broken files end in errors of many kinds.
        raise ValueError(
            f"not a readable PNG, JPEG, WebP, GIF or BMP image ({len(contents)} bytes)"
        ) from error


def rgb(image: Image.Image) -> np.ndarray:
    """The pixels of a Pillow image or its current frame, uint8 `[height, width, 3]`, in RGB."""
    with contextlib.suppress(Exception):  # EXIF data that cannot be read is ignored
        image = ImageOps.exif_transpose(image)
    if image.mode == "I;16":  # gray, whose values `convert` would clip
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def read_image(path: str | Path) -> np.ndarray:
    """Reads an image file as uint8 `[height, width, 3]`; see `decode_image`.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not an image, or a broken one.

    Example:
        >>> image = read_image("photo.jpg")    # doctest: +SKIP
    """
    try:
        return decode_image(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is {error}: replace or remove it.") from error


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Writes an image in the format of the file's ending; JPEG and WebP with quality 95.

    Args:
        path: The file, with one of the endings `SUFFIXES`; replaced if it exists.
        image: uint8 `[H, W]`, `[H, W, 1]` or `[H, W, 3]`.

    Raises:
        ValueError: If the image has another dtype or shape, or the name another ending.

    Example:
        >>> write_image("negative.jpg", 255 - photo)    # doctest: +SKIP
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} does not end in one of {', '.join(SUFFIXES)}: rename it.")
    _write(path, image, _FORMATS[suffix])


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Writes uint8 `[H, W]`, `[H, W, 1]` or `[H, W, 3]` as PNG, complete or not at all."""
    _write(path, image, "PNG")


def _write(path: str | Path, image: np.ndarray, format: str) -> None:
    pillow = to_pillow(image)
    with replacing(path) as file:
        pillow.save(file, format, quality=95)


def to_pillow(image: np.ndarray) -> Image.Image:
    """A Pillow image of uint8 `[H, W]`, `[H, W, 1]` or `[H, W, 3]`, else a ValueError."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim < 2 or image.shape[2:] not in ((), (1,), (3,)):
        raise ValueError(
            f"image is {image.dtype} {list(image.shape)}: expected uint8 [H, W], "
            "[H, W, 1] or [H, W, 3]."
        )
    return Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image)


def flat_pixels(images: np.ndarray) -> np.ndarray:
    """Images, uint8 `[n, ...]`, as vectors, float32 `[n, pixels]` in [0, 1], for PCA and the like.

    Example:
        >>> pca = PCA(30).fit(flat_pixels(images))
    """
    return images.reshape(len(images), -1) / np.float32(255)


def luma(images):
    """Returns the luma of RGB images, by ITU-R BT.601, in the same units.

    Args:
        images: Array of numbers (the result is float64), or tensor of floats, `[..., 3]`.

    Example:
        >>> luma(np.array([255.0, 0.0, 0.0])).round(3)
        array([76.245])
    """
    return images @ np.array([[0.299], [0.587], [0.114]])


def grid(images: np.ndarray, columns: int | None = None, pad: int = 2) -> np.ndarray:
    """Lays images out in rows on white, RGB: `rows * (H + pad) + pad` high, and likewise wide.

    Args:
        images: uint8 `[N, H, W, 1]` or `[N, H, W, 3]`, N >= 1, else a ValueError.
        columns: Images per row. Default: nearly a square.
        pad: White pixels around each image.

    Example:
        >>> grid(np.zeros([6, 28, 28, 1], np.uint8), columns=3).shape
        (62, 92, 3)
    """
    images = np.asarray(images)
    shape = images.shape
    if images.dtype != np.uint8 or len(shape) != 4 or shape[-1] not in (1, 3) or not images.size:
        raise ValueError(
            f"images are {images.dtype} {list(images.shape)}: expected uint8 "
            "[N, H, W, 1] or [N, H, W, 3] with at least one image."
        )
    if (columns is not None and columns < 1) or pad < 0:
        raise ValueError(f"columns={columns} and pad={pad}: expected at least 1 and 0.")
    n, height, width, _ = shape
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
