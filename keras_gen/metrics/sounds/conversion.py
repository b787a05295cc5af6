"""Whether recordings are heard in the voices that they were converted to, saying the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_gen.baselines.speech import Equalizer, FrameCodebook
from keras_gen.metrics.sounds.distances import log_spectral_distance, signal_to_noise
from keras_gen.metrics.sounds.probes import SpeechProbes

Recorded = tuple[np.ndarray, np.ndarray, np.ndarray]


def conversion_report(
    model: Any, train: Recorded, test: Recorded, codes: int = 512, frame: int = 64, seed: int = 0
) -> dict[str, float]:
    """Measures conversions of each test recording to all other voices, and reconstructions.

    `SpeechProbes` of the recordings to train on say how often the wanted speaker and word are
    heard, in what is `converted`; in what an `Equalizer` makes of the same, `filtered`; in the
    recordings that were to be converted, `unconverted`; and, with their own speakers, in what is
    `reconstructed` and `recorded`, the accuracy of the probes themselves.

    Args:
        model: With `reconstruct` and `convert` of waveforms and speakers, as `ConditionalVQVAE`.
        train: Waveforms int16 `[n, samples, 1]`, speakers `[n]` from 0 on, and words `[n]`.
        test: The same, of recordings that were not trained on.
        codes: Of the `FrameCodebook` beside which reconstructions stand.
        frame: Its samples.
        seed: Of its k-means.

    Returns:
        `speaker_converted`, `speaker_by_covariance_converted` and `word_converted` in percent, and
        likewise of the others; `log_spectral_distance` and `signal_to_noise` of reconstructions in
        dB, and with `_frames` those of the frames' codes.

    Example:
        >>> report = conversion_report(model, data.train.arrays(), data.test.arrays())
    """
    waveforms, who, words = test
    speakers = int(train[1].max()) + 1
    others = [(who + step) % speakers for step in range(1, speakers)]
    targets, said = np.concatenate(others), np.tile(words, speakers - 1)
    equalizer, probes = Equalizer(*train[:2]), SpeechProbes(*train)
    reconstructed = model.reconstruct(waveforms, who)
    made = {
        "converted": [model.convert(waveforms, other) for other in others],
        "filtered": [equalizer.convert(waveforms, who, other) for other in others],
        "unconverted": [waveforms for _ in others],
    }
    asked = {name: (np.concatenate(sounds), targets, said) for name, sounds in made.items()}
    asked |= {"reconstructed": (reconstructed, who, words), "recorded": test}
    heard = {name: probes.accuracies(*sounds) for name, sounds in asked.items()}
    report = {f"{probe}_{name}": v for name, found in heard.items() for probe, v in found.items()}
    frames = FrameCodebook(train[0], codes, frame, seed).reconstruct(waveforms)
    for name, sounds in (("", reconstructed), ("_frames", frames)):
        report[f"log_spectral_distance{name}"] = log_spectral_distance(sounds, waveforms).mean()
        report[f"signal_to_noise{name}"] = signal_to_noise(sounds, waveforms).mean()
    return {name: float(value) for name, value in report.items()}
