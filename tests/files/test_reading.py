"""Files that are read: regular ones, of a limited size, in known encodings."""

import os
import socket
import zipfile

import h5py
import numpy as np
import pytest

import keras_gen
from keras_gen.core import training_state
from keras_gen.data import image_folder, paired_folders, side_by_side
from keras_gen.files.animations import is_animation, is_video, map_frames, write_animation
from keras_gen.files.images import read_image, write_image, write_png
from keras_gen.files.reading import open_arrays, open_regular, read_json, read_regular, read_text
from keras_gen.files.sounds import write_wav
from keras_gen.files.writing import write_json
from keras_gen.serving.export import load_weights
from keras_gen.serving.exported import load, read_metadata, resolve

READERS = (open_regular, read_regular, read_text, read_json, read_image)
FOLDERS = (
    resolve,
    load,
    read_metadata,
    keras_gen.load,
    lambda path: load_weights(None, path),
    lambda path: image_folder(path, 4),
    lambda path: side_by_side(path, 4),
    lambda path: paired_folders(path, "a", 4),
    lambda path: paired_folders("a", path, 4),
)
WRITERS = (
    lambda path: write_image(path, None),
    lambda path: write_png(path, np.zeros([1, 1], "uint8")),
    lambda path: write_wav(path, [0.0], 8000),
    lambda path: write_animation(path, []),
    lambda path: write_json(path, {}),
    lambda path: map_frames("a.gif", path, None),
    is_video,
    is_animation,
)


@pytest.mark.parametrize("path", [0, 1, True, b"a.png", None, 1.5, ["a.png"]])
@pytest.mark.parametrize("call", [*READERS, *FOLDERS, *WRITERS])
def test_paths_of_other_types_are_refused(call, path):
    """An integer is the number of an open file to Python, which would read or close that."""
    with pytest.raises(TypeError, match=r" is .*: expected a path, as a str or pathlib\.Path\."):
        call(path)
    os.fstat(1)


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_regular_file_is_refused(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path / "socket", "/dev/zero"):
        with pytest.raises(OSError, match="is a pipe, a socket, or a device: expected a regular"):
            read(path)
    with pytest.raises(IsADirectoryError, match="is a folder: expected a file"):
        read(tmp_path)
    for name, says in (("lost", "No such file"), ("circle", "Too many levels")):
        with pytest.raises(OSError, match=says):
            read(tmp_path / name)
    for empty in ("", "a\0b"):
        with pytest.raises(ValueError, match="expected a nonempty path without NUL"):
            read(empty)


@pytest.mark.parametrize("read", [read_regular, read_text, read_json, read_image])
def test_huge_files_are_not_read(tmp_path, read):
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(OSError, match="huge has 1,099,511,627,776 bytes: expected at most "):
        read(tmp_path / "huge")


def arrays_of(path):
    with open_arrays(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("copies", [1, 1000], ids=["one member", "many members"])
@pytest.mark.parametrize("read", [arrays_of, keras_gen.load, training_state._read])
def test_archives_that_unpack_to_far_more_than_their_size_are_refused(tmp_path, read, copies):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(copies):
            archive.writestr(f"{number}.npy", bytes(1000))
        for member in archive.infolist():  # as if the zeros were 300 MB in all
            member.file_size = 3 * 10**8 // copies
    size = path.stat().st_size
    with pytest.raises(
        ValueError, match=rf"has {size:,} bytes and would unpack to 300,000,000 bytes: "
    ):
        read(path)


def test_weights_that_unpack_to_far_more_than_their_file_are_refused(tmp_path):
    """The zip archive holds them as they are, and HDF5 compresses them."""
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file.create_dataset("zeros", (10**8,), "float32", chunks=(2**20,), compression="gzip")
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w") as archive:
        archive.write(tmp_path / "weights.h5", "model.weights.h5")
    with pytest.raises(ValueError, match="bytes and would unpack to 400,000,000 bytes: expected"):
        keras_gen.load(tmp_path / "bomb.keras")


def test_archives_whose_arrays_compress_well_are_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", zeros=np.zeros(10**6))
    assert arrays_of(tmp_path / "a.npz")["zeros"].shape == (10**6,)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_texts_in_known_encodings(tmp_path, encoding):
    (tmp_path / "a.json").write_text('{"ä": 1}', encoding)
    assert read_json(tmp_path / "a.json") == {"ä": 1}


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"\xe4", "is not text in UTF-8"),
        (b"", "is not valid JSON"),
        (b"{", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[1]", "contains a JSON list: expected an object"),
        (b"null", "contains a JSON NoneType"),
    ],
)
def test_what_is_no_json_object_is_refused(tmp_path, contents, says):
    (tmp_path / "a.json").write_bytes(contents)
    with pytest.raises(ValueError, match=says):
        read_json(tmp_path / "a.json")
