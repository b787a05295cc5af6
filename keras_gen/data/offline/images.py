"""Images for offline use, made from images that ship with scikit-learn and scikit-image."""

from __future__ import annotations

from importlib import resources

import numpy as np
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.data.offline.painterly import paint
from keras_gen.data.source import Source, derive_seed
from keras_gen.data.transforms.images import pad_to, resize_cover
from keras_gen.files.images import decode_image

# Each letter is the use of a tile of the photographs: P for photographs, A for art; lowercase
# letters are held out. The uses are mixed, so that the domains differ in style but not in content.
# The tiles do not overlap, so that no test image is seen in training, and no painting shows the
# same part as a photograph.
_TILES = {
    "astronaut.png": ("PA", "AP"),
    "chelsea.png": ("p",),
    "china.jpg": ("PAPAP", "ApaPA", "PaApP"),
    "coffee.png": ("p",),
    "flower.jpg": ("APAPA", "PapAP", "ApPaA"),
    "rocket.jpg": ("PAP",),
}
# All photographs are free. The first two are by danielbuechele and vultilion, CC BY 2.0. Of the
# others, two are CC0 (by Stefan van der Walt and Rachel Michetti), and two are in the public domain
# (NASA and SpaceX).
_PACKAGES = {
    "china.jpg": "sklearn.datasets.images",
    "flower.jpg": "sklearn.datasets.images",
    "chelsea.png": "skimage.data",
    "coffee.png": "skimage.data",
    "astronaut.png": "skimage.data",
    "rocket.jpg": "skimage.data",
}
_SETS = {"P": "photo_train", "p": "photo_test", "A": "painting_train", "a": "painting_test"}
_CROP = (0.75, 1.0)  # side of a crop, relative to the shorter side of its region


@checked_types
def offline_unpaired(
    size: int = 143, n_train: int = 64, n_test: int = 16, seed: int = 0
) -> dict[str, Source]:
    """Creates unpaired photographs and paintings.

    The photographs are crops of six images that ship with scikit-learn and scikit-image; the
    paintings are crops of other regions of these images, rendered with `paint`. The four sets come
    from disjoint regions.

    Args:
        size: Side length of the images in pixels.
        n_train: Number of training images per domain.
        n_test: Number of held-out images per domain.
        seed: Seed for the crops and the brush strokes.

    Returns:
        A dict of four sources of uint8 `[size, size, 3]`, with the keys `photo_train`,
        `photo_test`, `painting_train`, and `painting_test`.

    Example:
        >>> sample = offline_unpaired(size=64)
        >>> batches = unpaired(sample["photo_train"], sample["painting_train"], 1)
    """
    sample = {}
    for number, (key, regions) in enumerate(sorted(_tiles().items())):
        rng = np.random.default_rng(derive_seed(seed, number, words=4))
        kind = "crops"
        if key.startswith("painting"):
            kind = "computed paintings of other parts"
            regions = [paint(region, seed=int(rng.integers(2**31))) for region in regions]
        images = []
        for image in range(n_train if key.endswith("train") else n_test):
            region = regions[image % len(regions)]
            crop = _cut(region, int(rng.uniform(*_CROP) * min(region.shape[:2])), rng)
            images.append(resize_cover(crop, size).numpy())
        origin = f"offline sample: {kind} of six photographs"
        sample[key] = Source(np.stack(images), origin=origin)
    return sample


@checked_types
def offline_pairs(size: int = 64, seed: int = 0) -> dict[str, Source]:
    """Creates pairs of a map and a photograph, as a substitute for labeled facades.

    The photographs are the same as in `offline_unpaired`. A map shows the brightness of 8x8 squares
    in four flat colors, which leaves much of the photograph undetermined.

    Args:
        size: Side length of the images in pixels.
        seed: Seed for the crops.

    Returns:
        A dict of the sources `train` (64 pairs) and `test` (16 pairs). A pair is a tuple (map,
        photograph), each uint8 `[size, size, 3]`.
    """
    photographs = offline_unpaired(size, seed=seed)
    colors = np.array([[0, 0, 170], [0, 120, 255], [255, 120, 0], [255, 255, 0]], np.uint8)
    sample = {}
    for part in ("train", "test"):
        photos = photographs[f"photo_{part}"].arrays()
        small = tf.image.resize(photos, [8, 8], antialias=True).numpy().mean(axis=-1)
        level = np.digitize(small, [64, 128, 192])
        maps = tf.image.resize(colors[level], [size, size], "nearest").numpy()
        origin = (
            "offline sample: flat colors and crops of photographs that ship with scikit-learn"
        )
        sample[part] = Source((maps, photos), origin=origin)
    return sample


@checked_types
def offline_digits(size: int = 28, labels: bool = False) -> dict[str, Source]:
    """Enlarges the small handwritten digits from scikit-learn to the format of MNIST.

    Args:
        size: Side length of the images in pixels. The side of a digit is 5/7 of this length, as in
            MNIST.
        labels: Whether an example is `(image, label)` instead of an image alone.

    Returns:
        A dict of the sources `train` (1,500 examples) and `test` (297 examples). Images are uint8
        `[size, size, 1]` with background 0; labels, if requested, are int64 from 0 to 9.

    Example:
        >>> train = offline_digits()["train"]
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    inner = max(1, round(size * 5 / 7))
    images = digits.images[..., None].astype(np.float32) * (255 / 16)
    images = tf.image.resize(images, [inner, inner], "bicubic", antialias=True)
    images = tf.cast(tf.clip_by_value(tf.round(images), 0, 255), tf.uint8)
    images = pad_to(images, size)
    origin = "offline sample: the 8x8 digits that ship with scikit-learn, enlarged"
    whole = Source((images, digits.target.astype(np.int64)) if labels else images, origin=origin)
    return {"train": whole.select(slice(1500)), "test": whole.select(slice(1500, None))}


@checked_types
def offline_color_digits(
    size: int = 32, labels: bool = False, seed: int = 0
) -> dict[str, Source]:
    """Blends small handwritten digits into photographs, as a substitute for small color images.

    Ganin et al.: "Domain-Adversarial Training of Neural Networks", JMLR 2016, sec. 5.2.4, MNIST-M.
    An image is |patch - digit| in each channel, where the patch is a random crop of a photograph
    that ships with scikit-learn. Training and held-out crops come from disjoint regions.

    Args:
        size: Side length of the images in pixels.
        labels: Whether an example is `(image, label)` instead of an image alone.
        seed: Seed for the crops.

    Returns:
        A dict of the sources `train` (1,500 examples) and `test` (297 examples). Images are uint8
        `[size, size, 3]`; labels, if requested, are int64 from 0 to 9.
    """
    tiles = _tiles()
    sample = {}
    for number, (part, digits) in enumerate(sorted(offline_digits(size, labels=True).items())):
        rng = np.random.default_rng(derive_seed(seed, number, words=4))
        regions = tiles[f"photo_{part}"] + tiles[f"painting_{part}"]
        shapes, classes = digits.arrays()
        patches = [_cut(regions[i % len(regions)], size, rng) for i in range(len(shapes))]
        images = np.abs(np.stack(patches).astype(np.int16) - shapes).astype(np.uint8)
        origin = "offline sample: digits blended into photographs, both from scikit-learn"
        sample[part] = Source((images, classes) if labels else images, origin=origin)
    return sample


def _tiles() -> dict[str, list[np.ndarray]]:
    """Returns the disjoint regions of the photographs, uint8 `[height, width, 3]`, for each set."""
    tiles: dict[str, list[np.ndarray]] = {key: [] for key in _SETS.values()}
    for name, rows in _TILES.items():
        bands = np.array_split(photograph(name), len(rows))
        for band, letters in zip(bands, rows, strict=True):
            columns = np.array_split(band, len(letters), axis=1)
            for tile, letter in zip(columns, letters, strict=True):
                tiles[_SETS[letter]].append(tile)
    return tiles


def photographs() -> list[np.ndarray]:
    """Returns six photographs that ship with installed packages, uint8 `[height, width, 3]`."""
    return [photograph(name) for name in sorted(_TILES)]


def photograph(name: str) -> np.ndarray:
    """Returns one of the six photographs, by file name."""
    return decode_image(resources.files(_PACKAGES[name]).joinpath(name).read_bytes())


def _cut(region: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    height, width = region.shape[:2]
    top = int(rng.integers(0, height - side + 1))
    left = int(rng.integers(0, width - side + 1))
    return region[top : top + side, left : left + side]
