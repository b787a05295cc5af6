"""The classes of files in a folder, from subfolders, a dict, or a CSV file."""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.arguments import checked_list, shown
from keras_gen.data.folders.image_reading import listed, visible
from keras_gen.data.source import Source, on_first
from keras_gen.data.transforms.tables import is_missing
from keras_gen.data.transforms.texts import sorted_names, without_fractions
from keras_gen.files.reading import MOST_BYTES, read_text
from keras_gen.messages import warn

LabelSource = bool | Mapping[str, str] | str | os.PathLike


class Classes:
    """The files to read from a folder, and their classes.

    Args:
        folder: Folder of the files.
        files: All files of the supported type in the folder, in order.
        labels: Whether, or how, files are labeled; see `image_folder`.
        names: Names of the classes. If None, the names come from `labels` or the subfolders.
        noun: Plural noun used in messages for the files, such as "images".

    Attributes:
        files: Files to read, in order: all files, or only the files with a class.
    """

    def __init__(
        self,
        folder: Path,
        files: list[Path],
        labels: LabelSource,
        names: Sequence[str] | None,
        noun: str,
    ):
        self.folder, self.files, self.noun = folder, files, noun
        self.names: tuple[str, ...] | None = None
        self._class_of: dict[Path, str] = {}
        if not isinstance(labels, bool | np.bool_):
            self._class_of = _class_of_files(folder, files, labels, noun)
            self.files = list(self._class_of)
            if left_out := [file for file in files if file not in self._class_of]:
                warn(
                    f"labels lists {len(self.files)} of {len(files)} {noun} in {folder}. Left out: "
                    f"{listed(_relative(folder, left_out))}."
                )
            self.names = _classes(folder, sorted_names(self._class_of.values()), names)
        elif labels or names is not None:
            self._class_of = _class_of_subfolders(folder, files, noun)
            found = sorted_names(
                _composed(path.name) for path in visible(folder) if path.is_dir()
            )
            self.names = _classes(folder, found, names)

    def source(self, places: Sequence[int], stored: Any, decode: Callable | None) -> Source:
        """Returns a source of readable files, at `places` in `files`, with any labels."""
        if self.names is None:
            origin = f"{len(places)} {self.noun}, from {self.folder}"
            return Source(stored, decode, origin=origin)
        names = self.names
        held = [self._class_of[self.files[place]] for place in places]
        empty = sorted(set(names) - set(held), key=names.index)
        if empty:
            warn(
                f"{self.folder} contains no readable {self.noun.removesuffix('s')} for "
                f"{len(empty)} of {len(names)} classes: {listed(empty)}"
            )
        return Source(
            (stored, np.array([names.index(name) for name in held])),
            None if decode is None else partial(on_first, decode),
            f"{len(places)} {self.noun} of {len(names)} classes, from {self.folder}",
            names,
        )


def require_label_source(labels: Any) -> None:
    """Raises a TypeError unless `labels` has one of the types of `LabelSource`."""
    if not isinstance(labels, bool | np.bool_ | Mapping | str | os.PathLike):
        raise TypeError(
            f"labels is {shown(labels)}: expected True or False, a dict that maps file paths to "
            "classes, or the path of a CSV file."
        )


def _class_of_subfolders(folder: Path, files: list[Path], noun: str) -> dict[Path, str]:
    outside = [file.name for file in files if file.parent == folder]
    if outside:
        raise ValueError(
            f"{folder} contains {len(outside)} {noun} outside its subfolders, such as "
            f"{outside[0]}, but labels are the names of subfolders: move each file to the "
            "folder of its class, or pass labels as a dict or a CSV file of paths and classes."
        )
    return {file: _composed(file.relative_to(folder).parts[0]) for file in files}


def _class_of_files(
    folder: Path, files: list[Path], labels: Mapping[str, str] | str | os.PathLike, noun: str
) -> dict[Path, str]:
    """Returns the classes that a dict or a CSV file assigns to files, in the order of the files."""
    known = dict(zip(_relative(folder, files), files, strict=True))
    composed = {_composed(path): path for path in known}
    given: dict[str, str] = {}
    for path, name in labels.items() if isinstance(labels, Mapping) else _rows(labels):
        path = str(path)
        if path not in known:
            path = path.strip().replace("\\", "/").removeprefix("./")
        if path not in known:
            path = composed.get(_composed(path), path)
        if is_missing(name):
            raise ValueError(
                f"labels has no class for {path}: add its class, or leave out the file."
            )
        if not isinstance(name, str | Real):
            raise TypeError(
                f"labels assigns the class {shown(name)} to {path}: expected a name or a number."
            )
        name = _composed(str(name).strip())
        if given.setdefault(path, name) != name:
            raise ValueError(
                f"labels assigns the classes {given[path]} and {name} to {path}: expected one "
                "class."
            )
    if lost := [path for path in given if path not in known]:
        raise ValueError(
            f"labels lists files ({len(lost)}) that are not among the {len(files)} {noun} in "
            f"{folder} ({listed(lost)}): expected paths in this folder, such as "
            f"{next(iter(known))}, as the keys of a dict or in the first column of a CSV file."
        )
    if not given:
        raise ValueError("labels is empty: expected paths in the folder and their classes.")
    given = dict(zip(given, without_fractions(given.values()), strict=True))
    return {file: given[path] for path, file in known.items() if path in given}


def _composed(text: str) -> str:
    """Returns a text in which equal letters have equal code points; macOS decomposes file names."""
    return unicodedata.normalize("NFC", text)


def _relative(folder: Path, files: list[Path]) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in files]


def _rows(path: str | os.PathLike) -> list[tuple[str, str]]:
    """Returns the paths and classes in a CSV file, without its header."""
    text = read_text(path, MOST_BYTES)
    lines = [line for line in text.splitlines() if line.strip()]
    marks = (mark for mark in (",", ";", "\t") if all(mark in line for line in lines))
    lines_of_file = io.StringIO(text, newline="")
    table = csv.reader(lines_of_file, delimiter=next(marks, ","), strict=True)
    try:
        rows = [row for row in table if any(map(str.strip, row))]
    except csv.Error as error:
        raise ValueError(
            f"{path} is not a table ({error}): expected lines of the form path,class."
        ) from None
    if any(len(row) < 2 for row in rows):
        raise ValueError(
            f"{path} has a line with fewer than two columns: expected lines of the form "
            "path,class."
        )
    pairs = [(path, name) for path, name, *_ in rows]
    has_titles = bool(pairs) and not Path(pairs[0][0]).suffix
    return pairs[1:] if has_titles else pairs


def _classes(
    folder: Path, found: Sequence[str], classes: Sequence[str] | None
) -> tuple[str, ...]:
    given = found if classes is None else map(str, checked_list("classes", classes))
    names = tuple(map(_composed, given))
    unknown = [name for name in found if name not in names]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"{folder} has the classes {', '.join(found)}, but classes is {list(names)}: expected "
            "each of the folder's classes once."
        )
    return names
