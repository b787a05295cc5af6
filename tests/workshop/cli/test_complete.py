"""The command complete."""

import numpy as np
import pytest
import tensorflow as tf

from commands import fails
from keras_gen.files.images import enlarged_grid, read_image, write_png
from keras_gen.serving.export import export
from keras_gen.workshop.cli import main
from toy_exports import PHOTO, Toy, listener

TOY = ["complete", "toy", "image.png", "-o", "whole.png"]


def labeled() -> Toy:
    """Writes ten times the label and the seed where something is missing."""
    usual = listener().signatures()
    labels = tf.TensorSpec([None], tf.int32, "labels")

    def fill(images, masks, seeds, labels):
        drawn = tf.cast(10 * labels + seeds, tf.uint8)[:, None, None, None]
        return {"output_images": tf.where(masks > 0, drawn, images)}

    return Toy(classify=usual["classify"], fill=(fill, [*usual["fill"][1], labels]))


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    export(listener(), folder, "toy")
    export(labeled(), folder, "labeled", metadata={"class_names": ["tall", "wide"]})
    return folder


@pytest.fixture(autouse=True)
def home(exports, tmp_path, monkeypatch):
    """A working directory with the exports, and an image of their size that is 200 all over."""
    (tmp_path / "saved_models").symlink_to(exports)
    write_png(tmp_path / "image.png", np.full([4, 4, 1], 200, np.uint8))
    monkeypatch.chdir(tmp_path)


def completed(*options):
    assert main([*TOY, "--overwrite", *options]) == 0
    return read_image("whole.png")[:, :, 0]


def test_halves(capsys):
    missing = np.zeros([4, 4], bool)
    missing[2:] = True
    for name, place in (
        ("lower", missing),
        ("upper", ~missing),
        ("left", ~missing.T),
        ("right", missing.T),
    ):
        np.testing.assert_array_equal(
            completed("--missing", name, "--seed", "7"), np.where(place, 7, 200)
        )
    np.testing.assert_array_equal(completed("--seed", "7"), np.where(missing, 7, 200))
    assert capsys.readouterr().out.endswith("1 completed image written to whole.png\n")


def test_a_mask_is_white_where_pixels_are_missing():
    mask = np.zeros([4, 4, 1], np.uint8)
    mask[1, 2:] = 255
    mask[3, 0] = 127
    write_png("mask.png", mask)
    expected = np.full([4, 4], 200)
    expected[1, 2:] = 0
    np.testing.assert_array_equal(completed("--mask", "mask.png"), expected)


def test_each_label_has_a_column_and_each_seed_a_row(capsys):
    labeled = ["complete", "labeled", "image.png", "-o"]
    assert main([*labeled, "all.png", "-n", "3"]) == 0
    assert capsys.readouterr().out == (
        "6 completed images written to all.png, one column for each of 2 labels\n"
    )
    expected = np.full([6, 4, 4, 1], 200, np.uint8)
    expected[:, 2:] = np.reshape([0, 10, 1, 11, 2, 12], [6, 1, 1, 1])
    np.testing.assert_array_equal(read_image("all.png"), enlarged_grid(expected, 2))
    assert main([*labeled, "one.png", "--label", "wide", "--seed", "5"]) == 0
    assert read_image("one.png").shape == (4, 4, 3) and read_image("one.png")[3, 0, 0] == 15


def test_other_sizes_are_fitted(capsys):
    write_png("photo.png", PHOTO)
    options = ["complete", "toy", "photo.png", "-o", "fitted.png"]
    sentence = "photo.png has 9 x 6 pixels: expected 4 x 4. Pass --fit"
    assert sentence in fails(capsys, *options)
    assert main([*options, "--fit"]) == 0
    assert read_image("fitted.png").shape == (4, 4, 3)


def test_what_is_refused(capsys):
    write_png("small.png", np.zeros([2, 2, 1], np.uint8))
    write_png("black.png", np.zeros([4, 4, 1], np.uint8))
    for options, sentence in (
        (
            ["--mask", "small.png"],
            "--mask small.png has 2 x 2 pixels, but image.png has 4 x 4: pass",
        ),
        (
            ["--mask", "black.png"],
            "--mask black.png has no white pixels: expected white where pixels are missing.",
        ),
        (["--label", "1"], "--label is 1, but signature 'fill' of saved_models/toy/1 does not"),
        (["--signature", "sample"], "does not complete images. Signatures that do: fill."),
    ):
        assert sentence in fails(capsys, *TOY, *options)
