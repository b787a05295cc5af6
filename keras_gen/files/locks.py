"""Locks folders, so that only one owner at a time writes to a folder."""

import contextlib
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = ".lock"


def hold(folder: Path, way_out: str = "choose another one") -> FileLock | None:
    """Locks a folder, which is created, until `let_go` or the end of the process.

    Args:
        folder: Folder to lock.
        way_out: End of the message if the folder cannot be written to.

    Returns:
        The lock, or None if another owner, in this process or another, holds the folder.

    Raises:
        OSError: If the folder cannot be written to.

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
    # Before the release, after which the file may belong to another owner.
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()
    lock.release()
