"""A folder of images, one per file, with or without subfolders for classes."""

from __future__ import annotations

import os
from collections.abc import Sequence

from keras_gen.arguments import checked_number, checked_path
from keras_gen.data.folders.classes import Classes, LabelSource, require_label_source
from keras_gen.data.folders.image_reading import (
    checked_pixels,
    image_files,
    read_images,
)
from keras_gen.data.source import MEMORY_LIMIT, Source
from keras_gen.data.transforms.images import image_size
from keras_gen.messages import warn


def image_folder(
    path: str | os.PathLike,
    size: int | tuple[int, int],
    max_broken: float = 0.1,
    memory_limit: int = MEMORY_LIMIT,
    labels: LabelSource = False,
    channels: int | None = None,
    classes: Sequence[str] | None = None,
    levels: tuple[float, float] | None = None,
) -> Source:
    """Reads all images in a folder and its subfolders, sorted by path.

    Files with an extension in `files.images.SUFFIXES` are decoded, and then cropped and resized by
    `resize_cover`. Links to files and folders are followed. Hidden files and folders, whose names
    begin with a dot, are skipped.

    Unless `channels` is 4, transparent pixels are blended with white, and a warning lists the
    affected files. Without `levels`, 16-bit images are converted to 8 bits. Images whose white
    level is unknown count as unreadable: images with 32-bit values, and 16-bit images that use 14
    bits or fewer.

    Args:
        path: Folder to read.
        size: Side length of square images in pixels, or `(height, width)`.
        max_broken: Maximum fraction of unreadable images, 0 to 1. A warning lists the unreadable
            images.
        memory_limit: Maximum number of bytes that the decoded images may occupy. If they would
            occupy more, images are kept encoded, and are decoded when used.
        labels: Whether an example is `(image, label)` instead of an image alone. The label is the
            index, from 0, of the subfolder that contains the image, with subfolders sorted by name.
            Alternatively, `labels` assigns a class to each file. In this case, `labels` is a dict
            that maps paths in the folder to classes, or the path of a CSV file with or without a
            header. The first column of the CSV file contains the file names or paths in the folder,
            and the second column contains the classes. The CSV file is encoded in UTF-8, or in
            UTF-16 as written by Excel, and its columns are separated by commas, semicolons, or
            tabs. Images that are not in the dict or the CSV file are left out, and a warning states
            their number. If all class names are numbers, they are sorted numerically. If all class
            names are integers, 1.0 and 1 are the same class.
        channels: Number of channels: 3 for RGB, 1 for gray, or 4 for RGB and opacity. If None,
            images are converted to 3 channels, and a warning is issued if all images are gray.
        classes: Names of the classes in the order of their labels. For a folder in which a class is
            missing, pass the `class_names` of the training set.
        levels: Pixel values of black and white in the files, which are mapped to 0 and 255 as
            floats. This scaling preserves the full precision of 16-bit, 32-bit, and floating-point
            gray images (TIFF). Values below black or above white are clipped, and a warning states
            the range of the values.

    Returns:
        Source of images `[height, width, channels]`, uint8 or, with `levels`, float32; or of tuples
        of an image and an int64 label. With labels, its `class_names` are the names of the
        subfolders or classes.

    Raises:
        FileNotFoundError: If the folder does not exist, or contains no image.
        TypeError: If `size` is neither an integer nor two integers, if `max_broken` is not a
            number, or if `path` or `labels` has an unsupported type, such as `labels=1`.
        ValueError: If there are fewer than two readable images, if the unreadable fraction exceeds
            `max_broken`, if an image that needs a label is not in a subfolder, if a class is not
            one of the `classes`, if `labels` lists a file that is not an image in the folder, if
            `labels` assigns no class or two classes to a file, or if an argument is out of range.

    Example:
        >>> photos = image_folder("holiday", size=143)
        >>> scans = image_folder("scans", size=(96, 64), channels=1, levels=(0, 4095))
        >>> train = image_folder("pets/train", size=64, labels=True)
        >>> test = image_folder("pets/test", size=64, classes=train.class_names)
        >>> named = image_folder("pets/all", size=64, labels="pets/classes.csv")
    """
    folder = checked_path("path", path)
    require_label_source(labels)
    sides = image_size("size", size)
    pixels = checked_pixels(channels, levels)
    checked_number("max_broken", max_broken, 0, 1)
    checked_number("memory_limit", memory_limit, minimum=0)
    classes_of = Classes(folder, image_files(folder), labels, classes, "images")
    files = classes_of.files
    hold_decoded = len(files) * pixels.bytes_of(sides) <= memory_limit
    places, stored, decode, colored = read_images(
        folder,
        [(file,) for file in files],
        lambda image: pixels.cover(image, sides),
        hold_decoded,
        max_broken,
        pixels=pixels,
    )
    if channels is None and not colored:
        warn(
            f"All {len(places)} images in {folder} are gray, and are converted to three equal "
            "channels: pass channels=1 for one channel, or channels=3 to keep three."
        )
    return classes_of.source(places, stored, decode)
