"""Spoken digits with their speakers."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras_gen.data.offline.voices import VOICES, offline_voices
from keras_gen.data.sets.splits import OFFLINE_WARNING, Split
from keras_gen.data.sets.tfds import DataUnavailable, load_tfds
from keras_gen.data.source import Source
from keras_gen.data.transforms.waveforms import to_peak

RATE = 8000
"""Samples a second of the spoken digits."""
_TEST_TAKES = 5


@dataclasses.dataclass(frozen=True)
class SpokenDigits(Split):
    """Recordings `(waveform, speaker, digit)`, int16 `[samples, 1]`, int64 and int64.

    `speakers` are the names of the speakers, by their numbers.
    """

    speakers: tuple[str, ...] = ()


def spoken_digits(samples: int = 5120) -> SpokenDigits:
    """Loads the Free Spoken Digit Dataset: 8,000 samples a second, one digit each.

    They come from tensorflow-datasets (`spoken_digit`). Takes 0 to 4 of every speaker and digit are
    the test part, as in its authors' split. Where they are unavailable, the synthetic voices of
    `keras_gen.data.offline_voices` take their place. All are scaled to one peak, because the
    speakers' recordings differ in loudness.

    Args:
        samples: Length of every waveform: the middle of longer recordings, and shorter ones in the
            middle of silence. 19 of 20 recordings are shorter than 5,120.

    Example:
    ```python
    data = spoken_digits(4096)
    waveform, speaker, digit = data.train.arrays()
    ```
    """
    warning = ""
    try:
        features = ("audio", "label", "audio/filename")
        source = load_tfds("spoken_digit", "train", size=samples, features=features)
        audio, digits, files = source.arrays()
        # DIGIT_SPEAKER_TAKE.wav
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
    everything = Source((to_peak(audio[..., None]), who, digits), origin=origin)
    train = everything.select(takes >= _TEST_TAKES)
    test = everything.select(takes < _TEST_TAKES)
    return SpokenDigits(train, test, warning, speakers)
