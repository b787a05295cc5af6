"""A folder of sounds, one per file, with or without subfolders for classes."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from keras_gen.arguments import checked_integer, checked_number, checked_path, checked_positive
from keras_gen.data.folders.classes import Classes, LabelSource, require_label_source
from keras_gen.data.folders.image_reading import (
    Broken,
    files_in,
    report_broken,
)
from keras_gen.data.source import MEMORY_LIMIT, Source
from keras_gen.files.sounds import RATES, read_sound, require_soundfile

SUFFIXES = (".wav", ".wave", ".flac")
_UNREAD = (".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff")


def sound_folder(
    path: str | os.PathLike,
    rate: int,
    seconds: float | None = None,
    labels: LabelSource = False,
    classes: Sequence[str] | None = None,
    max_broken: float = 0.1,
) -> Source:
    """Reads all WAV and FLAC files in a folder and its subfolders, sorted by path.

    WAV files may contain 8-, 16-, 24-, or 32-bit integers, or floats, at any sampling rate. FLAC
    files require the package soundfile: `pip install "keras-generative[sound]"`. Channels are
    averaged, and sounds are resampled. Shorter sounds are padded at the end with zeros, which
    `WaveNet` ignores, and longer sounds are truncated. Links are followed, and hidden files are
    skipped.

    Args:
        path: Folder to read.
        rate: Sampling rate of the returned sounds, from 100 to 768,000 samples per second; for
            example, 8000.
        seconds: Length of the sounds in seconds. If None, the length of the longest sound is used.
        labels: Whether an example is `(sound, label)`; see `image_folder`.
        classes: Names of the classes in the order of their labels; see `image_folder`.
        max_broken: Maximum fraction of unreadable files, 0 to 1. A warning lists the unreadable
            files.

    Returns:
        Source of int16 sounds `[samples, 1]`, or of tuples of a sound and an int64 label. With
        labels, its `class_names` are the names of the subfolders or classes.

    Raises:
        FileNotFoundError: If the folder does not exist, or contains no such file.
        TypeError: If an argument has an unsupported type.
        ValueError: If no file is readable, if the unreadable fraction exceeds `max_broken`, if a
            file is FLAC and soundfile is not installed, if the sounds exceed 4 GiB, if an argument
            is out of range, or if labels are invalid; see `image_folder`.

    Example:
        >>> sounds = sound_folder("wavs", rate=8000, seconds=0.5)    # doctest: +SKIP
    """
    folder = checked_path("path", path)
    rate = checked_integer("rate", rate, *RATES)
    samples = None
    if seconds is not None:
        seconds = checked_positive("seconds", seconds)
        samples = max(1, round(seconds * rate))
    require_label_source(labels)
    checked_number("max_broken", max_broken, 0, 1)
    found = files_in(folder, "sounds", SUFFIXES, _UNREAD, "WAV")
    for file in found:
        if file.suffix.lower() == ".flac":
            require_soundfile(file)
    classes_of = Classes(folder, found, labels, classes, "sounds")
    sounds: list[np.ndarray] = []
    places: list[int] = []
    broken: list[Broken] = []
    for place, file in enumerate(classes_of.files):
        try:
            sounds.append(read_sound(file, rate, seconds))
            places.append(place)
        except (OSError, ValueError) as error:
            broken.append(Broken(file, str(error)))
        _require_memory(folder, sounds, samples)
    if broken:
        report_broken(folder, "sounds", broken, len(classes_of.files), max_broken)
    if not sounds:
        raise ValueError(
            f"{folder} contains no readable sound files: expected at least one. Add a WAV file."
        )
    samples = samples or max(map(len, sounds))
    stored = np.zeros([len(sounds), samples, 1], np.int16)
    for row, sound in zip(stored, sounds, strict=True):
        row[: len(sound)] = sound[:samples]
    return classes_of.source(places, stored, None)


def _require_memory(folder, sounds, samples) -> None:
    needed = 2 * len(sounds) * (samples or max(map(len, sounds), default=0))
    if needed > MEMORY_LIMIT:
        raise ValueError(
            f"The sounds in {folder} need more than {MEMORY_LIMIT / 2**30:g} GiB: expected fewer "
            "or shorter sounds. Pass fewer seconds or a lower rate, or train on part of the folder."
        )
