"""Reads the images in a folder, with one or more images per example, and skips broken images."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_list, checked_number, is_one_of, shown
from keras_gen.data.source import Stack
from keras_gen.data.transforms.images import cover_window, resized, rounded_levels
from keras_gen.files.images import SUFFIXES, Decoded, decoded, luma
from keras_gen.files.reading import read_regular
from keras_gen.messages import warn

# Extensions of image types that cannot be read.
_UNREAD = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".dng", ".cr2", ".nef", ".arw")
_MOST_VISITS = 100  # maximum number of visits to one folder through links
_OF_SYSTEMS = ("__MACOSX", "@eaDir")  # folders that archives and file servers add


class Pixels(NamedTuple):
    """The format to which the images in a folder are decoded.

    Attributes:
        channels: Number of channels: 1 for gray, 3 for RGB, or 4 for RGB and opacity.
        levels: Pixel values of black and white in the files; None for 8-bit images.
    """

    channels: int = 3
    levels: tuple[float, float] | None = None

    @property
    def decoded_channels(self) -> int:
        """Number of channels of a decoded file."""
        return 4 if self.channels == 4 else 3

    @property
    def spec(self) -> tf.TensorSpec:
        """Specification of a decoded file: uint8, or floats if `levels` is not None."""
        dtype = tf.uint8 if self.levels is None else tf.float32
        return tf.TensorSpec([None, None, self.decoded_channels], dtype)

    def bytes_of(self, size: tuple[int, int]) -> int:
        """Returns the number of bytes in an image of the given size."""
        return size[0] * size[1] * self.channels * (1 if self.levels is None else 4)

    def decode(self, contents: bytes) -> np.ndarray:
        """Decodes a file in the format of `spec`."""
        return self.decoded(contents).pixels

    def decoded(self, contents: bytes) -> Decoded:
        """Decodes a file in the format of `spec`; see `files.images.decoded`."""
        unscaled = self.levels is not None
        return decoded(contents, alpha=self.channels == 4, unscaled=unscaled)

    def cover(self, image: tf.Tensor, size: tuple[int, int], window=None) -> tf.Tensor:
        """Resizes a decoded image and converts it to the required channels and levels.

        Args:
            image: Image in the format of `spec`.
            size: Height and width of the result.
            window: Window of the image that is resized. If None, the window of `resize_cover` is
                used.
        """
        window = cover_window(image, size) if window is None else window
        if self.channels == 4:
            return _resized_with_opacity(image, window, size)
        image = resized(image, window, size)
        if self.levels is None:
            image = rounded_levels(image)
            return tf.image.rgb_to_grayscale(image) if self.channels == 1 else image
        black, white = self.levels
        scaled = tf.clip_by_value((image - black) * (255 / (white - black)), 0.0, 255.0)
        return tf.cast(luma(scaled), tf.float32) if self.channels == 1 else scaled


def checked_pixels(channels: Any, levels: Any = None) -> Pixels:
    """Returns the format for the arguments of `image_folder`; None for `channels` means 3.

    Raises:
        TypeError: If `levels` are not numbers.
        ValueError: If a value is out of range, or if `levels` is combined with opacity.
    """
    if channels is not None and not is_one_of(channels, (1, 3, 4)):
        raise ValueError(
            f"channels is {shown(channels)}: expected 3 for RGB, 1 for gray, or 4 for RGB and "
            "opacity."
        )
    if levels is None:
        return Pixels(channels or 3)
    numbers = [checked_number("levels", each) for each in checked_list("levels", levels)]
    if len(numbers) != 2 or numbers[0] == numbers[1]:
        raise ValueError(
            f"levels is {shown(levels)}: expected the values of black and white, such as (0, 4095)."
        )
    if channels == 4:
        raise ValueError(
            "channels is 4, but levels is set: expected 1 or 3 channels. Leave out one of the "
            "two arguments."
        )
    return Pixels(channels or 3, (numbers[0], numbers[1]))


def _resized_with_opacity(image: tf.Tensor, window: list, size: tuple[int, int]) -> tf.Tensor:
    """Resizes an RGBA image so that the colors of transparent pixels do not bleed into others."""
    image = tf.cast(image, tf.float32)
    opacity = image[..., 3:]
    premultiplied = resized(
        tf.concat([image[..., :3] * opacity, opacity], axis=-1), window, size
    )
    colors = tf.math.divide_no_nan(premultiplied[..., :3], premultiplied[..., 3:])
    return rounded_levels(tf.concat([colors, premultiplied[..., 3:]], axis=-1))


RGB = Pixels()


class Read(NamedTuple):
    """The readable examples.

    Attributes:
        places: Indices of the readable examples in the list of all examples.
        stored: Arrays of the examples, or of their encoded bytes, as stored in a `Source`.
        decode: Function that maps encoded bytes to an example, or None if examples are stored
            decoded.
        colored: Whether at least one image is not gray.
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
    pixels: Pixels = RGB,
) -> Read:
    """Reads and decodes examples with one or more image files each.

    Args:
        folder: Folder of the files, for messages.
        examples: Files of each example.
        fit: TensorFlow function that maps an example's images to an array of fixed shape or to a
            tuple of such arrays. The images are `[height, width, channels]`, of any size, in the
            format `pixels`.
        hold_decoded: Whether the results of `fit` are stored instead of the encoded files.
        max_broken: Maximum fraction of unreadable examples. A warning lists the unreadable
            examples, and another warning lists images with transparent pixels.
        check: Function that accepts an example's images as arrays, and raises a ValueError if the
            images are unsuitable. Unsuitable examples count as unreadable.
        pixels: Format of the images.

    Raises:
        ValueError: If the unreadable fraction exceeds `max_broken`, or if fewer than two examples
            are readable.
    """
    images_of = len(examples[0])
    of_images = [pixels.spec] * images_of
    of_bytes = [tf.TensorSpec([], tf.string)] * images_of
    # The function is traced here, so that TensorFlow does not warn of retracing when many folders
    # are read.
    fitted = tf.function(fit, autograph=False).get_concrete_function(*of_images)
    transparent: list[Path] = []
    colored: list[Path] = []
    ranges: list[tuple] = []

    def read(files: tuple[Path, ...]) -> Any:
        contents = []
        images = []
        for file in files:
            try:
                contents.append(read_regular(file))
                # Files whose bytes are stored are also decoded, to find damaged files.
                image = pixels.decoded(contents[-1])
            except (OSError, ValueError) as error:
                return Broken(file, str(error))
            images.append(image.pixels)
            if image.transparent:
                transparent.append(file)
            if not colored and (image.pixels[..., :3] != image.pixels[..., :1]).any():
                colored.append(file)
            ranges.append((image.pixels.min(), image.pixels.max()))
        try:
            if check is not None:
                check(*images)
        except ValueError as error:
            return Broken(files[0], str(error))
        if not hold_decoded:
            return contents
        return tf.nest.map_structure(lambda part: part[None], fitted(*images))

    @tf.function(input_signature=of_bytes, autograph=False)
    def decode(*contents: tf.Tensor) -> Any:
        images = []
        for each in contents:
            image = tf.numpy_function(pixels.decode, [each], pixels.spec.dtype, stateful=False)
            images.append(tf.ensure_shape(image, pixels.spec.shape))
        return fitted(*images)

    places: list[int] = []
    broken: list[Broken] = []
    encoded: list = []
    held = Stack(len(examples))
    with ThreadPoolExecutor(os.cpu_count()) as pool, tf.device("CPU:0"):
        for place, each in enumerate(pool.map(read, examples)):
            if isinstance(each, Broken):
                broken.append(each)
                continue
            places.append(place)
            if hold_decoded:
                held.add(each)
            else:
                encoded.append(each)
    if broken:
        report_broken(folder, "images", broken, len(examples), max_broken)
    if pixels.levels is not None and ranges:
        _report_range(
            folder, min(low for low, _ in ranges), max(high for _, high in ranges), pixels
        )
    if transparent and pixels.channels != 4:
        names = listed([os.path.relpath(file, folder) for file in sorted(transparent)])
        warn(
            f"Images in {folder} with transparent pixels ({len(transparent)}) are blended with "
            f"white: {names}"
        )
    if len(places) < 2:
        raise ValueError(
            f"{folder} contains {len(places)} readable "
            f"image{'' if images_of == 1 else ' pair'}{'' if len(places) == 1 else 's'}: expected "
            "at least 2. Add more images."
        )
    if hold_decoded:
        return Read(places, held.tensors(), None, bool(colored))
    # The bytes are kept in a tensor, because NumPy byte strings lose trailing NULs.
    stored = tuple(tf.constant(column) for column in zip(*encoded, strict=True))
    if images_of == 1:
        return Read(places, stored[0], decode, bool(colored))
    return Read(places, stored, lambda contents: decode(*contents), bool(colored))


def _report_range(folder: Path, low: float, high: float, pixels: Pixels) -> None:
    """Warns if values are outside of the levels, or use only a small part of their range."""
    darkest, brightest = sorted(pixels.levels or ())
    found = f"The images in {folder} have values from {low:g} to {high:g}"
    if low < darkest or high > brightest:
        warn(f"{found}: values outside the levels {darkest:g} to {brightest:g} are clipped.")
    elif high - low < 0.1 * (brightest - darkest):
        warn(
            f"{found}, which is less than a tenth of the range from {darkest:g} to {brightest:g}: "
            f"pass levels=({low:g}, {high:g}) for more contrast."
        )


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
    """Returns the files of one type in a folder and its subfolders, sorted by path.

    Links are followed. Hidden files and folders, whose names begin with a dot, are skipped.

    Args:
        folder: Folder to search.
        noun: Plural noun used in messages for the files, such as "images".
        suffixes: Extensions of these files, in lowercase.
        unread: Extensions of unsupported files, which are listed in a warning or in the error.
        converted: Format to which unsupported files should be converted.

    Raises:
        FileNotFoundError: If the folder does not exist, or contains no such file.
        ValueError: If links lead to one folder more than 100 times.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}: expected a folder with {noun}.")
    seen = list(_visible_files(folder, (), Counter()))
    files = [file for file in seen if file.suffix.lower() in suffixes]
    skipped = [file.name for file in seen if file.suffix.lower() in unread]
    if not files:
        convert = f". Convert {listed(skipped)}" if skipped else ""
        without = f"contains files ({len(seen)}) but no {noun}"
        held = without if seen else "is empty"
        raise FileNotFoundError(
            f"{folder} {held}: expected files that end in {', '.join(suffixes)}{convert}."
        )
    if skipped:
        warn(
            f"{noun.capitalize()} in {folder} with unsupported types ({len(skipped)}) are skipped. "
            f"Convert them to {converted}: {listed(skipped)}"
        )
    return files


def visible(folder: Path) -> list[Path]:
    """Returns a folder's contents, sorted by name, without hidden files and folders."""
    return [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.name not in _OF_SYSTEMS
    ]


def listed(names: list[str]) -> str:
    """Returns up to 20 names, joined into one line."""
    joined = ", ".join(names[:20])
    return f"{joined} and {len(names) - 20} more" if len(names) > 20 else joined


class Broken(NamedTuple):
    """A file that cannot be read, and the reason."""

    file: Path
    why: str


def _visible_files(
    folder: Path, above: tuple[Path, ...], visits: Counter[Path]
) -> Iterator[Path]:
    """Returns the files below a folder, sorted by path; follows links, but not in cycles.

    Args:
        folder: Folder to search.
        above: Folders that contain this folder, with links resolved.
        visits: Number of times that each folder has been searched.

    Raises:
        ValueError: If links lead to a folder too often; even a few links could repeat it endlessly.
    """
    real = folder.resolve()
    if real in above:
        return
    visits[real] += 1
    if visits[real] > _MOST_VISITS:
        raise ValueError(
            f"The folder {real} is reached through links more than {_MOST_VISITS} times: "
            "remove some of these links, or copy the files instead."
        )
    for path in visible(folder):
        if path.is_dir():
            yield from _visible_files(path, (*above, real), visits)
        else:
            yield path


def report_broken(
    folder: Path, noun: str, broken: list[Broken], count: int, max_broken: float
) -> None:
    """Warns about broken files; raises a ValueError if their fraction exceeds `max_broken`."""
    files_of: dict[str, list[str]] = {}
    examples: dict[str, str] = {}
    for file, why in broken:
        alike = re.sub(r"\d+", "", why)  # without numbers, which may vary by file
        examples.setdefault(alike, why)
        files_of.setdefault(alike, []).append(os.path.relpath(file, folder))
    reasons = listed([f"{listed(names)} ({examples[why]})" for why, names in files_of.items()])
    found = f"{len(broken)} of {count} {noun} in {folder} are unreadable"
    if len(broken) > max_broken * count:
        raise ValueError(
            f"{found}: expected a fraction of at most {max_broken:g}. Repair or remove {reasons}, "
            "or increase max_broken."
        )
    warn(f"{found} and are skipped: {reasons}")
