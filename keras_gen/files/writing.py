"""File locations, locks, and atomic writing."""

import contextlib
import errno
import functools
import glob
import hashlib
import itertools
import json
import os
import platform
import shutil
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

from keras_gen.arguments import checked_path

PACKAGE = Path(__file__).resolve().parents[1]


def place(name: str) -> Path:
    """Returns the folder `name` in the working directory, in the package, or next to the package.

    A built package contains some of these folders (see setup.py); in a checkout, the folders are
    next to the package.
    """
    for path in (Path(name), PACKAGE / "shipped" / name, PACKAGE.parent / name):
        if path.is_dir():
            return path
    return Path(name)


LONGEST_NAME = 255  # maximum number of bytes in a file name
# A process in a container may have the host name and number of a process that was killed earlier.
_PROCESS = uuid.uuid4().hex[:8]
_PARTS = itertools.count()
_LOCK = ".lock"


def hold(folder: Path, way_out: str = "choose another one") -> FileLock | None:
    """Creates a folder, and locks it until `let_go` is called or the process ends.

    Args:
        folder: Folder to lock.
        way_out: End of the error message if the folder is not writable.

    Returns:
        The lock, or None if another owner, in this process or another, has locked the folder.

    Raises:
        OSError: If the folder is not writable.

    Example:
    ```python
    lock = hold(Path("runs/a"))
    if lock is None:
        raise ValueError("runs/a is in use.")
    let_go(lock)
    ```
    """
    path = folder / _LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise OSError(
            error.errno, f"Cannot write to the folder {folder} ({error.strerror}): {way_out}."
        ) from error
    lock = FileLock(path, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    except OSError:
        pass  # Not every file system has locks.
    return lock


def let_go(lock: FileLock) -> None:
    """Releases a folder, and removes it if nothing was written to it."""
    path = Path(lock.lock_file)
    # The file is removed before the lock is released, because afterward it may belong to another
    # owner.
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()
    lock.release()


@contextlib.contextmanager
def replacing(path: str | Path):
    """Opens a temporary binary file that replaces `path` when it is complete.

    Several threads and processes may write to the same path; the last one to finish replaces the
    others' file.

    Args:
        path: Path of the file to write; its folder is created. If the path is a symbolic link, the
            file to which the link points is replaced.

    Raises:
        TypeError: If `path` is not a path but, for example, a file descriptor.
        OSError: If the file cannot be written. The message names the file and a remedy, and an
            existing file is left unchanged.

    Example:
    ```python
    with replacing("metrics.json") as file:
        file.write(b"{}")
    ```
    """
    path = _target(path)
    temporary = partial_path(path)
    with _in_its_folder(path):
        try:
            with open(temporary, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def replacing_by_name(path: str | Path, size: int):
    """Yields a temporary path for a library that opens files itself; the file replaces `path`.

    Args:
        path: Path of the file to write; its folder is created.
        size: Number of bytes that must be free, because on a full disk, HDF5 ends the process.

    Raises:
        OSError: See `replacing`.
    """
    path = _target(path)
    folder = partial_path(path)
    with _in_its_folder(path):
        try:
            folder.mkdir()
            if shutil.disk_usage(folder).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            yield folder / path.name
            os.replace(folder / path.name, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _target(path: str | Path) -> Path:
    """Returns the path itself, or the path of the regular file to which a symbolic link points.

    A link to anything else, such as a device, is replaced, and not what it points to. Devices
    themselves, which an administrator could replace, are rejected.
    """
    path = checked_path("path", path)
    target = Path(os.path.realpath(path))
    regular = target.is_file() or not target.exists()
    if path.absolute().is_relative_to("/dev") and not regular:
        raise OSError(errno.EINVAL, f"Cannot write {path} (a device): choose another location.")
    return target if path.is_symlink() and regular else path


@contextlib.contextmanager
def _in_its_folder(path: Path):
    """Prepares a file's folder; raises the system's errors with the file's name and a remedy."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_once(path.parent.resolve())
        yield
    except OSError as error:
        way_out = {
            errno.ENOSPC: "free some space",
            errno.EDQUOT: "free some space",
            errno.EACCES: "choose a writable folder",
            errno.EROFS: "choose a writable folder",
        }.get(error.errno or 0, "choose another location")
        raise OSError(
            error.errno,
            f"Cannot write {path} ({error.strerror or error}): {way_out}. Any existing file at "
            "this path is unchanged.",
        ) from error


def partial_path(path: Path) -> Path:
    """Returns a new temporary path for a file that becomes `path` when it is complete."""
    end = f".{platform.node()}.{os.getpid()}.{_PROCESS}-{next(_PARTS)}.tmp"
    name = path.name
    if len(os.fsencode(f".{name}{end}")) > LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return path.with_name(f".{name}{end}")


def clear_partial_files(folder: str | Path, pattern: str = "*") -> None:
    """Deletes partial files left behind by killed processes on this machine.

    Args:
        folder: Folder to clean up.
        pattern: Glob pattern for the final names of the files, relative to `folder`. Use `**/*` to
            include subfolders.
    """
    place, _, name = pattern.rpartition("/")
    machine = glob.escape(platform.node())
    for partial in Path(folder).glob(f"{place or '.'}/.{name}.{machine}.[0-9]*.tmp"):
        process, *own = partial.name.rpartition(f".{platform.node()}.")[2].split(".")
        if process == str(os.getpid()):
            is_written = own[0].startswith(_PROCESS)
        else:
            is_written = not process.isdecimal() or _runs(int(process))
        if is_written:
            continue
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


@functools.cache
def _clear_once(folder: Path) -> None:
    """Cleans up a folder only once, when this process first writes to it, not for each file."""
    clear_partial_files(folder)


def _runs(process: int) -> bool:
    if os.name == "nt":  # on Windows, `os.kill` ends the process even with signal 0
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # The process belongs to another user.
    return True


def write_json(path: str | Path, value) -> None:
    """Writes `value` as indented JSON, atomically."""
    with replacing(path) as file:
        file.write((json.dumps(value, indent=2, default=str) + "\n").encode())
