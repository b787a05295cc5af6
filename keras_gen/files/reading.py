"""Reading of files that end."""

import contextlib
import json
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from keras_gen.arguments import checked_path

MOST_BYTES = 2**30
"""Bytes of the largest file that is read at once: 1 GiB."""
MOST_TEXT = 2**24
"""Bytes of the largest file of settings or other JSON: 16 MiB."""
MOST_UNPACKED = 2**28
"""Bytes that any zip archive may unpack to: 256 MiB."""
MOST_EXPANSION = 100
"""Largest ratio of the unpacked size of a larger archive to its size."""
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def open_regular(path: str | os.PathLike, most: int | None = None) -> BinaryIO:
    """Opens a regular file for reading, also through a link.

    Args:
        path: The file.
        most: Largest number of bytes that it may have; None for any.

    Raises:
        TypeError: If `path` is not a path, such as the number of an open file.
        OSError: If the file cannot be read, is larger, or is a folder, or a pipe, a socket, or a
            device, which may never end.
    """
    path = checked_path("path", path)
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{path} is a folder: expected a file.")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path} is a pipe, a socket, or a device: expected a regular file.")
    if most is not None and found.st_size > most:
        raise OSError(f"{path} has {found.st_size:,} bytes: expected at most {most:,}.")
    return path.open("rb")


def read_regular(path: str | os.PathLike, most: int = MOST_BYTES) -> bytes:
    """Returns the bytes of a regular file; errors as of `open_regular`."""
    with open_regular(path, most) as file:
        return file.read()


def read_text(path: str | os.PathLike, most: int = MOST_TEXT) -> str:
    """Returns the text of a regular file: UTF-8, or UTF-16 that begins with its mark.

    Raises:
        OSError: As `open_regular`.
        ValueError: If it is in another encoding.
    """
    contents = read_regular(path, most)
    try:
        text = contents.decode(_MARKS.get(contents[:2], "utf-8-sig"))
        reason = "NUL characters" if "\0" in text else ""
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
    if reason:
        raise ValueError(f"{path} is not text in UTF-8 ({reason}): save it as UTF-8.")
    return text


def read_json(path: str | os.PathLike, way_out: str = "replace it") -> dict[str, Any]:
    """Returns the JSON object in a regular file of at most `MOST_TEXT` bytes.

    Args:
        path: The file.
        way_out: End of the sentence about a file that holds something else.

    Raises:
        OSError: As `open_regular`.
        ValueError: If it holds something else.
    """
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}): {way_out}.") from None
    if not isinstance(value, dict):
        raise ValueError(
            f"{path} holds a JSON {type(value).__name__} where an object is expected: {way_out}."
        )
    return value


@contextlib.contextmanager
def open_arrays(path: str | os.PathLike) -> Iterator[Mapping[str, np.ndarray]]:
    """Opens a file of NumPy arrays, `.npz`: each is read when it is asked for.

    Raises:
        OSError: As `open_regular`.
        ValueError: If it is not such a file, or is one that `refuse_bomb` refuses.
    """
    with open_regular(path) as file:
        refuse_bomb(path, file)
        with np.load(file, allow_pickle=False) as arrays:
            yield arrays


def refuse_bomb(path: str | os.PathLike, file: BinaryIO) -> None:
    """Raises a ValueError if a file is not a zip archive, or unpacks to far more than its size.

    Args:
        path: Its path, for the message.
        file: The open file, which is at its beginning afterwards.
    """
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{path} is not a zip archive: copy it again if it is cut or empty.")
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    size = file.seek(0, os.SEEK_END)
    most = max(MOST_UNPACKED, MOST_EXPANSION * size)
    if unpacked > most:
        raise ValueError(
            f"{path} has {size:,} bytes and would unpack to {unpacked:,}: expected at most "
            f"{most:,}. Pack it again without compression if you trust it."
        )
    file.seek(0)
