"""The minutes of interrupted runs."""

import time

import pytest

from keras_gen.workshop.run.clock import Clock


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
