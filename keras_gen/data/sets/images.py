"""Image datasets: small images such as MNIST, faces, photographs, and paintings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_path
from keras_gen.checked_arguments import checked_types
from keras_gen.data.folders.image_folder import image_folder
from keras_gen.data.folders.image_reading import visible
from keras_gen.data.folders.pairs import side_by_side
from keras_gen.data.offline.images import (
    offline_color_digits,
    offline_digits,
    offline_pairs,
    offline_unpaired,
)
from keras_gen.data.sets.splits import OFFLINE_WARNING, Domains, Split
from keras_gen.data.sets.tfds import DataUnavailable, load_tfds
from keras_gen.data.source import Source
from keras_gen.data.transforms.images import pad_to, resize_cover

_COLORED = ("cifar10",)  # datasets with 32x32 color images
_PAINTINGS = "cycle_gan/monet2photo"
_LEAST_HELD_OUT = 3  # minimum number of held-out images for comparisons of sets
_LEAST_LABELED = 10  # minimum number of images to compare with classifiers; see `sample_report`


@checked_types
def small_images(
    name: str,
    labels: bool = False,
    images: Path | str | None = None,
    fill: bool = False,
    first: int | None = None,
) -> Split:
    """Loads a dataset of small labeled images such as MNIST, as uint8 `[28, 28, 1]`.

    The dataset comes from tensorflow-datasets. If it is unavailable, the digits that ship with
    scikit-learn replace it; for `"cifar10"`, these digits are colored and have the shape of
    CIFAR-10 images.

    Args:
        name: Name of the dataset: `"mnist"`, `"fashion_mnist"`, `"cifar10"` (`[32, 32, 3]`),
            `"usps"` (its 16x16 digits are enlarged to 20x20 and centered in 28x28, as in MNIST), or
            another dataset in tensorflow-datasets with the splits train and test.
        labels: Whether an example is `(image, label)` instead of an image alone.
        images: Folder of images to use instead, which are resized to the shape of the dataset's
            images. The images are always shuffled in the same way, and every tenth image is held
            out. With labels, at least ten images are held out if the folder contains 50 or more.
            The label of an image is its subfolder or, without subfolders, its cluster when images
            are clustered by their colors.
        fill: Whether USPS digits are enlarged to the full 28x28 pixels, without MNIST's margin, as
            in papers on domain adaptation between the two datasets.
        first: Number of examples to read from the start of each part, which is faster than reading
            all examples. If None, all examples are read.

    Raises:
        ValueError: If the folder contains too few images, or if `first` is below 1.
        DataDamaged: If a prepared dataset is damaged.

    Example:
    ```python
    batches = small_images("mnist").train.stream(100)
    ```
    """
    colored = name in _COLORED
    if images is not None:
        side, channels = (32, 3) if colored else (28, 1)
        own = _own(images, side, labels=labels, channels=channels)
        return _first(own, first)
    features = ("image", "label") if labels else "image"
    size = (28 if fill else 20) if name == "usps" else None
    try:
        train = load_tfds(name, "train", features=features, size=size, first=first)
        test = load_tfds(name, "test", features=features, size=size, first=first)
    except DataUnavailable as error:
        sample = (
            offline_color_digits(labels=labels) if colored else offline_digits(labels=labels)
        )
        split = Split(sample["train"], sample["test"], OFFLINE_WARNING.format(error))
        return _first(split, first)
    if name == "usps":
        train, test = train.map(_framed), test.map(_framed)
    return Split(train, test)


def _first(split: Split, count: int | None) -> Split:
    """Returns the first examples of each part."""
    if count is None:
        return split
    return dataclasses.replace(split, train=split.train.take(count), test=split.test.take(count))


@checked_types
def faces(size: int = 64, images: Path | str | None = None, labels: bool = False) -> Split:
    """Loads faces as uint8 `[size, size, 3]`.

    The faces are from CelebA (Liu, Luo, Wang, Tang: "Deep Learning Face Attributes in the Wild",
    ICCV 2015) in tensorflow-datasets; the center square of each image is resized. The last images
    of the training part are the official validation part, which has 19,867 images in the full
    dataset. If CelebA is unavailable, it is replaced by the digits that ship with scikit-learn,
    blended into photographs.

    Args:
        size: Side length of the images in pixels.
        images: Folder of images to use instead, as in `small_images`.
        labels: Whether an example is `(image, label)` instead of an image alone. For CelebA, the
            label is 0 for women and 1 for men, plus 2 if the person smiles.

    Example:
    ```python
    data = faces(32)
    ```
    """
    if images is not None:
        return _own(images, size, labels=labels)
    features = ("image", "attributes/Male", "attributes/Smiling") if labels else "image"
    try:
        train = load_tfds("celeb_a", "train+validation", size=size, features=features)
        test = load_tfds("celeb_a", "test", size=size, features=features)
    except DataUnavailable as error:
        sample = offline_color_digits(size, labels=labels)
        return Split(sample["train"], sample["test"], OFFLINE_WARNING.format(error))
    if labels:
        train, test = train.map(_with_label), test.map(_with_label)
    return Split(train, test)


@checked_types
def facades(size: int, pairs: Path | None = None) -> Split:
    """Loads facades as pairs (labels, photograph), each uint8 `[size, size, 3]`.

    Tylecek, Sara: "Spatial Pattern Templates for Recognition of Objects with Regular Structure",
    GCPR 2013, with the split used by pix2pix. The training part contains 500 pairs, of which the
    last 100 are the validation pairs. Labels are shown as colors, and are resized with
    nearest-neighbor interpolation to avoid new colors. If the facades are unavailable, offline
    photographs and blocks of their colors replace them.

    Args:
        size: Side length to which all images are resized, in pixels.
        pairs: Folder of images to use instead, with the source in the left half and the target in
            the right half (`side_by_side`). The pairs are shuffled, and every tenth pair is held
            out.

    Example:
    ```python
    batches = facades(64).train.stream(1)
    ```
    """
    if pairs is not None:
        own = side_by_side(pairs, size)
        return _split(own.select(np.random.default_rng(0).permutation(len(own))))
    try:
        train, test = (
            load_tfds("facades", part, features=("labels", "photo"))
            for part in ("train+validation", "test")
        )
    except DataUnavailable as error:
        sample = offline_pairs(size)
        return Split(sample["train"], sample["test"], OFFLINE_WARNING.format(error))

    def resized(labels, photo):
        nearest = tf.image.resize(labels, [size, size], "nearest")
        return nearest, resize_cover(photo, size)

    return Split(train.map(resized), test.map(resized))


@checked_types
def photos_and_paintings(
    size: int, photos: Path | None = None, paintings: Path | None = None, seed: int = 0
) -> Domains:
    """Loads photographs (X) and paintings (Y) from `cycle_gan/monet2photo` of tensorflow-datasets.

    If the images are unavailable, they are replaced by photographs that ship with scikit-learn and
    by paintings computed from these photographs.

    Args:
        size: Side length to which all images are resized and cropped, in pixels.
        photos: Folder of photographs to use instead. Every tenth photograph is held out; at least
            three photographs are held out in total.
        paintings: Folder of paintings to use instead; required if and only if `photos` is given.
        seed: Seed for the offline sample's crops.

    Raises:
        ValueError: If one folder is given without the other, or if a folder contains too few
            images.
        DataDamaged: If a prepared dataset is damaged.

    Example:
    ```python
    domains = photos_and_paintings(143)
    ```
    """
    if (photos is None) != (paintings is None):
        raise ValueError(
            "Only one of --photos and --paintings is set: expected both or neither."
        )
    if photos is not None and paintings is not None:
        x = _split(image_folder(photos, size, channels=3))
        y = _split(image_folder(paintings, size, channels=3))
        return Domains(x.train, y.train, x.test, y.test)
    try:
        return Domains(  # in the dataset, A contains Monet's paintings, and B the photographs
            train_x=load_tfds(_PAINTINGS, "trainB", size=size),
            train_y=load_tfds(_PAINTINGS, "trainA", size=size),
            test_x=load_tfds(_PAINTINGS, "testB", size=size),
            test_y=load_tfds(_PAINTINGS, "testA", size=size),
        )
    except DataUnavailable as error:
        sample = offline_unpaired(size, seed=seed)
        return Domains(
            train_x=sample["photo_train"],
            train_y=sample["painting_train"],
            test_x=sample["photo_test"],
            test_y=sample["painting_test"],
            warning=OFFLINE_WARNING.format(error),
        )


@checked_types
def photographs(size: int, images: Path | str | None = None, seed: int = 0) -> Split:
    """Loads the photographs from `photos_and_paintings` as uint8 `[size, size, 3]`.

    Args:
        size: Side length to which all images are resized and cropped, in pixels.
        images: Folder of images to use instead, as in `small_images`.
        seed: Seed for the offline sample's crops.

    Example:
    ```python
    data = photographs(72)
    ```
    """
    if images is not None:
        return _own(images, size)
    try:
        train = load_tfds(_PAINTINGS, "trainB", size=size)
        test = load_tfds(_PAINTINGS, "testB", size=size)
    except DataUnavailable as error:
        sample = offline_unpaired(size, seed=seed)
        warning = OFFLINE_WARNING.format(error)
        return Split(sample["photo_train"], sample["photo_test"], warning)
    return Split(train, test)


def _framed(image, *label):
    image = pad_to(image, 28)
    return (image, *label) if label else image


def _with_label(image, male, smiling):
    return image, tf.cast(male, tf.int64) + 2 * tf.cast(smiling, tf.int64)


def _own(images: Path | str, side: int, labels: bool = False, channels: int = 3) -> Split:
    """Returns a folder's images in random order, because the last paths in order share a class."""
    images = checked_path("images", images)
    has_classes = images.is_dir() and any(path.is_dir() for path in visible(images))
    own = image_folder(images, side, labels=labels and has_classes, channels=channels)
    least = _LEAST_LABELED if labels else _LEAST_HELD_OUT
    split = _split(own.select(np.random.default_rng(0).permutation(len(own))), least)
    if labels and not has_classes:
        split = _labeled_by_look(split)
    if labels and len(np.unique(split.train._tensors[1])) < 2:
        raise ValueError(
            f"{own.origin}: found one training class, but expected at least two. Put the images "
            "of each class into a subfolder, or put at least two different images directly into "
            "the folder."
        )
    return split


def _labeled_by_look(split: Split) -> Split:
    """Labels images by clusters of their colors, for classifiers that evaluate samples."""
    from sklearn.cluster import KMeans

    parts = split.train.arrays(), split.test.arrays()
    colors = [
        tf.image.resize(part, [4, 4], method="area").numpy().reshape(len(part), -1)
        for part in parts
    ]
    count = max(2, min(10, len(colors[0]) // 10))
    clusters = KMeans(count, n_init=4, random_state=0).fit(colors[0])
    found = f"without classes: {count} color clusters are used instead"
    train, test = [
        Source(
            (part, clusters.predict(each).astype(np.int64)), origin=f"{source.origin}, {found}"
        )
        for source, part, each in zip((split.train, split.test), parts, colors, strict=True)
    ]
    return Split(train, test)


def images_needed(train: int, held_out: int) -> int:
    """Returns the number of images that a folder must contain for parts of the given sizes.

    Args:
        train: Minimum number of training images.
        held_out: Minimum number of held-out images: 3, or 10 with labels.

    Example:
        >>> images_needed(16, 10)
        50
    """
    least = max(held_out, _LEAST_HELD_OUT)
    count = 10 * least + 2 * train
    while count >= 2 * _LEAST_HELD_OUT:
        of_test = -(-count // _stride(count, least))
        if of_test < held_out or count - of_test < train:
            break
        count -= 1
    return count + 1


def _stride(count: int, least: int) -> int:
    """Returns the interval between held-out images: ten, or less if needed to hold out `least`."""
    return min(10, count // (least if count >= 5 * least else _LEAST_HELD_OUT))


def _split(source: Source, least: int = _LEAST_HELD_OUT) -> Split:
    """Holds out every tenth image, or more of a small set, because comparisons need three images.

    At least `least` images are held out if there are at least five times as many images.
    """
    every = _stride(len(source), least)
    if every < 2:
        raise ValueError(
            f"{source.origin}: expected at least {2 * _LEAST_HELD_OUT} images, "
            f"{_LEAST_HELD_OUT} of which are held out."
        )
    held_out = np.arange(len(source)) % every == 0
    train = source.select(~held_out, f"{source.origin}, {every - 1} of {every}")
    test = source.select(held_out, f"{source.origin}, 1 of {every}")
    return Split(train, test)
