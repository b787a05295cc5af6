"""Writing files so that a reader sees the old or the new one, and never a partial one."""

import contextlib
import errno
import functools
import glob
import json
import os
import platform
import shutil
from pathlib import Path

from keras_gen.arguments import checked_path


@contextlib.contextmanager
def replacing(path: str | Path):
    """Opens a temporary file for bytes that replaces `path` when all is written.

    Args:
        path: The file to write; its folder is made.

    Raises:
        TypeError: If `path` is not a path, such as the number of an open file.
        OSError: If the file cannot be written. The message says which one and what to do, and a
            file that was there before is untouched.

    Example:
    ```python
    with replacing("metrics.json") as file:
        file.write(b"{}")
    ```
    """
    path = checked_path("path", path)
    temporary = partial_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_once(path.parent.resolve())
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
            f"Cannot write {path} ({error.strerror or error}): {way_out}. What was there "
            "is kept.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def partial_path(path: Path) -> Path:
    """Returns where this process writes what becomes `path` when it is complete."""
    return path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.tmp")


def clear_partial_files(folder: str | Path, pattern: str = "*") -> None:
    """Removes what processes of this machine that were killed have left half-written.

    Args:
        folder: Where they wrote.
        pattern: Glob of what it was to become, relative to `folder`; `**/*` for all below.
    """
    place, _, name = pattern.rpartition("/")
    machine = glob.escape(platform.node())
    for partial in Path(folder).glob(f"{place or '.'}/.{name}.{machine}.[0-9]*.tmp"):
        if _runs(int(partial.name.split(".")[-2])):
            continue
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


@functools.cache
def _clear_once(folder: Path) -> None:
    """Clears a folder when this process first writes to it, and not with each of many files."""
    clear_partial_files(folder)


def _runs(process: int) -> bool:
    if os.name == "nt":  # where a signal that does nothing ends the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # It is somebody else's.
    return True


def write_json(path: str | Path, value) -> None:
    """Writes `value` as indented JSON, atomically."""
    with replacing(path) as file:
        file.write((json.dumps(value, indent=2, default=str) + "\n").encode())
