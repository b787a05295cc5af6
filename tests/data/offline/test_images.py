"""The samples that need no network, and the painter that makes one of them."""

import numpy as np
import pytest
from scipy import ndimage

from keras_gen.data import offline_color_digits, offline_digits, offline_unpaired, paint
from keras_gen.data.offline import images as offline

KEYS = {"photo_train", "photo_test", "painting_train", "painting_test"}


@pytest.fixture(scope="module")
def sample():
    return offline_unpaired(size=48, n_train=24, n_test=8)


@pytest.mark.thorough
def test_the_sample_has_both_domains_with_held_out_images(sample):
    assert set(sample) == KEYS
    for key, source in sample.items():
        images = source.arrays()
        assert images.shape == (24 if key.endswith("train") else 8, 48, 48, 3)
        assert images.dtype == np.uint8
        assert len({image.tobytes() for image in images}) == len(images)
        assert "offline sample" in source.origin


@pytest.mark.thorough
def test_no_two_sets_share_a_pixel_of_a_photograph(monkeypatch):
    shapes = {name: offline.photograph(name).shape[:2] for name in offline._TILES}

    def coordinates(name):
        _, width = shapes[name]
        rows, columns = np.indices(shapes[name])
        number = (rows * width + columns) * len(shapes) + list(shapes).index(name)
        return np.stack([number >> shift & 255 for shift in (0, 8, 16)], -1).astype(np.uint8)

    monkeypatch.setattr(offline, "photograph", coordinates)
    places = {
        key: {tuple(color) for tile in tiles for color in tile.reshape(-1, 3)}
        for key, tiles in offline._tiles().items()
    }
    assert set(places) == KEYS
    pixels = sum(height * width for height, width in shapes.values())
    assert sum(map(len, places.values())) == len(set.union(*places.values())) == pixels


@pytest.mark.thorough
def test_the_sample_depends_on_its_seed_alone(sample):
    again = offline_unpaired(size=48, n_train=24, n_test=8)
    other = offline_unpaired(size=48, n_train=24, n_test=8, seed=1)
    for key in KEYS:
        np.testing.assert_array_equal(sample[key].arrays(), again[key].arrays())
        assert (sample[key].arrays() != other[key].arrays()).any()


def test_digits_look_like_mnist():
    digits = offline_digits(labels=True)
    assert len(digits["train"]) == 1500 and len(digits["test"]) == 297
    images, labels = digits["train"].arrays()
    assert images.shape == (1500, 28, 28, 1) and images.dtype == np.uint8
    assert set(labels) == set(range(10)) and labels.dtype == np.int64
    assert not images[:, :4].any() and not images[:, -4:].any()  # MNIST's margin
    assert images.max() > 250
    assert offline_digits(32)["test"].element_spec.shape == (32, 32, 1)


@pytest.mark.thorough
def test_colored_digits_are_differences_of_patches_and_digits(monkeypatch):
    """On photographs of one level each the digit can be read off, and where it was blended in."""
    parts = offline_color_digits(labels=True)
    levels = {"photo_train": 60, "painting_train": 60, "photo_test": 200, "painting_test": 200}
    flat = {key: [np.full([40, 50, 3], level, np.uint8)] for key, level in levels.items()}
    monkeypatch.setattr(offline, "_tiles", lambda: flat)
    plain = offline_digits(32, labels=True)
    for part, level in (("train", 60), ("test", 200)):
        digits, labels = plain[part].arrays()
        images, found = offline_color_digits(labels=True)[part].arrays()
        np.testing.assert_array_equal(found, labels)
        assert images.shape == (len(labels), 32, 32, 3) and images.dtype == np.uint8
        expected = np.broadcast_to(np.abs(level - digits.astype(int)), images.shape)
        np.testing.assert_array_equal(images, expected)
        colored = parts[part].arrays()[0]
        assert (colored[..., 0] != colored[..., 2]).mean() > 0.5
        assert len({image.tobytes() for image in colored}) == len(colored)


def test_paintings_keep_the_image_in_flat_strokes():
    rng = np.random.default_rng(0)
    photo = ndimage.gaussian_filter(rng.uniform(0, 255, [96, 96, 3]), (9, 9, 0))
    photo = ((photo - photo.min()) / np.ptp(photo) * 255).astype(np.uint8)
    painting = paint(photo, bristles=0, jitter=0)
    assert painting.shape == photo.shape and painting.dtype == np.uint8
    assert np.abs(painting.astype(int) - photo).mean() < 20
    # A stroke has one color: many neighbors are equal, which in the photo they are not.
    equal = [(np.diff(image, axis=1) == 0).all(axis=-1).mean() for image in (photo, painting)]
    assert equal[0] < 0.1 < 0.5 < equal[1]


def test_strokes_follow_the_edges_of_the_image():
    photo = np.zeros([64, 64, 3], np.uint8)
    photo[:, 32:] = 255
    painting = paint(photo, radii=(4,), bristles=0, jitter=0).astype(float)
    down, across = (np.abs(np.diff(painting, axis=axis)).mean() for axis in (0, 1))
    assert down < across / 3
    tilted = paint(photo.swapaxes(0, 1).copy(), radii=(4,), bristles=0, jitter=0).astype(float)
    down, across = (np.abs(np.diff(tilted, axis=axis)).mean() for axis in (0, 1))
    assert across < down / 3


def test_streaks_run_along_the_strokes_only_if_asked():
    flat = np.full([64, 64, 3], 120, np.uint8)
    assert (paint(flat, bristles=0, jitter=0) == 120).all()
    assert paint(flat, bristles=10, jitter=0).std() > 3
