"""Reads files of bounded size."""

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
"""Maximum number of bytes in a file that is read at once: 1 GiB."""
MOST_TEXT = 2**24
"""Maximum number of bytes in a settings file or other JSON file: 16 MiB."""
MOST_UNPACKED = 2**28
"""Maximum unpacked size, in bytes, that is allowed for any zip archive: 256 MiB."""
MOST_EXPANSION = 100
"""Maximum ratio of unpacked to packed size, for archives that unpack to over `MOST_UNPACKED`."""
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def open_regular(path: str | os.PathLike, most: int | None = None) -> BinaryIO:
    """Opens a regular file for reading, following links.

    Args:
        path: Path of the file.
        most: Maximum number of bytes; None for no limit.

    Raises:
        TypeError: If `path` is not a path (for example, if it is a file descriptor).
        OSError: If the file cannot be read, is larger than `most`, or is a folder, a pipe, a
            socket, or a device. Reading a pipe, a socket, or a device might never end.
    """
    path = checked_path("path", path)
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{path} is a folder: expected a file.")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path} is a pipe, a socket, or a device: expected a regular file.")
    if most is not None and found.st_size > most:
        raise OSError(f"{path} has {found.st_size:,} bytes: expected at most {most:,} bytes.")
    return path.open("rb")


def read_regular(path: str | os.PathLike, most: int = MOST_BYTES) -> bytes:
    """Returns the bytes of a regular file. For errors, see `open_regular`."""
    with open_regular(path, most) as file:
        return file.read()


def read_text(path: str | os.PathLike, most: int = MOST_TEXT) -> str:
    """Returns the text of a regular file in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        OSError: See `open_regular`.
        ValueError: If the file is in another encoding.
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
        path: Path of the file.
        way_out: End of the error message, used if the file does not contain a JSON object.

    Raises:
        OSError: See `open_regular`.
        ValueError: If the file does not contain a JSON object.
    """
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}): {way_out}.") from None
    if not isinstance(value, dict):
        raise ValueError(
            f"{path} contains a JSON {type(value).__name__}: expected an object. "
            f"{way_out[0].upper()}{way_out[1:]}."
        )
    return value


@contextlib.contextmanager
def open_arrays(path: str | os.PathLike) -> Iterator[Mapping[str, np.ndarray]]:
    """Opens an `.npz` file of NumPy arrays; each array is read when it is requested.

    Raises:
        OSError: See `open_regular`.
        ValueError: If the file is not in this format, or if `refuse_bomb` rejects the file.
    """
    with open_regular(path) as file:
        refuse_bomb(path, file)
        with np.load(file, allow_pickle=False) as arrays:
            yield arrays


def refuse_bomb(path: str | os.PathLike, file: BinaryIO) -> None:
    """Raises a ValueError if a file is not a zip archive, or unpacks to far more than its size.

    Args:
        path: Path of the file, for the message.
        file: Open file, which is rewound to its beginning.
    """
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"{path} is not a zip archive: copy it again if it is truncated or empty."
        )
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    refuse_unpacked(path, file, unpacked)


def refuse_unpacked(path: str | os.PathLike, file: BinaryIO, unpacked: int) -> None:
    """Raises a ValueError if an unpacked size is far larger than the size of the file.

    Args:
        path: Path of the file, for the message.
        file: Open file, which is rewound to its beginning.
        unpacked: Number of bytes in the unpacked file.
    """
    size = file.seek(0, os.SEEK_END)
    most = max(MOST_UNPACKED, MOST_EXPANSION * size)
    if unpacked > most:
        raise ValueError(
            f"{path} has {size:,} bytes and would unpack to {unpacked:,} bytes: expected at most "
            f"{most:,} bytes. Pack it again without compression if you trust it."
        )
    file.seek(0)
