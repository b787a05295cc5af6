"""The index of published exports, and the check of exports against it.

`saved_models/index.json` maps the name of each export to an entry with `version`, `size` in bytes,
`sha256`, and other facts. `keras-gen results` writes this file.
"""

import hashlib
from pathlib import Path
from typing import Any

from keras_gen.files.reading import read_json
from keras_gen.serving.exported import read_metadata

INDEX = "index.json"
"""File name of an index, in the folder of all exports or next to the versions of one export."""


def sha256(folder: str | Path) -> str:
    """Returns an export's SHA-256: the hash of the output of `sha256sum` for the sorted files.

    The following command, run in the folder, prints the same hash: `find * -type f | LC_ALL=C sort
    | xargs sha256sum | sha256sum`
    """
    lines = []
    for path in files(folder):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def files(folder: str | Path) -> list[Path]:
    """Returns the files of an export, sorted by their paths within it."""
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def entry_of(path: Path) -> dict[str, Any]:
    """Returns the index entry for the name and version of the export in the folder `path`, or {}.

    Raises:
        ValueError: If an index is not valid JSON of the expected form.
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
            f"{file} is not an index of exports: download it again, or delete it."
        ) from None
    return entries


def verify(path: Path) -> None:
    """Rejects an export that differs from its entry in an index.

    Raises:
        ValueError: If the SHA-256 differs from the hash in the entry. If there is no entry, nothing
            is checked.
    """
    expected = entry_of(path).get("sha256")
    if expected is None:
        return
    found = sha256(path)
    if found != expected:
        raise ValueError(
            f"{path} has the SHA-256 {found}, but {INDEX} lists {expected}: the export is "
            "incomplete or was changed. Download the export again. Your own exports belong in "
            "another folder."
        )
