"""The minutes of interrupted runs, and losses as a table and as an image."""

import csv
import time

import pytest

from keras_gen.workshop.run import Run
from keras_gen.workshop.run.progress import Clock, write_history

LOGS = [{"a": 1.5, "b": 2.0}, {"a": 1.0, "b": float("nan"), "late": 3.0}]


def test_counts_what_was_saved_by_all_processes(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    first = Clock(tmp_path)
    now += 180
    first.save()
    now += 60  # is lost, and done again
    assert first.minutes == 4
    second = Clock(tmp_path)
    assert second.resumed and not first.resumed
    now += 30
    assert second.minutes == 3.5
    second.save()
    assert Clock(tmp_path).minutes == 3.5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"minutes": null}'])
def test_a_file_without_minutes(tmp_path, text):
    (tmp_path / "elapsed.json").write_text(text)
    with pytest.raises(
        ValueError, match=r"elapsed\.json does not contain a number of minutes: delete it"
    ):
        Clock(tmp_path)


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
