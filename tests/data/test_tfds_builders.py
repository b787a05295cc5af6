"""Builders of data sets that are read from files as their sources give them."""

import bz2
import gzip
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import DataDamaged, facades, load_tfds
from keras_gen.data.tfds_builders.adult.adult import read_rows
from keras_gen.data.tfds_builders.adult.columns import COLUMNS
from keras_gen.data.tfds_builders.reuters.reuters import read_sgml
from keras_gen.data.tfds_builders.usps.usps import read_libsvm

TRAIN = """39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, \
Male, 2174, 0, 40, United-States, <=50K
50, ?, 83311, Masters, 14, Married-civ-spouse, ?, Wife, White, Female, 0, 0, 13, ?, >50K

"""
TEST = "|1x3 Cross validator\n" + TRAIN.replace("50K\n", "50K.\n")


def test_rows_have_their_income_without_a_dot():
    rows = list(read_rows(TEST))
    assert rows == list(read_rows(TRAIN)) and [income for _, income in rows] == ["<=50K", ">50K"]
    values, _ = rows[1]
    assert len(values) == len(COLUMNS) and values[:3] == ["50", "?", "83311"]


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["zip", "plain", "gz"])
def test_each_kind_of_files(tmp_path, kind):
    manual = tmp_path / "manual"
    manual.mkdir()
    texts = {"adult.data": TRAIN, "adult.test": TEST}
    if kind == "zip":
        with zipfile.ZipFile(manual / "adult.zip", "w") as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
    for name, text in texts.items():
        if kind == "plain":
            (manual / name).write_text(text)
        elif kind == "gz":
            (manual / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    folders = dict(data_dir=tmp_path / "tfds", manual_dir=manual)
    features = ("columns/age", "columns/workclass", "label")
    for split in ("train", "test"):
        source = load_tfds("adult", split, features=features, **folders)
        ages, classes, labels = source.arrays()
        found = sorted(zip(ages, classes, labels, strict=True))
        assert found == [(39, b"State-gov", 0), (50, b"?", 1)]
        assert source.class_names == ("<=50K", ">50K")


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("split", "count", "rich"), [("train", 32561, 7841), ("test", 16281, 3846)]
)
def test_adult_is_complete(shared_data, tmp_path, split, count, rich):
    folders = dict(data_dir=tmp_path, manual_dir=shared_data / "adult")
    labels = load_tfds("adult", split, features="label", **folders).arrays()
    assert len(labels) == count and labels.sum() == rich


def write(folder, width=512):
    rng = np.random.default_rng(0)
    for part, count in (("train", 3), ("val", 2), ("test", 2)):
        (folder / "facades" / part).mkdir(parents=True)
        for number in range(1, count + 1):
            both = rng.integers(0, 256, (256, width, 3), dtype="uint8")
            path = folder / "facades" / part / f"{number}.jpg"
            Image.fromarray(both).save(path, quality=95)
    return np.asarray(Image.open(folder / "facades" / "test" / "1.jpg"))


@pytest.mark.thorough
def test_halves_are_photograph_and_labels(tmp_path, monkeypatch):
    first = write(tmp_path / "downloads" / "manual")
    options = dict(features=("labels", "photo"), data_dir=tmp_path)
    labels, photos = load_tfds("facades", "test", **options).arrays()
    assert labels.shape == photos.shape == (2, 256, 256, 3)
    found = np.concatenate([photos, labels], axis=2)
    assert any((image == first).all() for image in found)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    data = facades(16)
    assert (len(data.train), len(data.test)) == (5, 2)
    assert data.train.element_spec[0].shape == (16, 16, 3)
    # Nearest neighbors make no colors that a map does not have.
    small = data.test.arrays()[0][0].reshape(-1, 3)
    assert {tuple(c) for c in small} <= {tuple(c) for c in labels[0].reshape(-1, 3)}


def test_pictures_of_another_size(tmp_path):
    write(tmp_path / "downloads" / "manual", width=500)
    with pytest.raises(DataDamaged, match=r"1\.jpg has width 500 and height 256"):
        load_tfds("facades", "train", features="photo", data_dir=tmp_path)


SGML = """<!DOCTYPE lewis SYSTEM "lewis.dtd">
<REUTERS TOPICS="YES" LEWISSPLIT="TRAIN" CGISPLIT="TRAINING-SET" OLDID="5544" NEWID="1">
<DATE>26-FEB-1987</DATE><TOPICS><D>grain</D><D>wheat</D></TOPICS><PLACES><D>usa</D></PLACES>
<UNKNOWN>&#5;&#5;f0704</UNKNOWN>
<TEXT>&#2;<TITLE>PRICES &lt;X.N> RISE</TITLE><DATELINE>ROME</DATELINE><BODY>Bread &amp; café
rose.
 Reuter
&#3;</BODY></TEXT></REUTERS>
<REUTERS TOPICS="NO" LEWISSPLIT="TRAIN" CGISPLIT="X" OLDID="1" NEWID="2"><TOPICS></TOPICS>
<TEXT><TITLE>NO TOPICS</TITLE></TEXT></REUTERS>
<REUTERS TOPICS="YES" LEWISSPLIT="NOT-USED" CGISPLIT="X" OLDID="1" NEWID="3"><TOPICS></TOPICS>
<TEXT><TITLE>NOT USED</TITLE></TEXT></REUTERS>
<REUTERS TOPICS="YES" LEWISSPLIT="TEST" CGISPLIT="X" OLDID="1" NEWID="4"><TOPICS></TOPICS>
<TEXT TYPE="BRIEF">&#2;<TITLE>BRIEF</TITLE>&#3;</TEXT></REUTERS>
<REUTERS TOPICS="YES" LEWISSPLIT="TEST" CGISPLIT="X" OLDID="1" NEWID="5">
<TOPICS><D>gold</D></TOPICS><TEXT TYPE="UNPROC">&#2;
All in one
&#3;</TEXT></REUTERS>
"""
STORIES = [
    dict(id=1, modapte="train", topics=["grain", "wheat"], title="PRICES <X.N> RISE",
         text="Bread & café\nrose.\n Reuter"),
    dict(id=4, modapte="test", topics=[], title="BRIEF", text=""),
    dict(id=5, modapte="test", topics=["gold"], title="", text="All in one"),
]  # fmt: skip


def published(folder):
    contents = SGML.encode("latin-1")
    with tarfile.open(folder / "reuters21578.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("reut2-000.sgm")
        member.size = len(contents)
        archive.addfile(member, io.BytesIO(contents))


def lines(folder):
    with gzip.open(folder / "reuters21578_modapte.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(story) + "\n" for story in STORIES)


def test_sgml_by_hand():
    assert list(read_sgml(SGML)) == STORIES


@pytest.mark.parametrize("write", [published, lines])
def test_both_kinds_of_files_give_the_same(tmp_path, write):
    (tmp_path / "manual").mkdir()
    write(tmp_path / "manual")
    found = {
        part: load_tfds(
            "reuters", part, features=("id", "text", "topics"),
            data_dir=tmp_path, manual_dir=tmp_path / "manual",
        ).arrays()
        for part in ("train", "test")
    }  # fmt: skip
    assert [a.tolist() for a in found["train"]] == [
        [1], ["PRICES <X.N> RISE\nBread & café\nrose.\n Reuter".encode()], [b"grain wheat"],
    ]  # fmt: skip
    test = sorted(zip(*(a.tolist() for a in found["test"]), strict=True))
    assert test == [(4, b"BRIEF\n", b""), (5, b"\nAll in one", b"gold")]


@pytest.mark.thorough
@pytest.mark.data
def test_the_real_one_is_complete(shared_data, tmp_path):
    folders = dict(data_dir=tmp_path, manual_dir=shared_data / "reuters")
    train, test = (load_tfds("reuters", p, features="topics", **folders) for p in ("train", "test"))
    assert (len(train), len(test)) == (9603, 3299)
    assert sum(t == b"earn" for t in train.arrays()) == 2840


def test_values_left_out_of_libsvm_files_are_middle_gray():
    images, labels = read_libsvm(bz2.compress(b"10 1:-1 256:1\n1 2:0.5"))
    assert list(labels) == [9, 0]
    assert images[0, 0, 0] == 0 and images[0, 15, 15] == 255 and images[0, 5, 5] == 128
    with pytest.raises(ValueError, match=r"range from 0 to 3: expected labels from 1 to 10"):
        read_libsvm(bz2.compress(b"0 1:-1\n3 1:1"))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("split", "count"), [("train", 7291), ("test", 2007)])
def test_usps_is_complete(shared_data, tmp_path, split, count):
    folder = shared_data / "usps"
    folders = dict(data_dir=tmp_path, manual_dir=folder)
    images, labels = load_tfds("usps", split, features=("image", "label"), **folders).arrays()
    arrays = np.load(folder / "usps.npz")
    found = sorted((image.tobytes(), label) for image, label in zip(images, labels, strict=True))
    pairs = zip(arrays[f"x_{split}"], arrays[f"y_{split}"], strict=True)
    assert len(images) == count
    assert found == sorted((image.tobytes(), label) for image, label in pairs)
