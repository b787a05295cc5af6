"""Whose pictures are published: none of data sets whose terms keep their photographs back."""

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import faces
from keras_gen.files.images import read_image
from keras_gen.workshop.results import read_records
from processes import ROOT

pytestmark = pytest.mark.pages

RESULTS = ROOT / "recipes" / "results"

# Every image of recipes that learn from photographs which are not ours to publish. Each shows what
# models draw, and none of the photographs; before one is added, look at it.
LOOKED_AT = {
    "convolutional_vae_celeb_a.png",  # samples
    "convolutional_vae_celeb_a_cifar10.png",  # samples
    "convolutional_vae_celeb_a_cifar10_reconstructions.png",  # photographs of CIFAR-10
    "convolutional_vae_celeb_a_fixed_scale.png",  # samples
    "cyclegan_monet.png",  # paintings by Monet, and what is made of them
    "dcgan_celeb_a.png",  # samples
    "dcgan_celeb_a_cifar10.png",  # samples
    "glow_celeb_a.png",  # samples
    "pix2pix_facades.png",  # maps of labels, and what is made of them
}
KEPT_BACK = ("*celeb_a*", "*monet*", "*facades*", "*edges*", "*set5*")


def test_images_of_data_that_is_kept_back_were_looked_at():
    found = {
        path.name
        for pattern in KEPT_BACK
        for path in RESULTS.glob(pattern)
        if path.suffix in (".png", ".gif", ".jpg")
    }
    assert found == LOOKED_AT


def test_images_and_figures_are_of_one_run():
    """Checks images that record their run; images of older runs do not record it."""
    records = read_records(ROOT)
    checked = set()
    for path in sorted(RESULTS.glob("*.png")):
        with Image.open(path) as image:
            run = image.info.get("run")
        if run:
            # The longest name: gan_modes_stacked_mnist.png is no image of gan_modes.
            recipe = max((name for name in records if path.stem.startswith(name)), key=len)
            published = {record.run for record in records[recipe]}
            assert run in published, f"{path.name} is of another run"
            checked.add(path.name)
    assert "big_gan_fashion_mnist_truncation.png" in checked


def bare(image: np.ndarray) -> np.ndarray:
    """A grid as it was before each of its pixels was enlarged to a square."""
    for scale in range(10, 1, -1):
        small = image[::scale, ::scale]
        if np.array_equal(small.repeat(scale, axis=0).repeat(scale, axis=1), image):
            return small
    return image


def without_names(image: np.ndarray, gap: int = 4) -> np.ndarray:
    """A grid without the names at its left, if it has any: most of a column of images is dark."""
    first = ((image.min(axis=2) < 250).mean(axis=0) > 0.5).argmax()
    return image[:, first - gap :] if first > 4 * gap else image


def tiles(image: np.ndarray, side: int, gap: int = 2) -> np.ndarray:
    """The images of a grid without names."""
    image = bare(image)
    assert (image[:gap] == 255).all() and (image[:: side + gap] == 255).all()
    height, width = (size // (side + gap) for size in image.shape[:2])
    return np.stack(
        [
            image[top : top + side, left : left + side]
            for top in gap + (side + gap) * np.arange(height)
            for left in gap + (side + gap) * np.arange(width)
        ]
    )


def outlines(images: np.ndarray) -> np.ndarray:
    """Images as vectors of 8x8 mean colors."""
    n, side = images.shape[:2]
    parts = images.reshape(n, 8, side // 8, 8, side // 8, 3).mean(axis=(2, 4))
    return parts.reshape(n, -1)


def nearest(images: np.ndarray, among: np.ndarray) -> np.ndarray:
    """For each image its distance to the nearest of others, in levels of their outlines."""
    distances = np.abs(outlines(images)[:, None] - outlines(among))
    return distances.mean(axis=2).min(axis=1)


@pytest.mark.thorough
@pytest.mark.data
def test_no_face_of_celeb_a_is_published():
    data = faces(size=32)
    known = np.concatenate([data.train.arrays(), data.test.arrays()])
    assert nearest(known[:3], known).max() == 0
    for path in RESULTS.glob("*celeb_a*.png"):
        image = without_names(read_image(path))
        assert nearest(tiles(image, 32), known).min() > 10, path.name
