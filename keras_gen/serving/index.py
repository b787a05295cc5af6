"""The index of published exports, and whether an export is the one that its entry describes.

`saved_models/index.json` has an entry for each export by its name: `version`, `size` in bytes,
`sha256`, and what is known of it. `keras-gen results` writes it.
"""

import hashlib
from pathlib import Path
from typing import Any

from keras_gen.files.reading import read_json
from keras_gen.serving.exported import read_metadata

INDEX = "index.json"
"""Name of the index, in the folder of all exports or beside the versions of one."""


def sha256(folder: str | Path) -> str:
    """The SHA-256 of an export: of what `sha256sum` prints for its files, sorted by their paths.

    In the folder, this prints the same:
    `find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum`
    """
    lines = []
    for path in files(folder):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def files(folder: str | Path) -> list[Path]:
    """The files of an export, sorted by their paths within it."""
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def entry_of(path: Path) -> dict[str, Any]:
    """The entry of the export in the folder `path`, by its name and version; empty without one.

    Raises:
        ValueError: If an index is not valid JSON of this kind.
    """
    metadata = read_metadata(path)
    path = path.resolve()
    for file in (path.parent / INDEX, path.parent.parent / INDEX):
        if file.is_file():
            entry = _read(file).get(str(metadata.get("name")), {})
            if entry.get("version") == metadata.get("version"):
                return entry
    return {}


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        entries = read_json(file)
        assert all(isinstance(entry, dict) for entry in entries.values())
    except (ValueError, AssertionError):
        raise ValueError(
            f"{file} is no index of exports: fetch it anew, or remove it."
        ) from None
    return entries


def verify(path: Path) -> None:
    """Refuses an export that is another one than its entry in an index describes.

    Raises:
        ValueError: If its SHA-256 is not that of the entry. Without an entry none is expected.
    """
    expected = entry_of(path).get("sha256")
    if expected is None:
        return
    found = sha256(path)
    if found != expected:
        raise ValueError(
            f"{path} has the SHA-256 {found}, where {INDEX} has {expected}: it is incomplete or "
            "was changed; fetch it anew. An export of your own belongs in another folder."
        )
