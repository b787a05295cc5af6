"""Folders of images: kinds of files, broken ones, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import image_folder, random_crop_flip

RED = (200, 30, 10)


def save(path, mode="RGB", color=RED, size=(40, 30), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB" if mode in ("P", "CMYK") else mode, size, color)
    image.convert(mode).save(path, **options)


@pytest.mark.parametrize(
    ("name", "mode", "color", "expected"),
    [
        ("a.png", "RGB", RED, RED),
        ("a.JPG", "RGB", RED, RED),
        ("a.jpeg", "L", 90, (90, 90, 90)),
        ("a.gif", "P", RED, RED),
        ("a.png", "RGBA", (0, 0, 0, 51), (204, 204, 204)),
    ],
)
def test_every_kind_becomes_rgb(tmp_path, name, mode, color, expected):
    save(tmp_path / name, mode, color)
    save(tmp_path / "b.png")
    images = image_folder(tmp_path, 8).arrays()
    assert images.shape == (2, 8, 8, 3) and images.dtype == np.uint8
    np.testing.assert_allclose(images[0], np.broadcast_to(expected, [8, 8, 3]), atol=4)


def test_folders_are_searched_in_sorted_order(tmp_path):
    for value, name in enumerate(["b/z.png", "a/deep/y.png", "c.png", "a/x.png"]):
        save(tmp_path / name, color=(value * 10, 0, 0))
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "._c.png").write_text("what some systems leave beside a file")
    images = image_folder(tmp_path, 4).arrays()
    assert list(images[:, 0, 0, 0]) == [10, 30, 0, 20]  # a/deep/y, a/x, b/z, c


def test_too_large_a_folder_is_held_encoded_and_gives_the_same(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(4):
        image = rng.integers(0, 256, [30, 20 + number, 3], np.uint8)
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    decoded = image_folder(tmp_path, 16)
    encoded = image_folder(tmp_path, 16, memory_limit=1000)
    assert decoded.element_spec == encoded.element_spec
    np.testing.assert_array_equal(decoded.arrays(), encoded.arrays())
    for augment in (None, random_crop_flip(8)):
        streams = (source.stream(3, augment=augment).take(5) for source in (decoded, encoded))
        for one, other in zip(*streams, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("memory_limit", [2**20, 100])
def test_subfolders_are_classes(tmp_path, memory_limit):
    """By the order of their names, and without the images that are broken."""
    for name, color in (("wolf/1.png", 3), ("cat/b/2.png", 1), ("cat/1.png", 0), ("dog/1.png", 2)):
        save(tmp_path / name, "L", color)
    (tmp_path / "cat" / "0.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match="0.png"):
        source = image_folder(
            tmp_path, 8, labels=True, channels=1, max_broken=0.5, memory_limit=memory_limit
        )
    images, labels = source.arrays()
    assert images.shape == (4, 8, 8, 1) and images.dtype == np.uint8
    assert list(images[:, 0, 0, 0]) == [0, 1, 2, 3] and list(labels) == [0, 0, 1, 2]
    assert source.origin == f"4 images of 3 classes, from {tmp_path}"
    save(tmp_path / "stray.png")
    with pytest.raises(ValueError, match=r"1 images outside of subfolders, such as stray.png"):
        image_folder(tmp_path, 8, labels=True)


def test_broken_images_are_named_and_left_out(tmp_path):
    for number in range(9):
        save(tmp_path / f"{number}.png")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"1 of 10 images .*half.png"):
        assert len(image_folder(tmp_path, 8)) == 9
    with pytest.raises(ValueError, match=r"1 of 10 .*0.05 allowed.*half.png"):
        image_folder(tmp_path, 8, max_broken=0.05)


def test_folders_without_enough_images_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        image_folder(tmp_path / "nowhere", 8)
    with pytest.raises(FileNotFoundError, match="0 files but no image"):
        image_folder(tmp_path, 8)
    save(tmp_path / "only.png")
    with pytest.raises(ValueError, match=r"1 readable image, but a set needs at least 2"):
        image_folder(tmp_path, 8)
    with pytest.raises(ValueError, match="fraction from 0 to 1, found 10"):
        image_folder(tmp_path, 8, max_broken=10)
    with pytest.raises(ValueError, match="size must be at least 1, found 0"):
        image_folder(tmp_path, 0)
