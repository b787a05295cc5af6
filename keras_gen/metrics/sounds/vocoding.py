"""How near sounds made from spectrograms are to the recordings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.sounds.conversion import Recorded
from keras_gen.metrics.sounds.distances import log_spectral_distance
from keras_gen.metrics.sounds.speech_probes import SpeechProbes


@checked_types
def vocoding_report(
    train: Recorded, test: Recorded, vocoded: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Measures sounds that were made from the spectrograms of test recordings.

    `SpeechProbes` of the training recordings measure how often speaker and word are recognized in
    them, and in the recordings themselves, which gives the accuracy of the probes.

    Args:
        train: Waveforms int16 `[n, samples, 1]`, speakers `[n]` from 0 on, and words `[n]`.
        test: The same, of recordings that were not trained on.
        vocoded: By the name of each method, sounds of the test recordings, int16 or floats in [-1,
            1], `[m, samples, 1]`, in their order.

    Returns:
        Of each method, and of the test recordings as `recorded`, `speaker_METHOD`,
        `speaker_by_covariance_METHOD` and `word_METHOD` in percent; and of each method
        `log_spectral_distance_METHOD` in dB.

    Example:
        >>> report = vocoding_report(train, test, {"waveglow": sounds})
    """
    waveforms, who, words = test
    probes = SpeechProbes(*train)
    report: dict[str, float] = {}
    for name, sounds in {"recorded": waveforms, **vocoded}.items():
        accuracies = probes.accuracies(sounds, who, words)
        report |= {f"{probe}_{name}": float(value) for probe, value in accuracies.items()}
    for name, sounds in vocoded.items():
        distances = log_spectral_distance(sounds, waveforms)
        report[f"log_spectral_distance_{name}"] = float(distances.mean())
    return report
