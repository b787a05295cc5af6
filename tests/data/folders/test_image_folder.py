"""Folders of images: kinds of files, broken ones, and what is refused."""

import contextlib
import os
import socket

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import image_folder, random_crop_flip

RED = (200, 30, 10)


def save(path, mode="RGB", color=RED, size=(40, 30), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB" if mode in ("P", "CMYK") else mode, size, color)
    image.convert(mode).save(path, **options)
    return path


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "mode", "color", "expected"),
    [
        ("a.png", "RGB", RED, RED),
        ("a.JPG", "RGB", RED, RED),
        ("a.jpeg", "L", 90, (90, 90, 90)),
        ("a.jfif", "RGB", RED, RED),
        ("a.TIF", "RGB", RED, RED),
        ("a.gif", "P", RED, RED),
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


@pytest.mark.thorough
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
    with pytest.raises(ValueError, match=r"1 images outside its subfolders, such as stray.png"):
        image_folder(tmp_path, 8, labels=True)


def test_broken_images_are_named_and_left_out(tmp_path):
    for number in range(9):
        save(tmp_path / f"{number}.png")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"1 of 10 images .*sub/half.png \(not a readable PNG"):
        assert len(image_folder(tmp_path, 8)) == 9
    with pytest.raises(ValueError, match=r"1 of 10 .* a fraction of at most 0.05.*half.png"):
        image_folder(tmp_path, 8, max_broken=0.05)


def test_folders_without_enough_images_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        image_folder(tmp_path / "nowhere", 8)
    with pytest.raises(FileNotFoundError, match="is empty: expected files that end in"):
        image_folder(tmp_path, 8)
    save(tmp_path / "only.png")
    with pytest.raises(ValueError, match=r"1 readable image: expected at least 2"):
        image_folder(tmp_path, 8)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(size="16"), TypeError, "^size is '16': expected an integer of at least 1.$"),
        (dict(size=16.5), TypeError, "^size is 16.5: expected an integer of at least 1.$"),
        (dict(size=True), TypeError, "^size is True: expected an integer of at least 1.$"),
        (dict(size=0), ValueError, "^size is 0: expected an integer of at least 1.$"),
        (dict(channels=2), ValueError, "^channels is 2: expected 3 for RGB, 1 for gray, or 4 "),
        (dict(channels=3.0), ValueError, "^channels is 3.0: expected 3 for RGB"),
        (dict(channels=np.array([3, 4])), ValueError, "^channels is ndarray of shape .2,. and"),
        (dict(channels=True), ValueError, "^channels is True: expected 3 for RGB"),
        (dict(size=(8, 0)), ValueError, "^size is 0: expected an integer of at least 1.$"),
        (dict(size=10**6), ValueError, "^size is 1000000: expected at most 268,435,456 pixels.$"),
        (dict(size=(8, 4, 3)), ValueError, r"^size is \(8, 4, 3\): expected an integer, or \("),
        (dict(levels=(0, "x")), TypeError, "^levels is 'x': expected a number"),
        (dict(levels=(0, np.nan)), ValueError, "^levels is nan: expected .*"),
        (dict(levels=5), TypeError, "^levels is 5: expected a list"),
        (dict(levels=(3, 3)), ValueError, "expected the values of black and white, such as"),
        (
            dict(levels=(0, 9), channels=4),
            ValueError,
            "channels is 4, but levels is set: expected 1 or",
        ),
        (dict(max_broken=10), ValueError, "max_broken is 10: expected a number from 0 to 1.$"),
        (dict(memory_limit="1 GB"), TypeError, "^memory_limit is '1 GB': expected .*.$"),
        (dict(max_broken="x"), TypeError, "^max_broken is 'x': expected a number from 0 to 1"),
    ],
)
def test_wrong_arguments_are_one_sentence(tmp_path, arguments, error, says):
    with pytest.raises(error, match=says):
        image_folder(tmp_path, **{"size": 8, **arguments})


def test_hidden_folders_are_no_classes(tmp_path):
    """Nor are those that notebooks, archives and servers make beside a user's."""
    save(tmp_path / "cat" / "1.png")
    save(tmp_path / "dog" / "2.png")
    for hidden in (".ipynb_checkpoints", "__MACOSX", "cat/.ipynb_checkpoints", "@eaDir"):
        save(tmp_path / hidden / "0.png")
    source = image_folder(tmp_path, 4, labels=True)
    assert list(source.arrays()[1]) == [0, 1]
    assert source.class_names == ("cat", "dog")
    assert len(image_folder(tmp_path, 4)) == 2


def test_an_empty_class_keeps_its_number(tmp_path):
    """So that the numbers of two folders agree; without readable images it is as empty."""
    for name in ("dog/1.png", "wolf/2.png", "wolf/3.png"):
        save(tmp_path / name, "L", 7)
    (tmp_path / "cat").mkdir()
    (tmp_path / "eel").mkdir()
    (tmp_path / "eel" / "4.png").write_bytes(b"no image")
    with pytest.warns(UserWarning) as found:
        source = image_folder(tmp_path, 4, labels=True, max_broken=0.5)
    empty = [str(warning.message) for warning in found if "classes" in str(warning.message)]
    assert empty == [f"{tmp_path} contains no readable image for 2 of 4 classes: cat, eel"]
    assert source.class_names == ("cat", "dog", "eel", "wolf")
    assert list(source.arrays()[1]) == [1, 3, 3]
    assert source.origin == f"3 images of 4 classes, from {tmp_path}"


def test_classes_by_name_agree_between_folders(tmp_path):
    for name in ("train/cat/1.png", "train/dog/2.png", "train/wolf/3.png"):
        save(tmp_path / name)
    for name in ("test/wolf/1.png", "test/dog/2.png"):
        save(tmp_path / name)
    train = image_folder(tmp_path / "train", 4, labels=True)
    with pytest.warns(UserWarning, match="no readable image for 1 of 3 classes: cat$"):
        test = image_folder(tmp_path / "test", 4, classes=train.class_names)
    assert test.class_names == train.class_names == ("cat", "dog", "wolf")
    assert list(test.arrays()[1]) == [1, 2]
    for classes in (["cat", "dog"], ["wolf", "dog", "dog"]):
        with pytest.raises(ValueError, match=r"the classes dog, wolf, but classes is .*once"):
            image_folder(tmp_path / "test", 4, classes=classes)


def test_classes_from_a_dict_or_a_table(tmp_path):
    for value, name in enumerate(["a.png", "b.png", "deep/c.png", "d.png"]):
        save(tmp_path / "all" / name, color=(value * 60, 0, 0))
    given = {"a.png": "wide", "deep/c.png": "narrow", "d.png": "wide"}
    left_out = r"^labels lists 3 of 4 images in .*all\. Left out: b\.png\.$"
    with pytest.warns(UserWarning, match=left_out):
        named = image_folder(tmp_path / "all", 4, labels=given)
    images, labels = named.arrays()
    # The files in order are a, d and deep/c: b has no class.
    assert named.class_names == ("narrow", "wide") and list(labels) == [1, 1, 0]
    assert list(images[:, 0, 0, 0]) == [0, 180, 120]

    table = tmp_path / "classes.csv"
    table.write_text("file,class,by\n" + "".join(f"{k},{v},me\n" for k, v in given.items()))
    with pytest.warns(UserWarning, match=left_out):
        again = image_folder(tmp_path / "all", 4, labels=table)
    assert again.class_names == named.class_names and again.checksum() == named.checksum()
    with pytest.raises(
        ValueError,
        match=r"files \(1\) that are not among the 4 images in .*\(z.png\): .* a.png, .*column",
    ):
        image_folder(tmp_path / "all", 4, labels=given | {"z.png": "wide"})
    given["b.png"] = "wide"
    with pytest.raises(ValueError, match=r"the classes narrow, wide, but classes is .*'wide'"):
        image_folder(tmp_path / "all", 4, labels=given, classes=["wide"])
    table.write_text("a.png\n")
    with pytest.raises(
        ValueError,
        match="a line with fewer than two columns: expected lines of the form path,class",
    ):
        image_folder(tmp_path / "all", 4, labels=table)


@pytest.fixture
def three(tmp_path):
    """A folder of three images, and the place of a table beside it."""
    for value, name in enumerate(["a.png", "b.png", "deep/c.png"]):
        save(tmp_path / "all" / name, color=(value * 60, 0, 0))
    return tmp_path / "all", tmp_path / "classes.csv"


LINES = "a.png,cat\nb.png,dog\ndeep/c.png,café\n"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "contents",
    [
        LINES.encode(),
        LINES.encode("utf-8-sig"),
        LINES.encode("utf-16"),
        b"\xfe\xff" + LINES.encode("utf-16-be"),
        LINES.replace(",", "\t").encode("utf-16"),
        LINES.replace(",", ";").encode(),
        LINES.replace("/", "\\").replace("\n", "\r\n").encode(),
        ("file,class\n" + LINES + ",\n\n").encode(),
        ("./" + LINES + "a.png,cat\n").encode(),
        LINES.replace(",", " , ").encode(),
    ],
)
def test_tables_as_programs_write_them(three, contents):
    folder, table = three
    table.write_bytes(contents)
    source = image_folder(folder, 4, labels=str(table))
    assert source.class_names == ("café", "cat", "dog")
    images, labels = source.arrays()
    assert list(labels) == [1, 2, 0] and list(images[:, 0, 0, 0]) == [0, 60, 120]


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (LINES.encode("latin-1"), "is not text in UTF-8 .*: save it as UTF-8"),
        (LINES.encode("utf-16-le"), "is not text in UTF-8 .*: save it as UTF-8"),
        (LINES.encode("utf-32"), "is not text in UTF-8 .*: save it as UTF-8"),
        (b"a.png,cat\nb.png,\n", r"labels has no class for b.png: add its class, or leave"),
        (b"a.png,cat\nb.png,nan\n", r"labels has no class for b.png: add its class, or leave"),
        (
            b"a.png,cat\na.png,dog\n",
            "labels assigns the classes cat and dog to a.png: expected one",
        ),
        (b"a.png,cat\nz.png,dog\n", r"files \(1\) that are not among .*\(z.png\): expected paths"),
        (b"z.png,cat\na.png,dog\n", r"files \(1\) that are not among .*\(z.png\): expected paths"),
        (b"file,class\n", "labels is empty: expected paths in the folder"),
        (b"", "labels is empty"),
        (
            b"a.png cat\nb.png dog\n",
            "has a line with fewer than two columns: expected lines of the form path,class",
        ),
        (
            b"a.png," + b"x" * 200_000,
            r"is not a table \(field larger than .*: expected lines of the form path,class",
        ),
        (b'a.png,"cat\nb.png,dog\n', r"is not a table \(unexpected end of data\)"),
    ],
)
def test_tables_that_cannot_be_right_are_refused(three, contents, says):
    folder, table = three
    table.write_bytes(contents)
    with pytest.raises(ValueError, match=says):
        image_folder(folder, 4, labels=table)


@pytest.mark.parametrize("empty", [None, "", " ", float("nan")])
def test_classes_that_are_missing_are_refused(three, empty):
    with pytest.raises(ValueError, match=r"no class for b.png"):
        image_folder(three[0], 4, labels={"a.png": "cat", "b.png": empty})


@pytest.mark.parametrize("name", [b"cat", ["cat"], {"cat"}, 1j])
def test_classes_of_other_types_are_refused(three, name):
    with pytest.raises(
        TypeError, match=r"labels assigns the class .* to b.png: expected a name or a"
    ):
        image_folder(three[0], 4, labels={"a.png": "cat", "b.png": name})


@pytest.mark.parametrize("labels", [0, 1, 2, 1.0, None, b"classes.csv", ["cat", "dog"]])
def test_labels_of_other_types_are_refused(three, labels):
    """Of an integer, `open` would take it for the number of an open file, and close that."""
    with pytest.raises(TypeError, match=r"^labels is .*: expected True or False, a dict that maps"):
        image_folder(three[0], 4, labels=labels)
    os.fstat(1)


def test_a_table_that_is_a_pipe_is_refused(three):
    folder, table = three
    os.mkfifo(table)
    for path in (table, "/dev/zero"):
        with pytest.raises(OSError, match="is a pipe, a socket, or a device"):
            image_folder(folder, 4, labels=path)


def test_classes_that_are_numbers_are_in_their_order(tmp_path):
    numbers = ["0", "1", "2", "10", "11"]
    for number in reversed(numbers):
        save(tmp_path / number / "a.png", color=(int(number), 0, 0))
    by_folder = image_folder(tmp_path, 4, labels=True)
    by_dict = image_folder(tmp_path, 4, labels={f"{each}/a.png": int(each) for each in numbers})
    for source in (by_folder, by_dict):
        images, labels = source.arrays()
        assert source.class_names == tuple(numbers)
        np.testing.assert_array_equal(np.array(numbers, int)[labels], images[:, 0, 0, 0])
    again = image_folder(tmp_path, 4, classes=map(int, numbers))
    assert again.class_names == tuple(numbers)
    given = {"0/a.png": 2.0, "1/a.png": "10.0", "2/a.png": 2}
    for number in numbers[3:]:
        (tmp_path / number / "a.png").unlink()
    assert image_folder(tmp_path, 4, labels=given).class_names == ("2", "10")
    given["2/a.png"] = 1.5
    assert image_folder(tmp_path, 4, labels=given).class_names == ("1.5", "2.0", "10.0")


def test_images_that_lose_something_are_named(tmp_path):
    save(tmp_path / "a.png", "RGBA", (0, 0, 0, 51))
    save(tmp_path / "b.png", "RGBA", (9, 9, 9, 255))
    save(tmp_path / "c.png")
    with pytest.warns(
        UserWarning, match=r"^Images in .* pixels \(1\) are blended with white: a.png$"
    ):
        images = image_folder(tmp_path, 4).arrays()
    np.testing.assert_array_equal(images[:, 0, 0], [(204, 204, 204), (9, 9, 9), RED])


@pytest.mark.parametrize("memory_limit", [2**20, 10])
def test_opacity_is_a_fourth_channel(tmp_path, memory_limit):
    save(tmp_path / "a.png", "RGBA", (200, 100, 50, 51))
    save(tmp_path / "b.png")
    half = np.zeros([2, 4, 4], "uint8")
    half[:, :2] = (240, 20, 90, 255)  # a transparent black right half
    Image.fromarray(half).save(tmp_path / "c.png")
    images = image_folder(tmp_path, (1, 2), channels=4, memory_limit=memory_limit).arrays()
    assert images.shape == (3, 1, 2, 4) and images.dtype == np.uint8
    np.testing.assert_array_equal(images[0, 0, 0], (200, 100, 50, 51))
    np.testing.assert_array_equal(images[1, 0, 0], (*RED, 255))
    # Colors of transparent pixels do not bleed: shrinking mixes 240 with nothing.
    assert (images[2, 0, images[2, 0, :, 3] > 0, :3] == (240, 20, 90)).all()


def test_rectangles_show_the_middle(tmp_path):
    rows, columns = np.mgrid[:40, :60]
    for name in "ab":
        Image.fromarray(np.stack([rows, columns, 0 * rows], -1).astype("uint8")).save(
            tmp_path / f"{name}.png"
        )
    for size, top, left in (((40, 20), 0, 20), ((20, 60), 10, 0), ((40, 60), 0, 0)):
        image = image_folder(tmp_path, size).arrays()[0]
        expected = np.stack([rows, columns], -1)[top : top + size[0], left : left + size[1]]
        np.testing.assert_array_equal(image[..., :2], expected)
    assert image_folder(tmp_path, (3, 7)).arrays().shape == (2, 3, 7, 3)


@pytest.mark.parametrize(
    ("dtype", "memory_limit"),
    [("uint16", 2**20), ("uint16", 10), ("int32", 10), ("float32", 2**20)],
)
def test_levels_keep_the_precision_of_deep_images(tmp_path, dtype, memory_limit):
    values = np.linspace(100, 4000, 64).reshape(8, 8).astype(dtype)
    for name in "ab":
        Image.fromarray(values).save(tmp_path / f"{name}.tif")
    source = image_folder(tmp_path, 8, channels=1, levels=(100, 4100), memory_limit=memory_limit)
    images = source.arrays()
    assert images.shape == (2, 8, 8, 1) and images.dtype == np.float32
    expected = (values.astype("float64") - 100) * 255 / 4000
    np.testing.assert_allclose(images[0, ..., 0], expected, atol=1e-4)
    inverted = image_folder(tmp_path, 8, channels=3, levels=(4100, 100)).arrays()
    np.testing.assert_allclose(inverted[0], np.repeat(255 - expected[..., None], 3, 2), atol=1e-4)
    with pytest.warns(
        UserWarning, match="values from 100 to 4000: values outside the levels 0 to 5"
    ):
        clipped = image_folder(tmp_path, 8, channels=1, levels=(0, 500)).arrays()
    assert clipped.max() == 255
    with pytest.warns(UserWarning, match=r"less than a tenth of .*: pass levels=\(100, 4000\)"):
        image_folder(tmp_path, 8, channels=1, levels=(0, 65535))
    with pytest.raises(
        ValueError, match=r"4,000 instead of 65,535|32-bit values from 100 to 4000.*levels"
    ):
        image_folder(tmp_path, 8)


def test_levels_of_colors_and_gaps_are_refused(tmp_path):
    values = np.full([4, 4], np.nan, "float32")
    for name in "ab":
        Image.fromarray(values).save(tmp_path / f"{name}.tif")
    with pytest.raises(ValueError, match="values that are not finite"):
        image_folder(tmp_path, 4, levels=(0, 1))


@pytest.mark.thorough
@pytest.mark.parametrize("memory_limit", [2**20, 10])
def test_gray_images_have_an_argument(tmp_path, memory_limit):
    for name in ("a.tif", "b.png"):
        save(tmp_path / name, "L", 9)
    with pytest.warns(UserWarning, match=r"^All 2 images in .* are gray, .* channels=1"):
        image_folder(tmp_path, 4, memory_limit=memory_limit)
    for channels in (1, 3):
        images = image_folder(tmp_path, 4, channels=channels, memory_limit=memory_limit).arrays()
        assert images.shape == (2, 4, 4, channels)
    save(tmp_path / "c.png")
    assert len(image_folder(tmp_path, 4, memory_limit=memory_limit)) == 3


def test_deep_images_without_a_white_are_unreadable(tmp_path):
    for number in range(4):
        Image.fromarray(np.full([4, 4], 4000 + number, np.uint16)).save(tmp_path / f"{number}.tif")
    with pytest.raises(
        ValueError, match=r"4 of 4 images .* 0.tif, .*, 3.tif \(a 16-bit image .* is 4,000 "
    ):
        image_folder(tmp_path, 4)


def test_linked_folders_are_read_and_circles_end(tmp_path):
    for number, name in enumerate(("store/a/1.png", "store/b/2.png")):
        save(tmp_path / name, "L", number)
    images = tmp_path / "images"
    images.mkdir()
    for name, place in (("x", "a"), ("y", "b"), ("z", "a")):
        (images / name).symlink_to(tmp_path / "store" / place)
    (tmp_path / "store" / "b" / "circle").symlink_to(images)
    source = image_folder(images, 4, labels=True, channels=1)
    pixels, labels = source.arrays()
    assert list(labels) == [0, 1, 2] and list(pixels[:, 0, 0, 0]) == [0, 1, 0]


def test_links_that_multiply_folders_are_refused(tmp_path):
    for level in range(30):
        (tmp_path / f"{level}").mkdir()
    save(tmp_path / "29" / "a.png")
    for level in range(29):
        for name in "ab":
            (tmp_path / f"{level}" / name).symlink_to(tmp_path / f"{level + 1}")
    with pytest.raises(
        ValueError, match=r"^The folder .*/29 is reached through links more than 100 times"
    ):
        image_folder(tmp_path / "0", 4)


def test_a_link_to_nothing_is_named(tmp_path):
    for number in range(2):
        save(tmp_path / f"{number}.png")
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.warns(UserWarning, match=r"lost.png \(.*No such file"):
        assert len(image_folder(tmp_path, 4, max_broken=0.5)) == 2


def test_links_are_read_where_they_end_in_a_file(tmp_path):
    """A file anywhere is one; a socket or a device would never end, and is named."""
    folder = tmp_path / "images"
    for number in range(2):
        save(tmp_path / f"{number}.png")
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.png").symlink_to(tmp_path / f"{number}.png")
    assert len(image_folder(folder, 4)) == 2
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(folder):
        listener.bind("socket.png")
        with pytest.warns(UserWarning, match="3 of 5 images .* are skipped") as warned:
            assert len(image_folder(folder, 4, max_broken=0.6)) == 2
    said = str(warned[0].message)
    assert said.count("is a pipe, a socket, or a device") == 2 and "circle.png (" in said


def test_images_of_other_kinds_are_named(tmp_path):
    for name in ("a.HEIC", "b.avif", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match=r"no images: .*. Convert a.HEIC, b.avif.$"):
        image_folder(tmp_path, 4)
    for number in range(2):
        save(tmp_path / f"{number}.png")
    says = r"^Images in .* \(2\) are skipped. Convert them to JPEG or PNG: a.HEIC, b.avif$"
    with pytest.warns(UserWarning, match=says):
        assert len(image_folder(tmp_path, 4)) == 2


def test_names_whose_letters_are_decomposed(tmp_path):
    """Archives from macOS contain such names, which look like the usual ones."""
    usual, decomposed = "\u00e9", "e\u0301"
    save(tmp_path / decomposed / f"{decomposed}.png")
    save(tmp_path / "b" / "b.png")
    given = {f"{usual}/{usual}.png": usual, "b/b.png": "b"}
    for options in (dict(labels=given), dict(classes=["b", usual]), dict(labels=True)):
        source = image_folder(tmp_path, 4, **options)
        assert source.class_names == ("b", usual)
        assert list(source.arrays()[1]) == [0, 1]
