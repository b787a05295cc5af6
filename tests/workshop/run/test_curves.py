"""Losses as a table and as an image."""

import csv

import pytest

from keras_gen.workshop.run import Run
from keras_gen.workshop.run.curves import write_history

LOGS = [{"a": 1.5, "b": 2.0}, {"a": 1.0, "b": float("nan"), "late": 3.0}]


def test_one_row_an_epoch(tmp_path):
    write_history(tmp_path / "history.csv", LOGS)
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"epoch": "1", "a": "1.5", "b": "2.0", "late": ""},
        {"epoch": "2", "a": "1.0", "b": "nan", "late": "3.0"},
    ]


def test_no_other_image_takes_their_place():
    with pytest.raises(ValueError, match=r"losses\.png shows the training losses"):
        Run.draw(None, "losses", None)
