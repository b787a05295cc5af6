"""Synthetic voices, which replace recordings; each sound has a speaker and a word."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import derive_seed

VOICES = ("alto", "baritone", "bass", "soprano", "tenor")
"""Names of the voices; the index of a name is the number of the voice."""
_RATE = 8000
_TAKES, _DIGITS = 10, 10
# For each speaker: pitch in Hz, length of the vocal tract relative to the tenor's, and decay of the
# overtones.
_SPEAKERS = (
    (190, 0.9, 1.0),
    (115, 1.05, 1.6),
    (85, 1.15, 1.2),
    (240, 0.82, 1.8),
    (140, 1.0, 1.4),
)
# The first two formants in Hz of the vowels in father, bed, see, law, and food for men:
# Peterson, Barney: "Control Methods Used in a Study of the Vowels", JASA 1952, table II.
_VOWELS = np.array([[730, 1090], [530, 1840], [270, 2290], [570, 840], [300, 870]])
_WIDTH = 90.0  # bandwidth of a formant, Hz


@checked_types
def offline_voices(samples: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Synthesizes ten two-vowel words, one per digit, in five voices, with ten takes of each.

    A voice has a pitch, a vocal tract length, and a timbre; a take has a length, a position, a
    melody, and a little noise. Overtones of the pitch pass through two formants, which glide from
    the first vowel to the second.

    Args:
        samples: Length of every waveform in samples, at 8,000 samples per second.
        seed: Seed for the differences between takes.

    Returns:
        A tuple of waveforms, float32 `[500, samples]` in arbitrary units, followed by voices,
        digits, and takes, each int64 `[500]`.

    Example:
        >>> waveforms, voices, digits, takes = offline_voices(4096)
    """
    rng = np.random.default_rng(derive_seed(seed, 0, words=4))
    size = (len(VOICES), _DIGITS, _TAKES)
    voices, digits, takes = np.indices(size).reshape(3, -1).astype(np.int64)
    words = [_word(samples, *pair, rng) for pair in zip(voices, digits, strict=True)]
    return np.stack(words).astype(np.float32), voices, digits, takes


def _word(samples, voice, digit, rng):
    pitch, tract, decay = _SPEAKERS[voice]
    length = int(samples * rng.uniform(0.5, 0.8))
    start = int(rng.uniform(0, samples - length))
    progress = np.linspace(0, 1, length)
    # The words are the vowel pairs (0, 1), (1, 2), ..., then (0, 2), (1, 3), ..., so that no word
    # is the reverse of another word.
    first = _VOWELS[digit % 5]
    second = _VOWELS[(digit + 1 + digit // 5) % 5]
    glide = 1 / (1 + np.exp(-12 * (progress - rng.uniform(0.4, 0.6))))[:, None]
    formants = ((1 - glide) * first + glide * second) / tract
    melody = pitch * rng.uniform(0.93, 1.07) * (1 + rng.uniform(-0.1, 0.1) * progress)
    phase = 2 * np.pi * np.cumsum(melody) / _RATE
    sound = rng.normal(0, 0.003, length)
    for overtone in range(1, int(_RATE / 2 / melody.max())):
        resonance = 1 / (1 + ((overtone * melody[:, None] - formants) / _WIDTH) ** 2)
        sound += overtone**-decay * (0.05 + resonance.sum(axis=1)) * np.sin(overtone * phase)
    ends = np.clip(np.minimum(progress, 1 - progress) * 12, 0, 1)
    waveform = np.zeros(samples)
    waveform[start : start + length] = sound * ends
    return waveform
