"""Metrics of sounds: spectral distances, pitch, and reports on speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.core.sound_spectra import (
    average_spectrum,
    cepstral_contour,
    cepstral_covariance,
    spectrogram,
)
from keras_gen.files.sounds import as_waveforms
from keras_gen.metrics.metric_arguments import as_numbers
from keras_gen.metrics.representations.probes import linear_probe

FLOOR = 1e-3  # minimum magnitude: 60 dB below a sine wave of amplitude 1
AUDIBLE = 40.0  # maximum distance from the loudest frame in dB


@checked_types
def log_spectral_distance(waveforms: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Returns distances between log spectra that ignore phases, float64 `[n]` in dB, at least 0.

    The distance in a frame is the root mean squared difference over all frequencies, in dB. The
    result is the average distance over the frames in which the original is within 40 dB of its
    loudest frame.

    Args:
        waveforms: Waveforms `[n, samples, 1]`, int16 or floats in [-1, 1].
        originals: Original waveforms, in the format and order of `waveforms`.

    Example:
        >>> log_spectral_distance(np.ones([1, 512, 1]), np.ones([1, 512, 1]))
        array([0.])
    """
    _require_pairs(waveforms, originals)
    wanted = spectrogram(originals)
    difference = 20 * np.log10((spectrogram(waveforms) + FLOOR) / (wanted + FLOOR))
    distances = np.sqrt(np.mean(np.square(difference), axis=2))
    power = np.sum(np.square(wanted), axis=2)
    audible = power >= power.max(axis=1, keepdims=True) * 10 ** (-AUDIBLE / 10)
    return np.sum(distances * audible, axis=1) / audible.sum(axis=1)


@checked_types
def signal_to_noise(waveforms: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Returns the signal-to-noise ratio, float64 `[n]` in dB.

    The result is the ratio, in dB, of the original's energy to the energy of the difference, so
    phase errors count. The ratio is 0 if a waveform is silent, and infinite if it equals the
    original.

    Args:
        waveforms: Waveforms `[n, samples, 1]`, int16 or floats in [-1, 1].
        originals: Original waveforms, in the format and order of `waveforms`; none may be silent.

    Raises:
        ValueError: If the shapes differ, or if an original is silent.

    Example:
        >>> signal_to_noise(np.zeros([1, 512, 1]), np.ones([1, 512, 1]))
        array([0.])
    """
    _require_pairs(waveforms, originals)
    sounds = as_waveforms(waveforms)
    wanted = as_waveforms(originals)
    silent = np.flatnonzero(~wanted.any(axis=1))
    if len(silent):
        raise ValueError(
            f"originals[{silent[0]}] is silent: expected a sound that is nonzero in 16 bits, "
            "because the noise is compared with this sound. Leave out silent recordings, or "
            "amplify quiet recordings with keras_gen.data.to_peak."
        )
    with np.errstate(divide="ignore"):
        noise = np.sum(np.square(sounds - wanted), axis=1)
        return 10 * np.log10(np.sum(np.square(wanted), axis=1) / noise)


def _require_pairs(waveforms, originals):
    waveforms = as_numbers(waveforms, "waveforms")
    originals = as_numbers(originals, "originals")
    if np.shape(waveforms) != np.shape(originals):
        raise ValueError(
            f"waveforms has shape {np.shape(waveforms)}, but originals has shape "
            f"{np.shape(originals)}: expected the same shape."
        )


WINDOW, STEP = 0.064, 0.016  # length and step of the windows in seconds
LOWEST, HIGHEST = 60, 400  # range of the pitch in Hz
PERIODIC = 0.6  # minimum autocorrelation of a frame with a pitch
LOUD = 10**-2.5  # minimum energy of a frame, relative to the loudest frame


def median_pitch(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns the median pitch of each recording, float64 `[n]`, from 60 to 400 Hz.

    The autocorrelation of each frame is divided by the window's autocorrelation. The frame's period
    is the lag of the first peak that is at least 90% as high as the highest peak (Boersma:
    "Accurate Short-Term Analysis of the Fundamental Frequency and the Harmonics-to-Noise Ratio of a
    Sampled Sound", 1993). A parabola through the values at three lags determines the peak's
    position between lags. At low rates, the autocorrelation is interpolated to at least 8,000 lags
    per second. Frames that are quiet or not periodic are omitted; a recording with only
    such frames yields NaN.

    Args:
        waveforms: Waveforms `[n, samples, 1]`, int16 or floats in [-1, 1], at least 0.064 seconds
            long.
        rate: Sampling rate in samples per second, at least 1,000.

    Raises:
        ValueError: If the waveforms are too short, or if the rate is too low.

    Example:
        >>> tone = np.sin(2 * np.pi * 125 * np.arange(4000) / 8000)
        >>> median_pitch(tone[None, :, None]).round(1)
        array([125.])
    """
    rate = checked_integer("rate", rate, minimum=1000)
    size = round(WINDOW * rate)
    sounds = as_waveforms(waveforms)
    if sounds.shape[1] < size:
        raise ValueError(f"Sounds have {sounds.shape[1]} samples: expected at least {size}.")
    frames = np.lib.stride_tricks.sliding_window_view(sounds, size, axis=1)
    frames = frames[:, :: round(STEP * rate)]
    frames = frames - frames.mean(axis=2, keepdims=True)
    energy = np.sum(frames**2, axis=2)
    window = np.hanning(size)
    finer = -(-8000 // rate)
    rate *= finer
    lags = np.arange(rate // HIGHEST, -(-rate // LOWEST) + 1)
    correlation = _autocorrelation(frames * window, finer)[..., : lags[-1] + 2]
    correlation /= _autocorrelation(window, finer)[: lags[-1] + 2]
    correlation /= correlation[..., :1] + 1e-12
    before, found, after = (correlation[..., lags + step] for step in (-1, 0, 1))
    # On the side of a peak, the lag is too short, although the correlation is almost as high.
    peaks = np.where((found > before) & (found >= after), found, -np.inf)
    highest = peaks.max(axis=2, keepdims=True)
    first = np.argmax(peaks >= 0.9 * highest, axis=2)[..., None]
    before, at, after = (
        np.take_along_axis(values, first, axis=2)[..., 0] for values in (before, found, after)
    )
    voiced = (highest[..., 0] > PERIODIC) & (energy > LOUD * energy.max(axis=1, keepdims=True))
    medians = np.full(len(sounds), np.nan)
    for number, heard in enumerate(voiced):
        if heard.any():
            a = before[number, heard]
            b = at[number, heard]
            c = after[number, heard]
            periods = lags[first[number, heard, 0]] + 0.5 * (a - c) / (a - 2 * b + c)
            medians[number] = np.median(np.clip(rate / periods, LOWEST, HIGHEST))
    return medians


def _autocorrelation(frames: np.ndarray, finer: int) -> np.ndarray:
    """Returns the autocorrelation at `finer` lags per sample."""
    size = frames.shape[-1]
    spectra = np.abs(np.fft.rfft(frames, 2 * size)) ** 2
    return np.fft.irfft(spectra, 2 * size * finer)[..., : size * finer]


# For each metric: the feature, and the label that is predicted from it (speaker or word).
_PROBES = {
    "speaker_by_covariance": (cepstral_covariance, 0),
    "speaker": (average_spectrum, 0),
    "word": (cepstral_contour, 1),
}


class SpeechProbes:
    """Linear classifiers that measure how often the intended speaker and word are recognized.

    Two classifiers recognize the speaker: one uses the average spectrum, which a filter can change,
    and the other uses the covariance of the cepstrum, which a filter cannot change. A third
    classifier recognizes the word from the cepstrum at eight points in time. All three classifiers
    ignore loudness and use logistic regression (see `linear_probe`).

    Args:
        waveforms: Recordings `[n, samples, 1]`, int16 or floats in [-1, 1].
        speakers: Speaker of each recording, integers `[n]`.
        words: Word of each recording, integers `[n]`.
        rate: Sampling rate, in samples per second.

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
        """Returns the percentages of sounds in which probes recognize the given speakers and words.

        The keys of the result are `speaker` (based on the average spectrum),
        `speaker_by_covariance`, and `word`.

        Args:
            waveforms: Sounds `[m, samples, 1]`.
            speakers: Intended speakers, integers `[m]`.
            words: Intended words, integers `[m]`.
        """
        wanted = (np.asarray(speakers), np.asarray(words))
        found = {}
        for name, (feature, kind) in _PROBES.items():
            features = feature(waveforms, self.rate)
            accuracy = linear_probe(self.known[name], self.labels[kind], features, wanted[kind])
            found[name] = 100 * next(iter(accuracy.values()))
        return found


Recorded = tuple[np.ndarray, np.ndarray, np.ndarray]


@checked_types
def conversion_report(
    model: Any, train: Recorded, test: Recorded, converters: Mapping[str, Any], codebook: Any
) -> dict[str, float]:
    """Measures reconstructions, and conversions of each test recording to all other voices.

    `SpeechProbes` fitted to the training recordings measure how often the intended speaker and word
    are recognized in the model's conversions (`converted`), in the conversions of baselines (under
    their names), and in the recordings before conversion (`unconverted`). The probes also measure
    how often the original speaker and word are recognized in the reconstructions (`reconstructed`)
    and in the recordings themselves (`recorded`); the result for the recordings shows the accuracy
    of the probes. The pitch error is the mean distance between the median pitch of a sound and the
    median pitch of the intended speaker's training recordings.

    Args:
        model: Model with `reconstruct` and `convert` for waveforms and speakers, such as
            `ConditionalVQVAE`.
        train: Waveforms, int16 `[n, samples, 1]`; speakers, nonnegative integers `[n]`; and words
            `[n]`.
        test: Waveforms, speakers, and words of recordings that were not used for training.
        converters: Dict from names to baselines for the conversions, such as `Equalizer` and
            `NearestUnits` from `keras_gen.workshop.baselines`.
        codebook: Baseline for the reconstructions, such as
            `keras_gen.workshop.baselines.FrameCodebook`.

    Returns:
        A dict with `speaker_converted`, `speaker_by_covariance_converted`, and `word_converted` in
        percent; `pitch_error_converted` in octaves; the same metrics with the other suffixes
        instead of `converted`; `log_spectral_distance` and `signal_to_noise` of the reconstructions
        in dB; and, with the suffix `_frames`, the same metrics for the codebook's reconstructions.

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


@checked_types
def vocoding_report(
    train: Recorded, test: Recorded, vocoded: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Measures sounds generated from the spectrograms of test recordings.

    `SpeechProbes` fitted to the training recordings measure how often the speaker and the word are
    recognized in these sounds and in the test recordings themselves; the result for the test
    recordings shows the accuracy of the probes.

    Args:
        train: Waveforms, int16 `[n, samples, 1]`; speakers, nonnegative integers `[n]`; and words
            `[n]`.
        test: Waveforms, speakers, and words of recordings that were not used for training.
        vocoded: Dict from the name of each method to the sounds that the method generated for the
            test recordings, in the same order: `[m, samples, 1]`, int16 or floats in [-1, 1].

    Returns:
        A dict with `speaker_METHOD`, `speaker_by_covariance_METHOD`, and `word_METHOD` in percent
        for each method, and for the test recordings with `recorded` as METHOD; and
        `log_spectral_distance_METHOD` in dB for each method.

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
