"""Sizes of compressed images, and images compressed to a given number of bits."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from keras_gen.files.images import to_pillow
from keras_gen.metrics.metric_arguments import as_images
from keras_gen.workshop.baselines.quantized_codes import (
    CodedComponents,
    PatchCodebook,
    QuantizedComponents,
)

_HIGHEST = 95  # above this quality, Pillow's files grow, but images hardly improve


# Lossless formats, each with its strongest compression in Pillow.
_OPTIONS: dict[str, dict] = {
    "PNG": dict(optimize=True),
    "WEBP": dict(lossless=True, quality=100, method=6),
}


def compressed_bits(images: np.ndarray, format: str = "PNG") -> np.ndarray:
    """Returns the size in bits of each image's losslessly compressed file, float64 `[n]`.

    Code lengths define a distribution, so a good likelihood model needs fewer bits than a codec.
    The file header is counted; 456 bits of every PNG file are the same for all images.

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`.
        format: `"PNG"` or `"WEBP"`.

    Example: `compressed_bits(test, "WEBP").mean() / test[0].size` is in bits per dimension.
    """
    if format not in _OPTIONS:
        raise ValueError(f"format is {format!r}: expected one of {', '.join(_OPTIONS)}.")
    bits = []
    for image in as_images(images):
        file = io.BytesIO()
        to_pillow(image).save(file, format, **_OPTIONS[format])
        bits.append(8 * len(file.getvalue()))
    return np.array(bits, np.float64)


def jpeg(images: np.ndarray, quality: int, header: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Returns JPEG-compressed images, uint8 `[n, H, W, 1 or 3]`, and their bits, int64 `[n]`.

    The codec is Pillow's baseline JPEG, with the tables from annex K of the standard and with color
    channels at half the resolution.

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`.
        quality: JPEG quality, 1 to 95.
        header: Whether to count the bits of the whole file. If False, only the entropy-coded data
            are counted, as if the receiver knew the tables. The tables are identical for all images
            of one quality. The tables take up more than 300 bytes (600 for color), which is most of
            a small image's file.

    Example:
        >>> found, bits = jpeg(images, quality=10, header=False)
        >>> psnr(found, images, of="rgb").mean(), bits.mean()
    """
    if not 1 <= quality <= _HIGHEST:
        raise ValueError(f"quality is {quality}: expected 1 to {_HIGHEST}.")
    files = [_file(image, quality) for image in as_images(images)]
    found = np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])
    return found.reshape(images.shape), _bits(files, header)


def jpeg_quality(images: np.ndarray, bits: float, header: bool = False) -> int:
    """Returns the highest JPEG quality, 1 to 95, with at most `bits` bits per image on average.

    Args:
        images: Images, uint8 `[n, H, W, 1 or 3]`.
        bits: Maximum mean number of bits per image. If every quality requires more bits, the result
            is 1.
        header: Whether to count the whole file; see `jpeg`.

    Example: `jpeg(test, jpeg_quality(train, bits=576), header=False)`.
    """
    low = 1
    high = _HIGHEST
    while low < high:
        middle = (low + high + 1) // 2
        files = [_file(image, middle) for image in as_images(images)]
        if _bits(files, header).mean() <= bits:
            low = middle
        else:
            high = middle - 1
    return low


def _file(image, quality) -> bytes:
    file = io.BytesIO()
    to_pillow(image).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _bits(files, header) -> np.ndarray:
    return 8 * np.array([len(file) if header else _scan(file) for file in files], np.int64)


def _scan(file: bytes) -> int:
    """Returns the number of bytes between the header of the only scan and the end marker."""
    place = 2
    marker = 0
    while marker != 0xDA:  # the marker for the start of a scan
        marker = file[place + 1]
        place += 2 + int.from_bytes(file[place + 2 : place + 4], "big")
    return len(file) - 2 - place


def code_baselines(
    training: np.ndarray,
    images: np.ndarray,
    bits: int,
    patches: int | None = None,
    seed: int = 0,
) -> tuple[dict[str, np.ndarray], float]:
    """Reconstructs images with several codes that do not require a network.

    Args:
        training: Training images, uint8 `[n, H, W, C]`, to which the codes are fitted.
        images: Images to reconstruct, uint8 `[m, H, W, C]`.
        bits: Bits per image for the principal components and for JPEG.
        patches: Number of codes in a codebook of 4x4 patches; the number of bits per image may
            differ from `bits`. If None, there is no codebook.
        seed: Seed for the codebook.

    Returns:
        A dict that maps the names of codes to reconstructions, and the mean number of bits per
        image that JPEG requires. "kmeans" is `PatchCodebook`, "pca" is `QuantizedComponents`, and
        "coded_pca" is `CodedComponents`, with `bits` bits on average. "jpeg" is JPEG without its
        header, at the highest quality at which training images require at most `bits` bits on
        average.

    Example:
        >>> found, bits_jpeg = code_baselines(train, test, bits=576, patches=512)
        >>> psnr(found["pca"], test, of="rgb").mean()
    """
    found = {}
    if patches is not None:
        found["kmeans"] = PatchCodebook(training, 4, patches, seed).reconstruct(images)
    found["pca"] = QuantizedComponents(training, bits).reconstruct(images)
    found["coded_pca"] = CodedComponents(training, bits).reconstruct(images)
    found["jpeg"], used = jpeg(images, jpeg_quality(training, bits), header=False)
    return found, used.mean()
