"""Files are replaced whole or not at all."""

import errno
import json
import os
import platform
import threading
from pathlib import Path

import pytest

from commands import left_by_a_killed_process
from keras_gen.files import writing
from keras_gen.files.writing import (
    clear_partial_files,
    partial_path,
    replacing,
    replacing_by_name,
    write_json,
)
from processes import python


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "new" / "folder" / "file.bin"
    for content in (b"old", b"new"):
        with replacing(path) as file:
            file.write(content)
        assert path.read_bytes() == content
    assert names(path.parent) == ["file.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_while_writing_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as file:
        file.write(b"half of the n")
        raise error
    assert path.read_bytes() == b"old" and names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EROFS, "choose a writable folder"),
        (errno.EIO, "choose another location"),
    ],
)
def test_errors_of_the_system_become_a_sentence(tmp_path, monkeypatch, number, way_out):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(writing.os, "fsync", fail)
    with pytest.raises(OSError, match="Cannot write") as error, replacing(path) as file:
        file.write(b"new")
    expected = (
        f"Cannot write {path} ({os.strerror(number)}): {way_out}. Any existing file at this path "
        "is unchanged."
    )
    assert error.value.strerror == expected and error.value.errno == number
    assert path.read_bytes() == b"old" and names(tmp_path) == ["file"]


def test_a_file_too_large_for_the_disk(tmp_path):
    """The real thing, at a limit of the system's for one process."""
    code = (
        "import resource; from keras_gen.files.writing import replacing\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"with replacing({str(tmp_path / 'file')!r}) as file: file.write(bytes(5000))"
    )
    (tmp_path / "file").write_bytes(b"old")
    result = python("-c", code)
    assert "file (File too large): choose another location." in result.stderr
    assert (tmp_path / "file").read_bytes() == b"old" and names(tmp_path) == ["file"]


def test_json(tmp_path):
    write_json(tmp_path / "a.json", {"path": tmp_path, "numbers": [1, 2.5], "none": None})
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"path": str(tmp_path), "numbers": [1, 2.5], "none": None}
    assert text.endswith("}\n") and text.count("\n") > 3


@pytest.mark.parametrize(("pattern", "left"), [("a*", ["b", "below"]), ("**/*", [])])
def test_partial_files_of_the_named_ones_are_cleared(tmp_path, pattern, left):
    for path in (tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "below" / "a.txt"):
        left_by_a_killed_process(path)
        path.touch()
    (tmp_path / "my.tmp").touch()
    clear_partial_files(tmp_path, pattern)
    partial = {p.relative_to(tmp_path).parts[0].strip(".")[:5] for p in tmp_path.rglob(".*.tmp")}
    assert sorted(name.split(".")[0] for name in partial) == left
    assert len(list(tmp_path.rglob("*.txt"))) == 3 and (tmp_path / "my.tmp").exists()


def test_partial_files_of_running_processes_and_other_machines_stay(tmp_path):
    partial_path(tmp_path / "mine").touch()
    (tmp_path / ".theirs.another-machine.1.tmp").touch()
    before = names(tmp_path)
    clear_partial_files(tmp_path)
    assert names(tmp_path) == before


def test_threads_that_write_one_file_do_not_mix(tmp_path):
    together = threading.Barrier(2)

    def write(letter):
        with replacing(tmp_path / "a") as file:
            for _ in range(3):
                together.wait()
                file.write(letter * 100_000)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set((tmp_path / "a").read_bytes())) == 1 and names(tmp_path) == ["a"]
    with replacing_by_name(tmp_path / "a", 1) as one, replacing_by_name(tmp_path / "a", 1) as other:
        one.write_bytes(b"1")
        other.write_bytes(b"2")
    assert (tmp_path / "a").read_bytes() == b"1" and names(tmp_path) == ["a"]


def test_a_restarted_container_clears_what_its_killed_process_left(tmp_path):
    """Both have the same host name and the same number."""
    number = f"{platform.node()}.{os.getpid()}"
    for left in (f".a.{number}.tmp", f".a.{number}.0123abcd-0.tmp"):
        (tmp_path / left).mkdir()
    with replacing_by_name(tmp_path / "a", 1) as partial:
        partial.write_bytes(b"1")
    assert names(tmp_path) == ["a"]


def test_devices_are_never_replaced(tmp_path):
    (tmp_path / "link").symlink_to("/dev/zero")
    with replacing(tmp_path / "link") as file:
        file.write(b"1")
    assert (tmp_path / "link").read_bytes() == b"1" and Path("/dev/zero").is_char_device()
    for path in ("/dev/zero", "/dev/null"):
        with pytest.raises(OSError, match=r"\(a device\): choose another"), replacing(path):
            raise AssertionError("opened")
    assert Path("/dev/zero").is_char_device()


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to("target")
    for content in (b"1", b"2"):
        with replacing(tmp_path / "link") as file:
            file.write(content)
        assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == content


def test_who_writes_a_file_again_clears_what_a_killed_process_left_of_it(tmp_path):
    left_by_a_killed_process(tmp_path / "a.json")
    write_json(tmp_path / "a.json", {})
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("letter", ["x", "é"])
def test_names_can_be_as_long_as_the_file_system_allows(tmp_path, letter):
    path = tmp_path / (letter * (255 // len(letter.encode())))
    with replacing(path) as file:
        file.write(b"a")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.bmp", "a.png", "a.gif"])
def test_images_are_not_truncated_by_a_full_disk(tmp_path, name):
    """Pillow does not notice that a write to a descriptor is short."""
    path = tmp_path / name
    code = f"""
import resource
import numpy as np
from keras_gen.files.animations import write_animation
from keras_gen.files.images import write_image
path, image = {str(path)!r}, np.random.default_rng(0).integers(0, 256, (64, 64), "uint8")
write = write_image if not path.endswith("gif") else lambda p, i: write_animation(p, [i, i])
write(path, image[:8, :8])
resource.setrlimit(resource.RLIMIT_FSIZE, (1100, 1100))
before = open(path, "rb").read()
try:
    write(path, image)
except OSError as error:
    print(error.strerror)
assert open(path, "rb").read() == before
"""
    result = python("-c", code)
    assert f"Cannot write {path} (File too large)" in result.stdout, result.stderr
    assert names(tmp_path) == [name]
