"""Writing files so that a reader sees the old or the new one, and never a partial one."""

import contextlib
import errno
import json
import os
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | Path):
    """Opens a temporary file for bytes that replaces `path` when all is written.

    Args:
        path: The file to write; its folder is made.

    Raises:
        OSError: If the file cannot be written. The message says which one and what to do, and a
            file that was there before is untouched.

    Example:
    ```python
    with replacing("metrics.json") as file:
        file.write(b"{}")
    ```
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        way_out = {
            errno.ENOSPC: "free some space",
            errno.EDQUOT: "free some space",
            errno.EACCES: "choose a folder you may write to",
            errno.EROFS: "choose a folder you may write to",
        }.get(error.errno or 0, "choose another place")
        raise OSError(
            error.errno,
            f"Cannot write {path} ({error.strerror or error}): {way_out}. What was there is kept.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def clear_partial_files(folder: str | Path, pattern: str = "*") -> None:
    """Removes the partial files of processes that were killed inside `replacing`.

    Args:
        folder: Where they wrote; nobody else may be writing there now.
        pattern: Glob of the files they were to replace, relative to `folder`; `**/*` for all below.
    """
    place, _, name = pattern.rpartition("/")
    for partial in Path(folder).glob(f"{place or '.'}/.{name}.[0-9]*.tmp"):
        partial.unlink(missing_ok=True)


def write_json(path: str | Path, value) -> None:
    """Writes `value` as indented JSON, atomically."""
    with replacing(path) as file:
        file.write((json.dumps(value, indent=2, default=str) + "\n").encode())
