"""The builder of the facades, from files as pix2pix has them."""

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import DataDamaged, DataUnavailable, facades, load_tfds


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


def test_without_files_or_with_others(tmp_path):
    with pytest.raises(DataUnavailable, match=r"lacks the files.*facades\.tar\.gz"):
        load_tfds("facades", "train", features="photo", data_dir=tmp_path)
    write(tmp_path / "downloads" / "manual", width=500)
    with pytest.raises(DataDamaged, match=r"1\.jpg is 500 pixels wide and 256 high"):
        load_tfds("facades", "train", features="photo", data_dir=tmp_path)
