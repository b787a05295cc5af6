"""Folders with one owner at a time."""

import pytest

from keras_gen.files.writing import hold, let_go


def test_one_owner_at_a_time(tmp_path):
    lock = hold(tmp_path / "a" / "b")
    assert lock is not None and hold(tmp_path / "a" / "b") is None
    (tmp_path / "a" / "b" / "work").touch()
    let_go(lock)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["work"]
    again = hold(tmp_path / "a" / "b")
    assert again is not None
    let_go(again)


def test_a_folder_to_which_nothing_was_written_is_removed(tmp_path):
    let_go(hold(tmp_path / "a"))
    assert not (tmp_path / "a").exists()


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Cannot write to the folder .*file \(.*\): take a nap\."):
        hold(tmp_path / "file", "take a nap")
