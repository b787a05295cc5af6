"""Reading of files that end."""

import json
import os
import stat
from typing import Any, BinaryIO

from keras_gen.arguments import checked_path

MOST_BYTES = 2**30
"""Bytes of the largest file that is read at once: 1 GiB."""
MOST_TEXT = 2**24
"""Bytes of the largest file of settings or other JSON: 16 MiB."""
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
