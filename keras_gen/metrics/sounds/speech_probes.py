"""Classifiers of recordings, which recognize the speaker and the word in other sounds."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.core.sound_spectra import (
    average_spectrum,
    cepstral_contour,
    cepstral_covariance,
)
from keras_gen.metrics.representations.probes import linear_probe

# Feature, and which of the labels: speakers or words.
_PROBES = {
    "speaker_by_covariance": (cepstral_covariance, 0),
    "speaker": (average_spectrum, 0),
    "word": (cepstral_contour, 1),
}


class SpeechProbes:
    """Linear classifiers that measure how often the wanted speaker and word are recognized.

    Two recognize the speaker: by the average spectrum, which a filter can change, and by the
    covariance of the cepstrum, which no filter changes. A third recognizes the word, by the
    cepstrum at eight moments. All ignore the loudness. Each is `linear_probe`, logistic regression.

    Args:
        waveforms: Recordings, int16 or floats in [-1, 1], `[n, samples, 1]`.
        speakers: Integers `[n]`.
        words: Integers `[n]`.
        rate: Samples per second.

    Example:
        >>> probes = SpeechProbes(recordings, speakers, digits)
        >>> probes.accuracies(model.convert(others, 3), np.full(len(others), 3), their_digits)
    """

    @checked_types
    def __init__(
        self, waveforms: np.ndarray, speakers: np.ndarray, words: np.ndarray, rate: int = 8000
    ):
        self.rate = rate
        self.labels = (np.asarray(speakers), np.asarray(words))
        self.known = {name: feature(waveforms, rate) for name, (feature, _) in _PROBES.items()}

    def accuracies(self, waveforms, speakers, words) -> dict[str, float]:
        """Returns how often the probes recognize the given speakers and words, in percent.

        The keys are `speaker`, by the average spectrum; `speaker_by_covariance`; and `word`.

        Args:
            waveforms: Sounds `[m, samples, 1]`.
            speakers: The wanted speakers, integers `[m]`.
            words: The wanted words, integers `[m]`.
        """
        wanted = (np.asarray(speakers), np.asarray(words))
        found = {}
        for name, (feature, kind) in _PROBES.items():
            features = feature(waveforms, self.rate)
            accuracy = linear_probe(self.known[name], self.labels[kind], features, wanted[kind])
            found[name] = 100 * next(iter(accuracy.values()))
        return found
