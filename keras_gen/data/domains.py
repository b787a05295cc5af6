"""Two unpaired image domains with held-out parts, from wherever they can be had."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_gen.data.catalogue import DataUnavailable, load_tfds
from keras_gen.data.folders import image_folder
from keras_gen.data.offline import offline_unpaired
from keras_gen.data.source import Source


@dataclasses.dataclass(frozen=True)
class Domains:
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

    def parts(self) -> dict[str, Source]:
        """The four sources by name."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), Source)
        }

    def describe(self) -> dict[str, str]:
        """Sizes and origins, for the record."""
        return {k: f"{len(v)} images: {v.origin}" for k, v in self.parts().items()}


def photos_and_paintings(
    size: int, photos: Path | None = None, paintings: Path | None = None, seed: int = 0
) -> Domains:
    """Loads photographs (X) and paintings (Y).

    Two folders if they are given, every tenth picture of which is held out; else
    `cycle_gan/monet2photo` through tensorflow-datasets; and where that cannot be had, an offline
    sample: photographs that come with scikit-learn, and a painterly rendering of them.

    Args:
        size: Side to which all images are resized and cropped, in pixels.
        photos: Folder of photographs.
        paintings: Folder of paintings; with `photos` or not at all.
        seed: Of the offline sample's crops.

    Raises:
        ValueError: If one folder is given without the other, or holds too few pictures.
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
        return Domains(*(load_tfds(name, part, size=size) for part in _MONET2PHOTO))
    except DataUnavailable as error:
        sample = offline_unpaired(size, seed=seed)
        return Domains(
            *(sample[part] for part in _OFFLINE),
            warning=f"OFFLINE SAMPLE instead of the real data: {error}",
        )


# A is Monet there, B the photographs.
_MONET2PHOTO = ("trainB", "trainA", "testB", "testA")
_OFFLINE = ("photo_train", "painting_train", "photo_test", "painting_test")


def _split(source: Source) -> tuple[Source, Source]:
    images = source.arrays()
    held_out = np.arange(len(images)) % 10 == 0
    origin = source.origin
    return (
        Source(images[~held_out], origin=f"{origin}, nine tenths"),
        Source(images[held_out], origin=f"{origin}, every tenth"),
    )
