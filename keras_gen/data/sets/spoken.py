"""Spoken digits with their speakers."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.data.offline.voices import VOICES, offline_voices
from keras_gen.data.sets.splits import OFFLINE_WARNING, Split
from keras_gen.data.sets.tfds import DataUnavailable, load_tfds
from keras_gen.data.source import Source
from keras_gen.data.transforms.waveforms import from_first_sound, to_peak

RATE = 8000
"""Sampling rate of the spoken digits, in samples per second."""
_TEST_TAKES = 5
_LONGEST = 20480  # number of samples, more than in any recording


@dataclasses.dataclass(frozen=True)
class SpokenDigits(Split):
    """Recordings `(waveform, speaker, digit)`: int16 `[samples, 1]`, int64, and int64.

    `speakers` contains the names of the speakers in the order of their indices. `train_takes`,
    int64 `[n]`, contains the take number of each training recording among the recordings of the
    same speaker and digit.
    """

    speakers: tuple[str, ...] = ()
    train_takes: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))

    def hold_out_takes(self, count: int = 1) -> SpokenDigits:
        """Splits the training part, and holds out the last takes of every speaker and digit.

        Args:
            count: Number of takes per speaker and digit in the `test` part of the result: at least
                1, but not all takes. Any other number raises a ValueError.

        Example:
        ```python
        data = spoken_digits(4096)
        choice = data.hold_out_takes(1)  # train on takes 5 to 8, stop early by take 9
        ```
        """
        takes = np.unique(self.train_takes)
        if not 0 < count < len(takes):
            raise ValueError(
                f"count is {count}: expected 1 to {len(takes) - 1} held-out takes, because "
                f"there are {len(takes)} takes."
            )
        held_out = self.train_takes >= takes[-count]
        train = self.train.select(~held_out)
        test = self.train.select(held_out)
        kept = self.train_takes[~held_out]
        return SpokenDigits(train, test, self.warning, self.speakers, kept)


def without_digit(waveform, speaker, digit) -> tuple:
    """Returns a recording's `(waveform, speaker)`, for models that do not use the digit.

    Example: `recordings = spoken_digits(4096).train.map(without_digit)`.
    """
    return waveform, speaker


@checked_types
def spoken_digits(
    samples: int = 5120, align: Literal["middle", "start"] = "middle"
) -> SpokenDigits:
    """Loads the Free Spoken Digit Dataset: one digit per recording, at 8,000 samples per second.

    The recordings come from tensorflow-datasets (`spoken_digit`). Takes 0 to 4 of every speaker and
    digit are the test part, as in the split of the dataset's authors. If the recordings are
    unavailable, the synthetic voices of `keras_gen.data.offline_voices` replace them. All
    recordings are scaled to the same peak, because speakers differ in loudness.

    Args:
        samples: Number of samples in every waveform; 95% of the recordings are shorter than 5,120
            samples.
        align: Alignment of the recordings. With `"middle"`, longer recordings are cropped to their
            middle, and shorter recordings are centered in silence. With `"start"`, recordings begin
            with the first nonzero sample; longer recordings are truncated, and shorter recordings
            are padded with zeros.

    Raises:
        ValueError: If `align` is neither `"middle"` nor `"start"`.

    Example:
    ```python
    data = spoken_digits(4096)
    waveform, speaker, digit = data.train.arrays()
    ```
    """
    warning = ""
    try:
        size = samples if align == "middle" else max(samples, _LONGEST)
        features = ("audio", "label", "audio/filename")
        source = load_tfds("spoken_digit", "train", size=size, features=features)
        audio, digits, files = source.arrays()
        # File names have the form DIGIT_SPEAKER_TAKE.wav.
        parts = [name.decode().removesuffix(".wav").split("_") for name in files]
        names, who = np.unique([speaker for _, speaker, _ in parts], return_inverse=True)
        speakers = tuple(map(str, names))
        takes = np.array([int(take) for *_, take in parts])
        origin = source.origin
    except DataUnavailable as error:
        audio, who, digits, takes = offline_voices(samples)
        speakers = VOICES
        origin = "offline sample: synthetic voices"
        warning = OFFLINE_WARNING.format(error)
    waveforms = to_peak(audio[..., None])
    if align == "start":
        waveforms = to_peak(
            from_first_sound(waveforms, samples)
        )  # scaled again, because the peak may have been cut off
    everything = Source((waveforms, who, digits), origin=origin)
    in_train = takes >= _TEST_TAKES
    train = everything.select(in_train)
    test = everything.select(~in_train)
    return SpokenDigits(train, test, warning, speakers, takes[in_train])
