"""Data sets with held-out parts, downloaded or offline."""

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.data.folders.image_folder import image_folder
from keras_gen.data.offline.images import offline_color_digits, offline_digits, offline_unpaired
from keras_gen.data.sets.catalogue import DataUnavailable, load_tfds
from keras_gen.data.source import Source
from keras_gen.data.transforms.images import pad_to


class Parts:
    """Sources in fields, which can be described."""

    def parts(self) -> dict[str, Source]:
        """Returns the sources by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Source)}

    def describe(self) -> dict[str, str]:
        """Returns the size and the origin of each source."""
        return {k: f"{len(v)} examples: {v.origin}" for k, v in self.parts().items()}

    def identity(self) -> dict[str, str]:
        """Returns size, origin without folders, and checksum of each source: what it resumes on."""
        found = self.record()
        return {k: f"{found[k]}, checksum {v.checksum()}" for k, v in self.parts().items()}

    def record(self) -> dict[str, str]:
        """Returns the name, and sizes and origins without folders, for what is passed on."""
        parts = {k: text.split(", from ")[0] for k, text in self.describe().items()}
        first = next(iter(self.parts().values()))
        return {"name": first.origin.split(",")[0], **parts}


@dataclasses.dataclass(frozen=True)
class Split(Parts):
    """A training and a held-out part.

    Attributes:
        train: Training part.
        test: Held-out part.
        warning: What the user must know about this data; empty for the data that was asked for.
    """

    train: Source
    test: Source
    warning: str = ""

    def for_validation(self, count: int) -> "Split":
        """Returns a split made of the training part alone, whose last examples are held out.

        Args:
            count: How many.

        Raises:
            ValueError: If it leaves nothing to train on.
        """
        if not 0 < count < len(self.train):
            raise ValueError(
                f"{count} of {len(self.train)} training examples cannot be held out: choose 1 to "
                f"{len(self.train) - 1}."
            )
        known, rest = slice(-count), slice(-count, None)
        return Split(self.train.select(known), self.train.select(rest), self.warning)


@dataclasses.dataclass(frozen=True)
class Domains(Parts):
    """Two domains, X and Y, of uint8 images `[size, size, 3]`.

    Attributes:
        train_x: Training part of X.
        train_y: Training part of Y.
        test_x: Held-out part of X.
        test_y: Held-out part of Y.
        warning: What the user must know about this data; empty for the data that was asked for.
    """

    train_x: Source
    train_y: Source
    test_x: Source
    test_y: Source
    warning: str = ""

    def for_validation(self, most: int = 100) -> "Domains":
        """Returns domains made of the training parts alone, whose last images are held out.

        Args:
            most: Images that are held out of each domain; a tenth of it if it is small.
        """
        count = min(most, max(1, min(len(self.train_x), len(self.train_y)) // 10))
        known, rest = slice(-count), slice(-count, None)
        x, y = self.train_x, self.train_y
        held_out = x.select(rest), y.select(rest)
        return Domains(x.select(known), y.select(known), *held_out, self.warning)

    def compared(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns what `TranslationEvaluation` compares: `test_x`, `test_y`, `train_y`, arrays."""
        return self.test_x.arrays(), self.test_y.arrays(), self.train_y.arrays()


class Sets(Parts):
    """Several data sets of a recipe by name, whose parts are `train_NAME` and `test_NAME`.

    Args:
        only: Parts that the recipe uses, such as `("train_mnist", "test_usps")`; None for all.
        **sets: Splits by name.

    Example:
    ```python
    data = Sets(mnist=small_images("mnist"), usps=small_images("usps"), only=("train_mnist",))
    ```
    """

    def __init__(self, only: tuple[str, ...] | None = None, **sets: Split):
        """Names the parts; see the class."""
        self.warning = "; ".join(dict.fromkeys(s.warning for s in sets.values() if s.warning))
        named = {f"{k}_{name}": v for name, s in sets.items() for k, v in s.parts().items()}
        vars(self).update({k: v for k, v in named.items() if only is None or k in only})

    def record(self) -> dict[str, str]:
        """Returns the names of all sets, and sizes and origins without folders."""
        names = dict.fromkeys(v.origin.split(",")[0] for v in self.parts().values())
        return super().record() | {"name": " and ".join(names)}


def small_images(name: str, labels: bool = False, images: Path | None = None) -> Split:
    """Loads a set of small labeled images such as MNIST, as uint8 `[28, 28, 1]`.

    Of a folder of images, if one is given, every tenth is held out. Otherwise the set comes from
    tensorflow-datasets. Where that is unavailable, the digits that ship with
    scikit-learn take its place, for `"cifar10"` in color and of its shape.

    Args:
        name: `"mnist"`, `"fashion_mnist"`, `"cifar10"` (`[32, 32, 3]`), `"usps"` or another set of
            tensorflow-datasets with the splits train and test. The digits of USPS, which fill
            16x16 pixels, are enlarged to 20x20 and centered in 28x28, as MNIST's are.
        labels: Whether an example is `(image, label)` instead of an image alone.
        images: Folder of images to take in the set's place, of its shape, with subfolders of the
            classes if there are to be labels; their order is random, always the same.

    Raises:
        ValueError: If the folder holds too few images, or no subfolders for labels.
        DataDamaged: If a prepared data set is broken.

    Example:
    ```python
    data = small_images("mnist")
    batches = data.train.stream(100)
    ```
    """
    if images is not None:
        side, channels = (32, 3) if name in _COLORED else (28, 1)
        return _own(images, side, labels=labels, channels=channels)
    features = ("image", "label") if labels else "image"
    try:
        size = 20 if name == "usps" else None
        parts = (load_tfds(name, p, features=features, size=size) for p in ("train", "test"))
        train, test = (part.map(_framed) if size else part for part in parts)
        return Split(train, test)
    except DataUnavailable as error:
        sample = (offline_color_digits if name in _COLORED else offline_digits)(labels=labels)
        return Split(sample["train"], sample["test"], OFFLINE_WARNING.format(error))


def faces(size: int = 64, images: Path | None = None, labels: bool = False) -> Split:
    """Loads faces, as uint8 `[size, size, 3]`.

    They are those of CelebA (Liu, Luo, Wang, Tang: "Deep Learning Face Attributes in the Wild",
    ICCV 2015), from tensorflow-datasets: the square in the middle of each, resized. The training
    part ends with the official validation part, 19,867 of the whole set. Where they are
    unavailable, the digits that ship with scikit-learn take their place, in photographs.

    Args:
        size: Side of the images in pixels.
        images: Folder of images to take in their place, as in `small_images`.
        labels: Whether an example is `(image, label)`. Labels of CelebA are 0 and 1 of women and
            men, and 2 more of those who smile.

    Raises:
        ValueError: If the folder holds too few images, or no subfolders for labels.
        DataDamaged: If the prepared data set is broken.

    Example:
    ```python
    data = faces(32)
    ```
    """
    if images is not None:
        return _own(images, size, labels=labels)
    features = ("image", "attributes/Male", "attributes/Smiling") if labels else "image"
    try:
        parts = ("train+validation", "test")
        train, test = (load_tfds("celeb_a", p, size=size, features=features) for p in parts)
        if labels:
            train, test = train.map(_expression), test.map(_expression)
        return Split(train, test)
    except DataUnavailable as error:
        sample = offline_color_digits(size, labels=labels)
        return Split(sample["train"], sample["test"], OFFLINE_WARNING.format(error))


def photos_and_paintings(
    size: int, photos: Path | None = None, paintings: Path | None = None, seed: int = 0
) -> Domains:
    """Loads photographs (X) and paintings (Y).

    Of two folders, if they are given, every tenth image is held out, and more of small ones, so
    that there are three. Otherwise `cycle_gan/monet2photo` comes from tensorflow-datasets. Where
    that is unavailable, an offline sample takes its place: photographs that ship with scikit-learn,
    and a painterly rendering of them.

    Args:
        size: Side to which all images are resized and cropped, in pixels.
        photos: Folder of photographs.
        paintings: Folder of paintings; with `photos` or not at all.
        seed: Seed of the offline sample's crops.

    Raises:
        ValueError: If one folder is given without the other, or holds too few images.
        DataDamaged: If a prepared data set is broken.

    Example:
    ```python
    domains = photos_and_paintings(143)
    ```
    """
    if (photos is None) != (paintings is None):
        raise ValueError("Give both --photos and --paintings, or neither.")
    if photos is not None and paintings is not None:
        train_x, test_x = _split(image_folder(photos, size))
        train_y, test_y = _split(image_folder(paintings, size))
        return Domains(train_x, train_y, test_x, test_y)
    try:
        name = "cycle_gan/monet2photo"
        train_x, train_y, test_x, test_y = (load_tfds(name, p, size=size) for p in _MONET2PHOTO)
        return Domains(train_x, train_y, test_x, test_y)
    except DataUnavailable as error:
        sample = offline_unpaired(size, seed=seed)
        train_x, train_y, test_x, test_y = (sample[part] for part in _OFFLINE)
        return Domains(train_x, train_y, test_x, test_y, OFFLINE_WARNING.format(error))


_HELD_OUT = 3
_COLORED = ("cifar10",)  # images of 32x32 pixels in color
OFFLINE_WARNING = "OFFLINE SAMPLE instead of the real data: {}"
# A is Monet there, B the photographs.
_MONET2PHOTO = ("trainB", "trainA", "testB", "testA")
_OFFLINE = ("photo_train", "painting_train", "photo_test", "painting_test")


def _expression(image, *attributes):
    """A face and its label, of whether it is male and whether it smiles."""
    male, smiling = (tf.cast(each, tf.int64) for each in attributes)
    return image, male + 2 * smiling


def _framed(image, *label):
    """A digit of 20x20 in the middle of 28x28 pixels, as in MNIST."""
    image = pad_to(image, 28)
    return (image, *label) if label else image


def _own(images: Path, side: int, **options) -> Split:
    """A folder's images, of which every tenth is held out."""
    own = image_folder(images, side, **options)
    # Sorted paths are sorted by class, and recipes hold out the end of the training part.
    return Split(*_split(own.select(np.random.default_rng(0).permutation(len(own)))))


def _split(source: Source) -> tuple[Source, Source]:
    """Holds out every tenth image, or more of few, since three are needed to compare sets."""
    every = min(10, len(source) // _HELD_OUT)
    if every < 2:
        raise ValueError(
            f"{source.origin} are too few: at least {2 * _HELD_OUT} are needed, {_HELD_OUT} of "
            "which are held out."
        )
    held_out = np.arange(len(source)) % every == 0
    return (
        source.select(~held_out, f"{source.origin}, {every - 1} of {every}"),
        source.select(held_out, f"{source.origin}, 1 of {every}"),
    )
