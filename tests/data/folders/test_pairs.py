"""Pairs of images from files: which belong together, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import paired_folders, random_crop_flip, side_by_side


def save(path, *colors, size=8):
    """Squares of gray beside each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    squares = [np.full([size, size, 3], color, "uint8") for color in colors]
    Image.fromarray(np.concatenate(squares, axis=1)).save(path)


@pytest.mark.thorough
@pytest.mark.parametrize(("left", "order"), [("source", (10, 90)), ("target", (90, 10))])
@pytest.mark.parametrize("memory_limit", [2**20, 10])
def test_halves_are_source_and_target(tmp_path, left, order, memory_limit):
    """Also where the files are held encoded."""
    save(tmp_path / "a.png", 10, 90)
    save(tmp_path / "b" / "c.png", 20, 80)
    pairs = side_by_side(tmp_path, 4, left, memory_limit=memory_limit)
    found = pairs.arrays()
    assert [images.shape for images in found] == [(2, 4, 4, 3)] * 2
    assert tuple(images[0, 0, 0, 0] for images in found) == order
    assert pairs.origin == f"2 pairs of images, from {tmp_path}"


def test_files_of_one_name_are_pairs(tmp_path):
    for name, source, target in (("x", 1, 101), ("sub/y", 2, 102), ("z", 3, 103)):
        save(tmp_path / "maps" / f"{name}.png", source)
        save(tmp_path / "photos" / f"{name}.bmp", target)
    source, target = paired_folders(tmp_path / "maps", tmp_path / "photos", 8).arrays()
    assert list(source[:, 0, 0, 0]) == [2, 1, 3]
    np.testing.assert_array_equal(target, source + 100)
    save(tmp_path / "maps" / "alone.png", 4)
    with pytest.raises(
        ValueError,
        match=r"^Images without a counterpart .*photos \(1\) were found: .*alone.png. Add",
    ):
        paired_folders(tmp_path / "maps", tmp_path / "photos", 8)
    with pytest.warns(UserWarning, match=r"^Images without .* \(1\) are skipped: .*alone.png"):
        skipping = paired_folders(
            tmp_path / "maps", tmp_path / "photos", (4, 8), unmatched="skip", channels=1
        )
    assert [each.shape for each in skipping.arrays()] == [(3, 4, 8, 1)] * 2
    save(tmp_path / "maps" / "x.bmp", 4)
    with pytest.raises(ValueError, match=r"x.bmp and .*x.png share a name"):
        paired_folders(tmp_path / "maps", tmp_path / "photos", 8)


@pytest.mark.parametrize("memory_limit", [2**20, 10])
def test_small_and_large_files_show_the_same_part(tmp_path, rng, memory_limit):
    for number, (height, width) in enumerate([(10, 7), (6, 9), (6, 6)]):
        small = rng.integers(0, 256, (height, width, 3), dtype="uint8")
        large = small.repeat(3, axis=0).repeat(3, axis=1)
        large = np.pad(large, [(0, 2), (0, number), (0, 0)])  # the rest of a division by 3
        for folder, image in (("small", small), ("large", large)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / folder / f"{number}.png")
    folders = tmp_path / "small", tmp_path / "large"
    pairs = paired_folders(*folders, size=18, factor=3, memory_limit=memory_limit)
    small, large = pairs.arrays()
    assert small.shape == (3, 6, 6, 3) and large.shape == (3, 18, 18, 3)
    # Images of 6 pixels keep theirs; a center of 6 of 9 columns is that of 18 of 27.
    for number in (1, 2):
        np.testing.assert_array_equal(large[number, ::3, ::3], small[number])
    with pytest.raises(ValueError, match=r"size is 20x20: expected multiples of factor=3. Pass"):
        paired_folders(*folders, size=20, factor=3)
    with pytest.raises(ValueError, match=r"has 7x10 .* has 21x32: expected a ratio of 2"):
        paired_folders(*folders, size=20, factor=2)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(unmatched="drop"), ValueError, "^unmatched is 'drop': expected"),
        (dict(unmatched=None), (TypeError, ValueError), "^unmatched "),
        (dict(channels=2), ValueError, "^channels is 2"),
        (dict(factor=0), ValueError, "^factor is 0: expected an integer of at least 1"),
        (dict(factor=1.5), TypeError, "^factor is 1.5: expected an integer"),
        (dict(size=(8,)), ValueError, r"^size is \(8,\): expected an integer, or"),
        (dict(unmatched="skip"), ValueError, "expected pairs of files with the same names"),
    ],
)
@pytest.mark.filterwarnings("ignore:Images without a counterpart")
def test_wrong_arguments_of_pairs_are_one_sentence(tmp_path, arguments, error, says):
    save(tmp_path / "a" / "one.png", 1)
    save(tmp_path / "b" / "other.png", 1)
    with pytest.raises(error, match=says):
        paired_folders(tmp_path / "a", tmp_path / "b", **{"size": 8} | arguments)


def test_halves_and_twins_of_other_sizes_are_named_and_left_out(tmp_path):
    for number in range(3):
        save(tmp_path / "both" / f"{number}.png", 0, 0)
        save(tmp_path / "a" / f"{number}.png", 0)
        save(tmp_path / "b" / f"{number}.png", 0, size=8 + 2 * (number == 2))
    save(tmp_path / "both" / "odd.png", 0, size=9)
    with pytest.warns(UserWarning, match=r"odd.png \(its width is 9 pixels: expected an even"):
        assert len(side_by_side(tmp_path / "both", 8, max_broken=0.5)) == 3
    says = r"2.png \(it has 8x8 pixels and its counterpart has 10x10\)"
    with pytest.warns(UserWarning, match=says):
        assert len(paired_folders(tmp_path / "a", tmp_path / "b", 8, max_broken=0.5)) == 2
    with pytest.raises(ValueError, match=says):
        paired_folders(tmp_path / "a", tmp_path / "b", 8)


def test_a_broken_twin_is_named_by_its_own_path(tmp_path):
    for folder in "ab":
        for number in range(3):
            save(tmp_path / folder / f"{number}.png", 0)
    (tmp_path / "b" / "1.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"\.\./b/1.png \("):
        assert len(paired_folders(tmp_path / "a", tmp_path / "b", 8, max_broken=0.5)) == 2


def test_one_crop_and_flip_for_both(tmp_path, rng):
    images = rng.integers(0, 256, (8, 16, 8, 3), dtype="uint8")
    for number, image in enumerate(images):
        both = np.concatenate([image, 255 - image], axis=1)
        Image.fromarray(both).save(tmp_path / f"{number}.png")
    pairs = side_by_side(tmp_path, 8)
    stream = pairs.stream(8, augment=random_crop_flip(5, images=2))
    source, target = next(iter(stream))
    assert source.shape == (8, 5, 5, 3)
    assert np.abs(source.numpy() + target.numpy().astype(int) - 255).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(size=0), ValueError, "size is 0: expected an integer of at least 1"),
        (dict(size=8, left="top"), ValueError, "left is 'top': expected 'source' or 'target'"),
        (dict(size=8, max_broken=2), ValueError, "max_broken is 2: expected a number from 0 to 1"),
        (dict(size=8), FileNotFoundError, "is empty: expected files that end in"),
    ],
)
def test_wrong_arguments_are_one_sentence(tmp_path, arguments, error, says):
    with pytest.raises(error, match=says):
        side_by_side(tmp_path, **arguments)
