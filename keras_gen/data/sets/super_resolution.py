"""Photographs of any size for training super-resolution models, and benchmark images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_gen.arguments import checked_path
from keras_gen.checked_arguments import checked_types
from keras_gen.data.folders.image_reading import image_files
from keras_gen.data.offline.images import photographs
from keras_gen.data.sets.near_duplicates import near_duplicates
from keras_gen.data.sets.splits import OFFLINE_WARNING, Split
from keras_gen.data.sets.tfds import default_data_dir
from keras_gen.data.source import Source
from keras_gen.files.images import read_image

TRAINING = ("T91", "bsds500_half")
HELD_OUT = 20  # number of images in the last training folder that are used for model selection
BENCHMARKS = ("Set5", "Set14")


@checked_types
def photograph_patches(
    side: int, images: Path | str | None = None, apart_from: Sequence[np.ndarray] = ()
) -> Split:
    """Cuts photographs into squares that overlap by half, uint8 `[side, side, 3]`.

    The photographs are the 91 images of Yang, Wright, Huang, Ma: "Image Super-Resolution via Sparse
    Representation", IEEE TIP 2010, and the training images of BSDS500 (Arbelaez, Maire, Fowlkes,
    Malik: "Contour Detection and Hierarchical Image Segmentation", PAMI 2011) at half size. All
    photographs are read from the folders `super_resolution/T91` and `super_resolution/bsds500_half`
    in `downloads/manual` in TFDS_DATA_DIR. Squares from the last 20 images are held out. If these
    folders do not exist, parts of the photographs that ship with scikit-learn replace them.

    Args:
        side: Side length of the squares in pixels. Smaller images are left out.
        images: Folder of photographs to use instead; squares from every tenth image are held out.
        apart_from: Test images of any size, uint8. Photographs with the same content as a test
            image (`near_duplicates`) are left out, and the source's origin reports their number.
            For example, `woman` in Set5 is part of BSDS500.

    Raises:
        ValueError: If no image is large enough.

    Example:
    ```python
    tests = benchmark_images(4)
    batches = photograph_patches(112, apart_from=tests["Set5"]).train.stream(16)
    ```
    """
    warning = ""
    if images is not None:
        found = _images(images)
        held_out = np.arange(len(found)) % min(10, max(2, len(found))) == 0
        what, where = "photographs", f", from {images}"
    else:
        folders = [_folder() / name for name in TRAINING]
        if all(folder.is_dir() for folder in folders):
            found = [image for folder in folders for image in _images(folder)]
            held_out = np.arange(len(found)) >= len(found) - HELD_OUT
            what, where = " and ".join(TRAINING), f", from {_folder()}"
        else:
            found = photographs()
            held_out = np.arange(len(found)) == len(found) - 1
            what, where = "offline sample: photographs that ship with scikit-learn", ""
            missing = f"{_folder()} does not contain the image folders {', '.join(TRAINING)}"
            warning = OFFLINE_WARNING.format(
                f"the data is not prepared in {default_data_dir()}: {missing}"
            )
    repeated = {one for one, _ in near_duplicates(found, apart_from)} if apart_from else set()
    if repeated:
        what = f"{what} ({len(repeated)} left out because a test set contains them)"
    parts = []
    for part in (~held_out, held_out):
        numbers = set(np.flatnonzero(part)) - repeated
        chosen = [image for number, image in enumerate(found) if number in numbers]
        squares = [square for image in chosen for square in _squares(image, side)]
        if not squares:
            raise ValueError(
                f"None of the {len(chosen)} images ({what}{where}) has at least {side} pixels per "
                "side: use larger images, or crop smaller squares."
            )
        origin = f"squares of {len(chosen)} {what}{where}"
        parts.append(Source(np.stack(squares), origin=origin))
    train, test = parts
    return Split(train, test, warning)


@checked_types
def benchmark_images(factor: int) -> dict[str, list[np.ndarray]]:
    """Returns the images of Set5 and Set14, uint8, with sides cropped to multiples of `factor`.

    Bevilacqua, Roumy, Guillemot, Alberi Morel: "Low-Complexity Single-Image Super-Resolution Based
    on Nonnegative Neighbor Embedding", BMVC 2012; Zeyde, Elad, Protter: "On Single Image Scale-Up
    Using Sparse-Representations", 2010. The images are read from folders named after the two sets
    in `downloads/manual/super_resolution` in TFDS_DATA_DIR. If these folders do not exist, a
    photograph that ships with scikit-learn replaces both sets.

    Example:
        >>> images = benchmark_images(4)["Set5"]
    """
    found = {}
    for name in BENCHMARKS:
        folder = _folder() / name
        images = _images(folder) if folder.is_dir() else [photographs()[-1][:96, :128]]
        found[name] = [_divisible(image, factor) for image in images]
    return found


def _folder() -> Path:
    return default_data_dir() / "downloads" / "manual" / "super_resolution"


def _images(folder: Path | str) -> list[np.ndarray]:
    return [read_image(file) for file in image_files(checked_path("images", folder))]


def _squares(image: np.ndarray, side: int) -> list[np.ndarray]:
    height, width, _ = image.shape
    tops, lefts = (_starts(length, side) for length in (height, width))
    return [image[top : top + side, left : left + side] for top in tops for left in lefts]


def _starts(length: int, side: int) -> np.ndarray:
    """Returns start positions of squares that cover a line evenly and overlap by at least half."""
    if length < side:
        return np.empty(0, int)
    count = 1 + -(-2 * (length - side) // side)
    return np.round(np.linspace(0, length - side, count)).astype(int)


def _divisible(image: np.ndarray, factor: int) -> np.ndarray:
    height, width, _ = image.shape
    return image[: height - height % factor, : width - width % factor]
