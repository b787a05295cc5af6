"""The builder of USPS, from both kinds of files."""

import bz2

import numpy as np
import pytest

from keras_gen.data import load_tfds
from keras_gen.data.tfds_builders.usps.usps import read_libsvm


def test_values_left_out_of_libsvm_files_are_middle_gray():
    images, labels = read_libsvm(bz2.compress(b"10 1:-1 256:1\n1 2:0.5"))
    assert list(labels) == [9, 0]
    assert images[0, 0, 0] == 0 and images[0, 15, 15] == 255 and images[0, 5, 5] == 128
    with pytest.raises(ValueError, match=r"1..10, found 0..3"):
        read_libsvm(bz2.compress(b"0 1:-1\n3 1:1"))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("split", "count"), [("train", 7291), ("test", 2007)])
def test_the_official_one_is_complete(shared_data, tmp_path, split, count):
    folder = shared_data / "usps"
    folders = dict(data_dir=tmp_path, manual_dir=folder)
    images, labels = load_tfds("usps", split, features=("image", "label"), **folders).arrays()
    arrays = np.load(folder / "usps.npz")
    found = sorted((image.tobytes(), label) for image, label in zip(images, labels, strict=True))
    pairs = zip(arrays[f"x_{split}"], arrays[f"y_{split}"], strict=True)
    assert len(images) == count
    assert found == sorted((image.tobytes(), label) for image, label in pairs)
