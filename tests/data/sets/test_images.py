"""Data sets of images: from tensorflow-datasets, from folders, and offline."""

import numpy as np
import pytest

from keras_gen.data import DataDamaged, Domains, Source
from keras_gen.data.sets import images as module
from keras_gen.data.sets.images import faces, photos_and_paintings, small_images
from keras_gen.files.images import write_png


def folder(path, count, first=0):
    for number in range(count):
        write_png(path / f"{number:02d}.png", np.full([8, 8, 3], first + number, np.uint8))
    return path


@pytest.mark.thorough
@pytest.mark.parametrize("labels", [False, True])
def test_usps_has_the_frame_of_mnist(monkeypatch, labels):
    def load(name, part, features, size, first):
        images = np.full([3, size, size, 1], 255, np.uint8)
        return Source((images, np.arange(3)) if labels else images, origin=f"{name}, {part}")

    monkeypatch.setattr(module, "load_tfds", load)
    data = small_images("usps", labels=labels)
    images = data.test.arrays()[0] if labels else data.test.arrays()
    expected = np.pad(np.full([3, 20, 20, 1], 255), [(0, 0), (4, 4), (4, 4), (0, 0)])
    np.testing.assert_array_equal(images, expected)
    assert data.test.origin == "usps, test"
    if labels:
        assert data.train.arrays()[1].tolist() == [0, 1, 2]


def test_usps_can_fill_the_frame(monkeypatch):
    def load(name, part, features, size, first):
        return Source(np.full([3, size, size, 1], 255, np.uint8), origin=f"{name}, {part}")

    monkeypatch.setattr(module, "load_tfds", load)
    images = small_images("usps", fill=True).test.arrays()
    np.testing.assert_array_equal(images, np.full([3, 28, 28, 1], 255))


def values(source):
    return [int(image[0, 0, 0]) for image in source.arrays()]


class TestFolders:
    @pytest.mark.thorough
    @pytest.mark.parametrize(("count", "every"), [(6, 2), (9, 3), (14, 4), (30, 10), (45, 10)])
    def test_one_of_ten_is_held_out_and_three_at_least(self, tmp_path, count, every):
        photos, paintings = folder(tmp_path / "x", count), folder(tmp_path / "y", 6, 100)
        domains = photos_and_paintings(8, photos, paintings)
        held_out = list(range(0, count, every))
        assert values(domains.test_x) == held_out and len(held_out) >= 3
        assert values(domains.train_x) == [n for n in range(count) if n not in held_out]
        assert values(domains.test_y) == [100, 102, 104]
        assert domains.warning == ""
        assert f"1 of {every}" in domains.describe()["test_x"]

    def test_too_few(self, tmp_path):
        with pytest.raises(ValueError, match="expected at least 6 images, 3 of which are"):
            photos_and_paintings(8, folder(tmp_path / "x", 5), folder(tmp_path / "y", 6))


class TestOffline:
    @pytest.mark.thorough
    def test_paintings(self, offline):
        domains = photos_and_paintings(16)
        expected = "Using a small offline sample instead of the real data, because no network here"
        assert domains.warning == expected
        assert [len(part) for part in domains.parts().values()] == [64, 64, 16, 16]
        other = photos_and_paintings(16, seed=1)
        assert (domains.train_x.arrays() != other.train_x.arrays()).any()

    @pytest.mark.parametrize("labels", [False, True])
    def test_digits(self, offline, labels):
        data = small_images("mnist", labels)
        assert data.warning.startswith("Using a small offline sample") and len(data.train) == 1500
        spec = data.test.element_spec
        image = spec[0] if labels else spec
        assert image.shape == (28, 28, 1) and image.dtype == "uint8"
        assert isinstance(spec, tuple) == labels

    def test_the_first_ones(self, offline):
        data, some = small_images("mnist"), small_images("mnist", first=300)
        assert some.warning == data.warning
        assert len(some.train) == 300 and len(some.test) == 297
        np.testing.assert_array_equal(some.train.arrays(), data.train.arrays()[:300])
        with pytest.raises(ValueError, match=r"count is .*: expected an integer of at least 1"):
            small_images("mnist", first=0)

    def test_damage_is_not_passed_over(self, monkeypatch):
        def damaged(*args, **kwargs):
            raise DataDamaged("half done")

        monkeypatch.setattr(module, "load_tfds", damaged)
        with pytest.raises(DataDamaged, match="half done"):
            small_images("mnist")


@pytest.mark.slow
@pytest.mark.data
def test_real_data(shared_data):
    domains = photos_and_paintings(16)
    assert isinstance(domains, Domains) and domains.warning == ""
    assert len(domains.train_y) == 1072 and "trainA" in domains.train_y.origin
    assert "trainB" in domains.train_x.origin and "testB" in domains.test_x.origin
    assert domains.test_x.arrays().shape[1:] == (16, 16, 3)
    mnist, some = small_images("mnist"), small_images("mnist", first=20_000)
    assert len(mnist.train) == 60_000
    assert len(some.train) == 20_000 and len(some.test) == 10_000
    np.testing.assert_array_equal(some.train.arrays(), mnist.train.arrays()[:20_000])
    people = faces(16)
    assert people.warning == "" and people.train.element_spec.shape == (16, 16, 3)
    assert len(people.train) == 1900 and len(people.test) == 100
    assert "train+validation" in people.train.origin
    expressions = faces(16, labels=True)
    np.testing.assert_array_equal(expressions.test.arrays()[0], people.test.arrays())
    assert np.bincount(expressions.train.arrays()[1]).tolist() == [494, 496, 614, 296]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "shape"), [("fashion_mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))]
)
def test_own_images_in_a_sets_place(tmp_path, name, shape):
    """Of its shape; a tenth is held out, and both parts hold all classes."""
    for number in range(40):
        folder = tmp_path / ("even", "odd")[number % 2]
        write_png(folder / f"{number}.png", np.full([9, 12, 3], number, np.uint8))
    data = small_images(name, labels=True, images=tmp_path)
    (train, train_labels), (test, labels) = data.train.arrays(), data.test.arrays()
    assert train.shape == (36, *shape) and test.shape == (4, *shape)
    for images, classes in ((train, train_labels), (test, labels)):
        np.testing.assert_array_equal(images[:, 0, 0, 0] % 2, classes)
        assert set(classes) == {0, 1}
    assert not set(train[:, 0, 0, 0]) & set(test[:, 0, 0, 0])
    assert "40 images of 2 classes" in data.describe()["test"] and not data.warning
    plain = small_images(name, images=tmp_path)
    np.testing.assert_array_equal(plain.train.arrays(), train)


@pytest.mark.thorough
@pytest.mark.parametrize("count", [49, 50, 60, 99, 100, 143])
def test_of_fifty_labeled_images_ten_are_held_out(tmp_path, count):
    for number in range(count):
        write_png(tmp_path / "ab"[number % 2] / f"{number}.png", np.zeros([4, 4, 3], np.uint8))
    data = faces(8, labels=True, images=tmp_path)
    assert (len(data.test) >= 10) == (count >= 50)
    assert len(data.train) >= 0.8 * count - 1


@pytest.mark.parametrize(("train", "held_out"), [(16, 10), (128, 10), (3, 3), (36, 1), (300, 10)])
def test_images_needed_are_as_few_as_possible(train, held_out):
    least = max(held_out, 3)

    def enough(count):
        test = -(-count // module._stride(count, least))
        return test >= held_out and count - test >= train

    needed = module.images_needed(train, held_out)
    assert all(enough(count) for count in range(needed, needed + 500))
    assert needed == 6 or not enough(needed - 1)


def test_one_class_is_refused(tmp_path):
    for number in range(6):
        write_png(tmp_path / "only" / f"{number}.png", np.zeros([4, 4, 3], np.uint8))
    with pytest.raises(ValueError, match=r"6 images of 1 classes, .*: found one training class"):
        faces(8, labels=True, images=tmp_path)


def test_own_images_without_classes_are_labeled_by_their_colors(tmp_path):
    for number in range(20):
        gray = 200 * (number % 2) + number
        write_png(tmp_path / f"{number}.png", np.full([9, 12, 3], gray, np.uint8))
    data = faces(8, labels=True, images=str(tmp_path))
    images, labels = data.train.arrays()
    bright = images.mean((1, 2, 3)) > 100
    assert len(set(labels[bright])) == 1 and len(set(labels[~bright])) == 1
    assert set(labels) == {0, 1}
    assert "without classes: 2 color clusters are used instead" in data.describe()["train"]
