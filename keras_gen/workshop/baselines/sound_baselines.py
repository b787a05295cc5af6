"""Baselines for sounds: vocoders, sound codes, and voice conversion."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from scipy import signal
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from keras_gen.arguments import checked_array, checked_integer, checked_seed
from keras_gen.core.kinds_of_data import LogMel
from keras_gen.core.sound_spectra import STEP, WINDOW, cepstrum, mel_weights
from keras_gen.files.sounds import as_waveforms
from keras_gen.metrics.metric_arguments import check_within

_SMALLEST = 1e-8  # magnitude below which a phase is meaningless
_ROUNDS = 30  # number of rounds of Lloyd's algorithm
CONTEXT = 2  # frames on either side that are compared in the search for the nearest unit
HOP = 2  # number of frames from one unit to the next
SEARCH = 40  # maximum shift of a unit in samples; the full range is a period at 100 Hz
LOUDEST = 10.0  # maximum gain of a unit


def griffin_lim(
    mel: np.ndarray, window: int, hop: int, rate: int, rounds: int = 60, seed: int = 0
) -> np.ndarray:
    """Reconstructs sounds from mel spectrograms by searching for suitable phases.

    Griffin, Lim: "Signal Estimation from Modified Short-Time Fourier Transform", IEEE Transactions
    on Acoustics, Speech, and Signal Processing 1984. Each round uses the phases of the previous
    round's sound; the initial phases are random. The magnitudes of the frequencies are computed
    from the mel bands by least squares, and negative magnitudes are set to 0.

    Args:
        mel: Frames from `keras_gen.core.sound_spectra.mel_frames`, float32 `[n, frames, bands]`.
        window: Number of samples per frame; see `mel_frames`.
        hop: Number of samples between consecutive frames, at most half of `window`.
        rate: Samples per second.
        rounds: Number of rounds, each of which recomputes the phases; at least 1.
        seed: Seed for the initial phases.

    Returns:
        The sounds, float32 `[n, frames * hop, 1]`, in [-1, 1].

    Example:
        >>> griffin_lim(np.zeros([2, 8, 24], "float32"), window=256, hop=64, rate=8000).shape
        (2, 512, 1)
    """
    checked_integer("rounds", rounds, minimum=1)
    if not 0 < 2 * hop <= window:
        raise ValueError(
            f"window is {window} and hop is {hop}: expected a window of at least 2 hops."
        )
    mel = LogMel(mel.shape[1:], "mel").prepare(mel).numpy()
    weights = mel_weights(mel.shape[-1], window, rate).numpy()
    magnitudes = np.maximum(np.exp(mel) @ np.linalg.pinv(weights), 0).astype("complex64")
    phases = np.random.default_rng(checked_seed(seed)).uniform(-np.pi, np.pi, magnitudes.shape)
    phases = np.exp(1j * phases).astype("complex64")
    inverse_window = tf.signal.inverse_stft_window_fn(hop)
    for _ in range(rounds):
        spectra = tf.constant(magnitudes * phases)
        sounds = tf.signal.inverse_stft(spectra, window, hop, window, inverse_window)
        found = tf.signal.stft(sounds, window, hop, window).numpy()
        phases = found / np.maximum(np.abs(found), _SMALLEST)
    before = (window - hop) // 2
    cut = sounds[:, before : before + mel.shape[1] * hop, None]
    return np.clip(cut.numpy(), -1.0, 1.0)


class FrameCodebook:
    """Vector quantization of waveforms, which replaces each frame with the nearest k-means center.

    With frames of 64 samples and 512 codes, a sound requires 9 bits per 64 samples, as in a VQ-VAE
    whose encoder halves the length six times.

    Args:
        waveforms: Recordings to which the codes are fitted, int16 or floats in [-1, 1],
            `[n, samples, 1]`.
        codes: Number of codes, at most the number of frames.
        frame: Number of samples per frame.
        seed: Seed for k-means.

    Example: `FrameCodebook(recordings, codes=512).reconstruct(others)`.
    """

    def __init__(self, waveforms, codes: int = 512, frame: int = 64, seed: int = 0):
        self.frame = frame
        frames = self._frames(waveforms)
        check_within("codes", codes, len(frames))
        self._kmeans = KMeans(
            codes, n_init=1, max_iter=_ROUNDS, random_state=checked_seed(seed)
        ).fit(frames)

    def reconstruct(self, waveforms) -> np.ndarray:
        """Returns sounds made of the nearest codes of their frames, float32 `[n, samples, 1]`."""
        nearest = self._kmeans.predict(self._frames(waveforms))
        sounds = self._kmeans.cluster_centers_[nearest].reshape(len(waveforms), -1, 1)
        return sounds.astype(np.float32)

    def _frames(self, waveforms):
        sounds = as_waveforms(waveforms)
        if sounds.shape[1] % self.frame:
            raise ValueError(
                f"The sounds have {sounds.shape[1]} samples: expected a multiple of "
                f"frame={self.frame}. Choose another frame, or adjust the sounds with "
                "keras_gen.data.fit_length."
            )
        return sounds.reshape(-1, self.frame)


class Equalizer:
    """Voice conversion with a filter that maps one speaker's average spectrum to another's.

    The filter multiplies short-time Fourier transforms by the ratio of the two speakers'
    magnitudes. The magnitudes of a speaker are the square roots of the mean power of the speaker's
    recordings. Unlike a VQ-VAE, the method requires the speaker of each sound.

    Args:
        waveforms: Recordings, int16 or floats in [-1, 1], `[n, samples, 1]`.
        speakers: Speakers of the recordings, integers `[n]`, counted from 0.

    Example: `Equalizer(recordings, speakers).convert(others, speakers_of_others, targets)`.
    """

    def __init__(self, waveforms, speakers):
        power = np.square(np.abs(_transform(as_waveforms(waveforms)))).mean(axis=2)
        power /= power.sum(axis=1, keepdims=True)
        speakers = checked_array("speakers", speakers)
        each = [power[speakers == number].mean(axis=0) for number in range(speakers.max() + 1)]
        self.spectra = np.sqrt(np.stack(each) + 1e-9)  # [speakers, frequencies]

    def convert(self, waveforms, speakers, targets) -> np.ndarray:
        """Returns filtered sounds, float32 `[n, samples, 1]`, scaled to a peak of 0.9.

        Args:
            waveforms: Sounds `[n, samples, 1]`.
            speakers: Speakers of the sounds, integers `[n]`.
            targets: Target speakers, integers `[n]`, whose average spectra are imposed on the
                sounds.
        """
        sounds = as_waveforms(waveforms)
        ratios = self.spectra[np.asarray(targets)] / self.spectra[np.asarray(speakers)]
        filtered = signal.istft(
            _transform(sounds) * ratios[:, :, None], nperseg=WINDOW, noverlap=WINDOW - STEP
        )[1][:, : sounds.shape[1]]
        return _to_peak(filtered)


class NearestUnits:
    """Voice conversion that assembles pieces of the target speaker's recordings.

    Every 16 ms of a sound are replaced with a unit of 32 ms from the target's recordings, so units
    overlap. The unit with the nearest cepstra in five frames is selected. Cepstra are standardized
    to mean 0 and standard deviation 1 for each speaker. Each unit begins where it best matches the
    previous unit, and is scaled to the loudness of the sound that it replaces. The result has the
    target's pitch and timbre. See Hunt, Black: "Unit Selection in a Concatenative Speech Synthesis
    System Using a Large Speech Database", ICASSP 1996. The method requires the speaker of each
    sound.

    Deviation: the nearest unit is used; there is no search for the sequence of units with minimum
    cost.

    Args:
        waveforms: Recordings, int16 or floats in [-1, 1], `[n, samples, 1]`.
        speakers: Speakers of the recordings, integers `[n]`, counted from 0.

    Example: `NearestUnits(recordings, speakers).convert(others, speakers_of_others, targets)`.
    """

    def __init__(self, waveforms, speakers):
        self._sounds = as_waveforms(waveforms)
        self._statistics = []  # per speaker: mean and standard deviation of the cepstrum
        self._units = []  # per speaker: recording and start position (in samples) of each unit
        self._searches = []
        speakers = checked_array("speakers", speakers)
        for number in range(speakers.max() + 1):
            (own,) = np.nonzero(speakers == number)
            cepstra, spoken = cepstrum(self._sounds[own])
            self._statistics.append((cepstra[spoken].mean(axis=0), cepstra[spoken].std(axis=0)))
            recording, frame = np.nonzero(spoken)
            self._units.append((own[recording], frame * STEP))
            known = self._in_context(cepstra, number)[spoken]
            self._searches.append(NearestNeighbors(n_neighbors=1).fit(known))

    def convert(self, waveforms, speakers, targets) -> np.ndarray:
        """Returns sounds made of the targets' units, float32 `[n, samples, 1]`, with peaks of 0.9.

        Args:
            waveforms: Sounds `[n, samples, 1]`.
            speakers: Speakers of the sounds, integers `[n]`.
            targets: Target speakers, integers `[n]`, from whose recordings the sounds are
                assembled.
        """
        sounds = as_waveforms(waveforms)
        cepstra, _ = cepstrum(sounds)
        converted = []
        for sound, own, speaker, target in zip(sounds, cepstra, speakers, targets, strict=True):
            wanted = self._in_context(own[None], speaker)[0, ::HOP]
            nearest = self._searches[target].kneighbors(wanted, return_distance=False)[:, 0]
            recordings, starts = self._units[target]
            converted.append(self._joined(sound, recordings[nearest], starts[nearest]))
        return _to_peak(np.stack(converted))

    def _joined(self, sound, recordings, starts):
        """Joins units of the recordings according to the rhythm and loudness of a sound."""
        window = signal.get_window("hann", WINDOW)
        step = HOP * STEP
        made = np.zeros(len(sound))
        weight = np.zeros(len(sound))
        for number, (recording, start) in enumerate(zip(recordings, starts, strict=True)):
            here = slice(number * step, number * step + WINDOW)
            unit = self._fitting(made[here], recording, start)
            gain = np.sqrt(np.mean(sound[here] ** 2) / (np.mean(unit**2) + 1e-12))
            made[here] += min(gain, LOUDEST) * unit * window
            weight[here] += window
        return made / np.maximum(weight, 0.1)

    def _fitting(self, before, recording, start):
        """Returns the unit near `start` that correlates best with the sound so far."""
        sound = self._sounds[recording]
        low = max(0, start - SEARCH)
        high = min(len(sound) - WINDOW, start + SEARCH)
        units = np.lib.stride_tricks.sliding_window_view(sound[low : high + WINDOW], WINDOW)
        if not before.any():
            return units[start - low]
        overlap = WINDOW - HOP * STEP
        norms = np.linalg.norm(units[:, :overlap], axis=1) + 1e-9
        return units[np.argmax(units[:, :overlap] @ before[:overlap] / norms)]

    def _in_context(self, cepstra, speaker):
        """Returns the cepstra of each frame and its neighbors, standardized for the speaker."""
        mean, deviation = self._statistics[speaker]
        count = cepstra.shape[1]
        normal = (cepstra - mean) / deviation
        padded = np.pad(normal, ((0, 0), (CONTEXT, CONTEXT), (0, 0)), "edge")
        shifts = [padded[:, first : first + count] for first in range(2 * CONTEXT + 1)]
        return np.concatenate(shifts, axis=2)


def _to_peak(sounds):
    """Returns sounds `[n, samples]` scaled to a peak of 0.9, float32 `[n, samples, 1]`."""
    loudest = np.abs(sounds).max(axis=1, keepdims=True)
    return (0.9 * sounds / np.maximum(loudest, 1e-9)).astype(np.float32)[..., None]


def _transform(sounds):
    """Returns the short-time Fourier transform, `[n, frequencies, frames]`."""
    return signal.stft(sounds, nperseg=WINDOW, noverlap=WINDOW - STEP)[2]
