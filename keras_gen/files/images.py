"""Images as uint8 arrays: reading, writing, and arranging in a grid."""

import contextlib
import io
import math
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps
from PIL.PngImagePlugin import PngInfo

from keras_gen.arguments import checked_array, checked_path, is_one_of, shown
from keras_gen.files.reading import read_regular
from keras_gen.files.writing import replacing

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".jfif": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
SUFFIXES = tuple(_FORMATS)
"""Extensions of image files, compared without regard to case."""
MOST_PIXELS = 2**28
"""Maximum number of pixels in an image: 16,384 x 16,384, which is 0.75 GiB in RGB."""
MOST_SCANS = 100
"""Maximum number of scans in a JPEG file. Each scan processes all pixels; about 10 are usual."""
LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Weights of red, green, and blue in the luma, according to ITU-R BT.601."""
READABLE_WIDTH = 1000
"""Width, in pixels, of pictures for viewing."""
LARGEST_IMAGE = 256
"""Maximum length, in pixels, to which the longer side of an image in a picture is enlarged."""

# Markers in a JPEG file, except stuffed zeros and restarts, which have no length.
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
_SCAN, _END = b"\xda", b"\xd9"
_TILE_SIDES = (322, 323)  # TIFF tags for the width and length of a tile
_PILLOW_GUARD = threading.Lock()
_LARGE = 2**26  # number of pixels above which images are decoded one at a time
_LARGE_GUARD = threading.Lock()


class Decoded(NamedTuple):
    """A decoded image.

    Attributes:
        pixels: Pixels `[height, width, channels]`. They are uint8 with 3 channels (or 4 with
            opacity) or, for unscaled values, float32 with 3 channels.
        transparent: Whether the file had transparent pixels. Unless `pixels` has 4 channels, these
            pixels are blended with white.
    """

    pixels: np.ndarray
    transparent: bool


def decode_image(contents: bytes, most: int = MOST_PIXELS) -> np.ndarray:
    """Decodes the (first) image in a PNG, JPEG, WebP, GIF, BMP, or TIFF file.

    Gray images are converted to RGB, transparent pixels are blended with white, 16-bit images are
    converted to 8 bits, and photos are rotated according to their EXIF orientation.

    Args:
        contents: Contents of the file.
        most: Maximum number of pixels. Larger images are rejected based on the file's header.

    Returns:
        The image, uint8 `[height, width, 3]`.

    Raises:
        ValueError: If the contents are not an image or are a broken image, if the image has more
            than `most` pixels or `MOST_SCANS` scans, or if the white level is unknown. The white
            level is unknown in images with 32-bit values, or with 16-bit values that use 14 bits or
            fewer.
    """
    return decoded(contents, most).pixels


def decoded(
    contents: bytes, most: int = MOST_PIXELS, alpha: bool = False, unscaled: bool = False
) -> Decoded:
    """Decodes an image like `decode_image`, and reports whether the image was transparent.

    Args:
        contents: Contents of the file.
        most: Maximum number of pixels.
        alpha: Whether to return opacity as a fourth channel.
        unscaled: Whether to return the values unchanged, in three channels. In this case, gray
            images with 16 bits, 32 bits, or floats are also accepted.
    """
    try:
        image = _open(contents)
        refusal = _refusal(image, most) or _refusal_of_scans(contents)
        if not refusal:
            with _LARGE_GUARD if math.prod(image.size) > _LARGE else contextlib.nullcontext():
                stored = f"{image.mode} {image.tile}"
                image.load()
                refusal = (_refusal_of_values if unscaled else _refusal_of_depth)(image, stored)
                if image.format == "PNG":
                    _scale_transparent_level(image, contents[24])
                if not refusal:
                    convert = _values if unscaled else rgba if alpha else rgb
                    return Decoded(convert(image), _is_transparent(image))
    except Exception as error:  # Broken files raise many types of errors.
        raise ValueError(
            f"not a readable PNG, JPEG, WebP, GIF, BMP, or TIFF image ({len(contents)} bytes)"
        ) from error
    raise ValueError(refusal)


def _refusal(image: Image.Image, most: int) -> str:
    """Returns the reason that an image cannot be decoded, or an empty string."""
    # Count a tile's pixels, because a tile is decoded completely even if the image shows little of
    # it.
    tile = [getattr(image, "tag_v2", {}).get(tag, 0) for tag in _TILE_SIDES]
    width, height = max(image.size, tile, key=math.prod)
    if width * height > most:
        return (
            f"an image of {width}x{height} pixels, more than the maximum of {most:,} pixels "
            "(shrink it)"
        )
    return ""


def _refusal_of_scans(contents: bytes) -> str:
    """Returns the reason that a JPEG file cannot be decoded, or an empty string."""
    if not contents.startswith(b"\xff\xd8"):
        return ""
    scans = 0
    place = 2  # position after the first marker
    while scans <= MOST_SCANS and (marker := _MARKER.search(contents, place)):
        if marker[1] == _END:
            break
        scans += marker[1] == _SCAN
        place = marker.end()
        place += int.from_bytes(contents[place : place + 2])
    if scans <= MOST_SCANS:
        return ""
    return f"a JPEG file with more than {MOST_SCANS} scans (save it again)"


def _refusal_of_values(image: Image.Image, stored: str) -> str:
    """Returns the reason that the values of an image are rejected, or an empty string."""
    if ";16" in stored and not image.mode.startswith("I;16"):  # Pillow keeps the upper 8 bits
        return "an image with 16-bit colors (leave levels out, or store it in grayscale)"
    if image.mode == "F" and not np.isfinite(np.asarray(image)).all():
        return "an image with values that are not finite (replace them)"
    return ""


def _refusal_of_depth(image: Image.Image, stored: str) -> str:
    """Returns the reason that an image without a known white level is rejected.

    For example, an image that uses 12 of its 16 bits would be almost black.
    """
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        return (
            f"an image with 32-bit values from {values.min():g} to {values.max():g} (store it "
            "with 8 bits, or pass the values of black and white as levels to image_folder)"
        )
    if ";16" not in stored:
        return ""
    if image.mode.startswith("I;16"):
        largest = int(np.asarray(image).max())
    elif "transparency" in image.info:
        return "a 16-bit image with a transparent color (store it with 8 bits)"
    else:  # for colors, Pillow keeps the upper 8 bits
        largest = 256 * int(np.asarray(image.convert("RGB")).max()) + 255
    if not 0 < largest < 2**14:
        return ""
    bits = largest.bit_length()
    return (
        f"a 16-bit image whose maximum value is {largest:,} instead of 65,535, as if it had "
        f"{bits} bits (multiply the values by {2 ** (16 - bits):,}, store 8 bits, or pass the "
        "values of black and white as levels to image_folder)"
    )


def _scale_transparent_level(image: Image.Image, bits: int) -> None:
    """Makes a PNG's transparent gray level or color comparable with the pixels.

    Only the lowest `bits` bits count, and Pillow scales pixels of fewer bits to 8 bits.
    """
    level = image.info.get("transparency")
    most = 2**bits - 1
    if isinstance(level, int) and image.mode in ("1", "L"):
        level &= most
        image.info["transparency"] = level * 255 // most if bits < 8 else level
    elif isinstance(level, tuple):
        image.info["transparency"] = tuple(value & most for value in level)


def _is_transparent(image: Image.Image) -> bool:
    image = _of_8_bits(image)
    if not image.has_transparency_data:
        return False
    return int(np.asarray(image.convert("RGBA").getchannel("A")).min()) < 255


def _open(contents: bytes) -> ImageFile.ImageFile:
    """Opens an image's header, even if the image exceeds Pillow's own limit."""
    with _PILLOW_GUARD:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(io.BytesIO(contents), formats=tuple(set(_FORMATS.values())))
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def rgb(image: Image.Image) -> np.ndarray:
    """Returns the RGB pixels of a Pillow image or its current frame, uint8 `[height, width, 3]`."""
    image = _of_8_bits(_upright(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def rgba(image: Image.Image) -> np.ndarray:
    """Returns the RGB pixels and the opacity of a Pillow image, uint8 `[height, width, 4]`."""
    return np.array(_of_8_bits(_upright(image)).convert("RGBA"))


def _values(image: Image.Image) -> np.ndarray:
    """Returns the values of a Pillow image, float32 `[height, width, 3]`."""
    if not image.mode.startswith(("I", "F")):
        return rgb(image).astype(np.float32)
    gray = np.asarray(_upright(image), np.float32)
    return np.repeat(gray[..., None], 3, axis=-1)


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # unreadable EXIF data is ignored
        _forget_other_orientations(image)
        image = ImageOps.exif_transpose(image)
    return image


def _forget_other_orientations(image: Image.Image) -> None:
    """Drops an orientation that is only in XMP or text, which browsers and exports ignore."""
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    if image.format != "TIFF" and ExifTags.Base.Orientation not in exif:
        image.getexif().pop(ExifTags.Base.Orientation, None)


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Reduces a 16-bit gray image to 8 bits; Pillow's `convert` would clip the values."""
    if not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image)
    opaque = values != image.info.get("transparency", -1)
    gray = Image.fromarray((values >> 8).astype(np.uint8))
    if not opaque.all():
        gray.putalpha(Image.fromarray(255 * opaque.astype(np.uint8)))
    return gray


def read_image(path: str | Path, channels: int = 3) -> np.ndarray:
    """Reads an image file as uint8 `[height, width, channels]`; see `decode_image`.

    Args:
        path: Path of the file.
        channels: Number of channels: 3 for RGB, blended with white, or 4 for RGB and opacity.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If `channels` is neither 3 nor 4; see also `decode_image`.

    Example:
        >>> image = read_image("photo.jpg")    # doctest: +SKIP
    """
    if not is_one_of(channels, (3, 4)):
        raise ValueError(
            f"channels is {shown(channels)}: expected 3 for RGB, or 4 for RGB and opacity."
        )
    try:
        return decoded(read_regular(path), alpha=channels == 4).pixels
    except ValueError as error:
        raise ValueError(f"{path} is {error}: replace or remove it.") from error


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Writes an image in the format given by the file extension (JPEG and WebP: quality 95).

    Args:
        path: Path of the file, with an extension in `SUFFIXES`. The file is written completely or
            not at all. Its folder is created, and an existing file is replaced.
        image: Image, uint8 `[H, W]`, `[H, W, 1]`, or `[H, W, 3]`, as returned by the functions in
            `keras_gen.workshop.visualize`. For PNG, WebP, and TIFF, `[H, W, 4]` with opacity is
            also accepted.

    Raises:
        OSError: If the file cannot be written.
        ValueError: If the dtype or shape of the image, or the extension of the file, is
            unsupported.

    Example:
        >>> write_image("figures/samples.png", samples(model))    # doctest: +SKIP
    """
    suffix = checked_path("path", path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} does not end in one of {', '.join(SUFFIXES)}: rename it.")
    _write(path, image, _FORMATS[suffix])


def write_png(
    path: str | Path, image: np.ndarray, texts: Mapping[str, str] | None = None
) -> None:
    """Writes uint8 `[H, W]` or `[H, W, 1 | 3 | 4]` as PNG, completely or not at all.

    Args:
        path: Path of the file.
        image: Image to write.
        texts: A dict that maps names to the texts of the file's text chunks.
    """
    info = PngInfo()
    for name, text in (texts or {}).items():
        if not isinstance(text, str):
            raise TypeError(f"texts has the value {shown(text)} for {name}: expected text.")
        info.add_text(name, text)
    _write(path, image, "PNG", pnginfo=info)


def _write(path: str | Path, image: np.ndarray, format: str, **options: Any) -> None:
    pillow = to_pillow(image)
    if pillow.mode == "RGBA" and format not in ("PNG", "WEBP", "TIFF"):
        raise ValueError(
            f"{path} is a {format} file, which cannot store opacity, but the image has 4 channels: "
            "write a PNG file, or convert the image with keras_gen.files.images.as_shown."
        )
    # Pillow would write to the file's descriptor, and ignore that a disk is full.
    encoded = io.BytesIO()
    pillow.save(encoded, format, quality=95, **options)
    with replacing(path) as file:
        file.write(encoded.getvalue())


def to_pillow(image: np.ndarray) -> Image.Image:
    """Converts uint8 `[H, W]` or `[H, W, 1 | 3 | 4]` to a Pillow image."""
    image = checked_array("image", image)
    if (
        image.dtype != np.uint8
        or image.shape[2:] not in ((), (1,), (3,), (4,))
        or image.ndim < 2
        or not image.size
    ):
        raise ValueError(
            f"image is {image.dtype} {list(image.shape)}: expected uint8 [H, W], [H, W, 1], "
            "[H, W, 3], or [H, W, 4]. Convert other channels with "
            "keras_gen.files.images.as_shown, and combine several images into a grid with "
            "keras_gen.workshop.visualize.captioned([images])."
        )
    return Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image)


def as_shown(images: np.ndarray) -> np.ndarray:
    """Converts uint8 images `[..., height, width, channels]` to 1 or 3 visible channels.

    Gray and RGB images are unchanged. Images with four channels (RGB and opacity) are blended with
    white. With any other number of channels, the channels are placed side by side in gray.

    Example:
        >>> as_shown(np.zeros([28, 28, 2], np.uint8)).shape
        (28, 56, 1)
    """
    channels = images.shape[-1]
    if channels in (1, 3):
        return images
    if channels == 4:
        opacity = images[..., 3:] / 255
        return np.round(255 - opacity * (255.0 - images[..., :3])).astype(np.uint8)
    return beside(images)


def beside(images: np.ndarray) -> np.ndarray:
    """Places the channels of images `[..., height, width, channels]` side by side in gray."""
    *rest, height, width, channels = images.shape
    return np.swapaxes(images, -1, -2).reshape(*rest, height, channels * width, 1)


def flat_pixels(images: np.ndarray) -> np.ndarray:
    """Flattens uint8 images `[n, ...]` to vectors, float32 `[n, pixels]` in [0, 1], for PCA.

    Example:
        >>> pca = PCA(30).fit(flat_pixels(images))
    """
    return images.reshape(len(images), -1) / np.float32(255)


def ink_and_center(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the total brightness and center of brightness of images `[..., H, W, C]`, float64.

    The center, `[..., 2]`, is a row and a column in pixels, relative to the center of the image.
    For a black image, the result is the center of the image.

    Example:
        >>> ink_and_center(np.ones([1, 4, 4, 1], "uint8"))
        (array([16.]), array([[0., 0.]]))
    """
    bright = images.sum(axis=-1, dtype=np.float64)
    ink = bright.sum(axis=(-2, -1))
    height, width = bright.shape[-2:]
    rows = bright.sum(axis=-1) @ (np.arange(height) - (height - 1) / 2)
    columns = bright.sum(axis=-2) @ (np.arange(width) - (width - 1) / 2)
    return ink, np.stack([rows, columns], axis=-1) / np.maximum(ink, 1)[..., None]


def luma(images):
    """Returns the luma of RGB images according to ITU-R BT.601, in the units of the images.

    Args:
        images: RGB values `[..., 3]`, either an array of numbers (the result is float64) or a
            tensor of floats.

    Example:
        >>> luma(np.array([255.0, 0.0, 0.0])).round(3)
        array([76.245])
    """
    return images @ LUMA_WEIGHTS[:, None]


def grid(images: np.ndarray, columns: int | None = None, pad: int = 2) -> np.ndarray:
    """Arranges images in an RGB grid on white; its height is `rows * (H + pad) + pad` pixels.

    Args:
        images: Images, uint8 `[N, H, W, channels]` with N >= 1, which are converted by `as_shown`.
            Other shapes and dtypes raise a ValueError.
        columns: Number of images per row. If None, the grid is nearly square.
        pad: Number of white pixels around each image.

    Example:
        >>> grid(np.zeros([6, 28, 28, 1], np.uint8), columns=3).shape
        (62, 92, 3)
    """
    images = checked_array("images", images)
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
        raise ValueError(
            f"images is {images.dtype} {list(images.shape)}: expected uint8 [N, H, W, channels] "
            "with at least one image."
        )
    if (columns is not None and columns < 1) or pad < 0:
        raise ValueError(
            f"columns is {columns} and pad is {pad}: expected at least 1 column and a pad of at "
            "least 0."
        )
    images = as_shown(images)
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


def enlarged_grid(
    images: np.ndarray, columns: int | None = None, width: int = READABLE_WIDTH
) -> np.ndarray:
    """Returns a `grid` at a readable size; pixels become squares as large as the width allows.

    Images are never shrunk, and are never enlarged beyond 256 pixels.

    Args:
        images: Images, uint8 `[N, H, W, channels]`.
        columns: Number of images per row. If None, the grid is nearly square.
        width: Width of the picture in pixels.

    Raises:
        ValueError: See `grid`.

    Example:
        >>> enlarged_grid(np.zeros([6, 28, 28, 1], np.uint8), columns=3).shape
        (558, 828, 3)
    """
    bare = grid(images, columns)
    longest = max(np.shape(images)[1:3])
    scale = max(min(width // bare.shape[1], LARGEST_IMAGE // longest), 1)
    return bare.repeat(scale, axis=0).repeat(scale, axis=1)
