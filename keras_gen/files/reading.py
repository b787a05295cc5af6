"""Reading of files that end."""

from pathlib import Path


def read_regular(path: str | Path) -> bytes:
    """Returns the bytes of a regular file, also through a link.

    Raises:
        OSError: If it cannot be read, or is a pipe, a socket or a device, which may never end.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(f"{path} is a pipe, a socket or a device: expected a regular file.")
    return path.read_bytes()
