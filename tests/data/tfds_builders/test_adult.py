"""The builder of Adult, from the three kinds of files."""

import gzip
import zipfile

import pytest

from keras_gen.data import load_tfds
from keras_gen.data.tfds_builders.adult.adult import read_rows
from keras_gen.data.tfds_builders.adult.columns import COLUMNS

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
def test_the_official_one_is_complete(shared_data, tmp_path, split, count, rich):
    folders = dict(data_dir=tmp_path, manual_dir=shared_data / "adult")
    labels = load_tfds("adult", split, features="label", **folders).arrays()
    assert len(labels) == count and labels.sum() == rich
