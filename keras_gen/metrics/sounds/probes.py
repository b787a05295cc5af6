"""Who is heard to say which word: classifiers of recordings, asked about other sounds."""

from __future__ import annotations

import numpy as np

from keras_gen.media.spectra import (
    average_spectrum,
    cepstral_contour,
    cepstral_covariance,
)
from keras_gen.metrics.representations import linear_probe


class SpeechProbes:
    """Linear classifiers of recordings, which say how often a sound has a speaker and a word.

    Two tell the speaker: by the average spectrum, which a filter could change at will, and by the
    covariance of the cepstrum, which no filter changes. A third tells the word, by the cepstrum at
    eight moments. None hears the loudness. Each is `linear_probe`, logistic regression.

    Args:
        waveforms: Recordings, int16 or floats in [-1, 1], `[n, samples, 1]`.
        speakers: Integers `[n]`.
        words: Integers `[n]`.
        rate: Samples a second.

    Example:
        >>> probes = SpeechProbes(recordings, speakers, digits)
        >>> probes.accuracies(model.convert(others, 3), np.full(len(others), 3), their_digits)
    """

    def __init__(self, waveforms, speakers, words, rate: int = 8000):
        """Computes the features of the recordings; see the class."""
        self.rate, self.labels = rate, (np.asarray(speakers), np.asarray(words))
        self.known = {name: feature(waveforms, rate) for name, (feature, _) in _PROBES.items()}

    def accuracies(self, waveforms, speakers, words) -> dict[str, float]:
        """Returns how often the probes hear the given speakers and words, in percent.

        Args:
            waveforms: Sounds `[m, samples, 1]`.
            speakers: Who they should be heard to be of, integers `[m]`.
            words: What they should be heard to say, integers `[m]`.

        Returns:
            `speaker`, by the average spectrum; `speaker_by_covariance`; and `word`: 0 to 100.

        Raises:
            TypeError: If labels are not integers.
            ValueError: If shapes differ.
        """
        wanted, found = (np.asarray(speakers), np.asarray(words)), {}
        for name, (feature, kind) in _PROBES.items():
            features = feature(waveforms, self.rate)
            accuracy = linear_probe(self.known[name], self.labels[kind], features, wanted[kind])
            found[name] = 100 * next(iter(accuracy.values()))
        return found


# Feature, and which of the labels: speakers or words.
_PROBES = {
    "speaker_by_covariance": (cepstral_covariance, 0),
    "speaker": (average_spectrum, 0),
    "word": (cepstral_contour, 1),
}
