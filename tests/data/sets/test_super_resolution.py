"""Squares cover photographs, benchmarks are whole, and bicubic has its known PSNR."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import benchmark_images, photograph_patches
from keras_gen.metrics import enlargement_report
from keras_gen.workshop.baselines import bicubic


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    return tmp_path / "downloads" / "manual" / "super_resolution"


def save(path, height, width):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.arange(height)[:, None, None].astype("uint8")
    Image.fromarray(np.broadcast_to(rows, [height, width, 3])).save(path)


def test_squares_cover_an_image_to_its_borders(folder):
    for number in range(22):
        save(folder / "T91" / f"{number:02}.png", 40, 16)
        save(folder / "bsds500_half" / f"{number:02}.png", 16, 30)
    data = photograph_patches(16)
    train, test = data.train.arrays(), data.test.arrays()
    # 40 rows: squares begin at 0, 8, 16 and 24; 30 columns: at 0, 7 and 14.
    assert sorted(set(train[:, 0, 0, 0])) == [0, 8, 16, 24]
    assert (len(train), len(test)) == (22 * 4 + 2 * 3, 20 * 3)
    assert not data.warning


def test_own_photographs_and_too_small_ones(folder, tmp_path):
    for number in range(4):
        save(tmp_path / "own" / f"{number}.png", 20, 20)
    data = photograph_patches(20, tmp_path / "own")
    assert (len(data.train), len(data.test)) == (3, 1)
    with pytest.raises(ValueError, match="has at least 21 pixels per side: use larger images"):
        photograph_patches(21, tmp_path / "own")


def test_photographs_that_tests_hold_are_left_out(folder, tmp_path):
    rng = np.random.default_rng(0)
    scenes = rng.integers(0, 256, (4, 4, 4, 3), "uint8")
    (tmp_path / "own").mkdir()
    for number, scene in enumerate(scenes):
        large = scene.repeat(10, axis=0).repeat(10, axis=1)
        Image.fromarray(large).save(tmp_path / "own" / f"{number}.png")
    # One of those that are trained on: larger, mirrored, darker, in other proportions.
    planted = (scenes[2][:, ::-1] // 2).repeat(25, axis=0).repeat(30, axis=1)
    other = np.full([50, 50, 3], 200, "uint8")
    data = photograph_patches(40, str(tmp_path / "own"), apart_from=[other, planted])
    np.testing.assert_array_equal(
        data.train.arrays()[:, 0, 0], [scenes[number][0, 0] for number in (1, 3)]
    )
    assert (
        "squares of 2 photographs (1 left out because a test set contains them), from"
        in data.train.origin
    )
    assert len(photograph_patches(40, str(tmp_path / "own"), apart_from=[other]).train) == 3


def test_without_folders_other_photographs_stand_in(folder):
    data = photograph_patches(200)
    assert "offline sample" in data.warning and len(data.test)
    assert benchmark_images(4)["Set5"][0].shape == (96, 128, 3)


@pytest.mark.thorough
@pytest.mark.data
def test_bicubic_has_the_psnr_of_papers(shared_data, folder):
    folder.parent.mkdir(parents=True)
    folder.symlink_to(shared_data / "superres")
    images = benchmark_images(4)
    assert (len(images["Set5"]), len(images["Set14"])) == (5, 14)
    report = enlargement_report(partial(bicubic, factor=4), images["Set5"], 4)
    assert report["psnr"] == pytest.approx(28.43, abs=0.005)
