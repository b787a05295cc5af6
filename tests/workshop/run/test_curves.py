"""Losses as a table and as an image."""

import csv

import pytest

from keras_gen.files.images import read_image
from keras_gen.workshop.run import Run
from keras_gen.workshop.run.curves import loss_curves, write_history

LOGS = [{"a": 1.5, "b": 2.0}, {"a": 1.0, "b": float("nan"), "late": 3.0}]


def test_one_row_an_epoch(tmp_path):
    write_history(tmp_path / "history.csv", LOGS)
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"epoch": "1", "a": "1.5", "b": "2.0", "late": ""},
        {"epoch": "2", "a": "1.0", "b": "nan", "late": "3.0"},
    ]


def test_before_the_first_epoch(tmp_path):
    write_history(tmp_path / "history.csv", [])
    assert (tmp_path / "history.csv").read_text().split() == ["epoch"]


@pytest.mark.thorough
def test_a_panel_for_each_number(tmp_path):
    loss_curves(tmp_path / "one.png", [{"a": 1.0}])
    loss_curves(tmp_path / "three.png", LOGS)
    one, three = read_image(tmp_path / "one.png"), read_image(tmp_path / "three.png")
    assert three.shape[1] == 3 * one.shape[1] and three.shape[0] == one.shape[0]
    assert one.std() > 0
    loss_curves(tmp_path / "seven.png", [dict.fromkeys("abcdefg", 1.0)])
    assert read_image(tmp_path / "seven.png").shape == (3 * one.shape[0], 3 * one.shape[1], 3)
    loss_curves(tmp_path / "many.png", [{"a": float(i)} for i in range(100)])
    assert (read_image(tmp_path / "many.png") != one).any()


def test_no_other_image_takes_their_place():
    with pytest.raises(ValueError, match=r"losses\.png shows the training losses"):
        Run.draw(None, "losses", None)
