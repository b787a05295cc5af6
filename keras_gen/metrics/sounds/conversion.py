"""Whether converted recordings are recognized as the target voices with the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.sounds.distances import log_spectral_distance, signal_to_noise
from keras_gen.metrics.sounds.pitch import median_pitch
from keras_gen.metrics.sounds.speech_probes import SpeechProbes

Recorded = tuple[np.ndarray, np.ndarray, np.ndarray]


@checked_types
def conversion_report(
    model: Any, train: Recorded, test: Recorded, converters: Mapping[str, Any], codebook: Any
) -> dict[str, float]:
    """Measures conversions of each test recording to all other voices, and reconstructions.

    `SpeechProbes` of the training recordings measure how often the wanted speaker and word are
    recognized: in the model's conversions (`converted`), in those of other converters (by their
    name), and in the recordings before conversion (`unconverted`). With their own speakers they
    measure the reconstructions (`reconstructed`) and the recordings themselves (`recorded`), which
    gives the accuracy of the probes. The pitch error is the mean distance of the median pitch to
    that of the wanted speaker's training recordings.

    Args:
        model: Has `reconstruct` and `convert` of waveforms and speakers, as `ConditionalVQVAE`.
        train: Waveforms int16 `[n, samples, 1]`, speakers `[n]` from 0 on, and words `[n]`.
        test: The same, of recordings that were not trained on.
        converters: Baselines of the conversions by name, such as `Equalizer` and `NearestUnits` of
            `keras_gen.workshop.baselines`.
        codebook: A baseline of the reconstructions, such as
            `keras_gen.workshop.baselines.FrameCodebook`.

    Returns:
        `speaker_converted`, `speaker_by_covariance_converted` and `word_converted` in percent,
        `pitch_error_converted` in octaves, and likewise of the others; `log_spectral_distance` and
        `signal_to_noise` of reconstructions in dB, and with `_frames` those of the codebook.

    Example:
        >>> converters = {"filtered": Equalizer(*train[:2])}
        >>> report = conversion_report(model, train, test, converters, FrameCodebook(train[0]))
    """
    waveforms, who, words = test
    speakers = int(train[1].max()) + 1
    others = [(who + step) % speakers for step in range(1, speakers)]
    sounds = {
        "converted": [model.convert(waveforms, other) for other in others],
        "unconverted": [waveforms for _ in others],
    }
    for name, converter in converters.items():
        sounds[name] = [converter.convert(waveforms, who, other) for other in others]
    targets = np.concatenate(others)
    said = np.tile(words, speakers - 1)
    wanted = {name: (np.concatenate(each), targets, said) for name, each in sounds.items()}
    reconstructed = model.reconstruct(waveforms, who)
    wanted |= {"reconstructed": (reconstructed, who, words), "recorded": test}
    probes = SpeechProbes(*train)
    pitches = [np.nanmedian(median_pitch(train[0][train[1] == one])) for one in range(speakers)]
    report: dict[str, float] = {}
    for name, (heard, speaker, word) in wanted.items():
        accuracies = probes.accuracies(heard, speaker, word)
        report |= {f"{probe}_{name}": value for probe, value in accuracies.items()}
        octaves = np.log2(median_pitch(heard) / np.take(pitches, speaker))
        report[f"pitch_error_{name}"] = np.nanmean(np.abs(octaves))
    for name, each in (("", reconstructed), ("_frames", codebook.reconstruct(waveforms))):
        report[f"log_spectral_distance{name}"] = log_spectral_distance(each, waveforms).mean()
        report[f"signal_to_noise{name}"] = signal_to_noise(each, waveforms).mean()
    return {name: float(value) for name, value in report.items()}
