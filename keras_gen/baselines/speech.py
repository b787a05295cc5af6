"""Cheap ways to code speech and to convert a voice."""

from __future__ import annotations

import numpy as np
from scipy import signal
from sklearn.cluster import KMeans

from keras_gen.media.sounds import as_waveforms
from keras_gen.media.spectra import STEP, WINDOW
from keras_gen.metrics.checks import check_within

_ROUNDS = 30  # of Lloyd's algorithm


class FrameCodebook:
    """Vector quantization of the waveform: each frame becomes the nearest center of k-means.

    With frames of 64 samples and 512 codes it takes 9 bits for 64 samples, as many as a VQ-VAE with
    an encoder that halves six times.

    Args:
        waveforms: Recordings to fit, int16 or floats in [-1, 1], `[n, samples, 1]`.
        codes: Number of codes, at most the number of frames.
        frame: Samples per frame.
        seed: Seed of k-means.

    Example: `FrameCodebook(recordings, codes=512).reconstruct(others)`.
    """

    def __init__(self, waveforms, codes: int = 512, frame: int = 64, seed: int = 0):
        self.frame = frame
        frames = self._frames(waveforms)
        check_within("codes", codes, len(frames))
        self._kmeans = KMeans(codes, n_init=1, max_iter=_ROUNDS, random_state=seed).fit(frames)

    def reconstruct(self, waveforms) -> np.ndarray:
        """Returns sounds of the nearest codes, float32 `[n, samples, 1]`."""
        nearest = self._kmeans.predict(self._frames(waveforms))
        sounds = self._kmeans.cluster_centers_[nearest].reshape(len(waveforms), -1, 1)
        return sounds.astype(np.float32)

    def _frames(self, waveforms):
        sounds = as_waveforms(waveforms)
        if sounds.shape[1] % self.frame:
            raise ValueError(
                f"{sounds.shape[1]} samples are no multiple of frames of {self.frame}: choose "
                "another frame, or keras_gen.data.fit_length."
            )
        return sounds.reshape(-1, self.frame)


class Equalizer:
    """Converts voices by a filter that turns one speaker's average spectrum into another's.

    It multiplies short-time Fourier transforms by the ratio of the speakers' magnitudes, the roots
    of the mean power of their recordings. Unlike a VQ-VAE it needs the speaker of each sound.

    Args:
        waveforms: Recordings, int16 or floats in [-1, 1], `[n, samples, 1]`.
        speakers: Integers `[n]` from 0 on.

    Example: `Equalizer(recordings, speakers).convert(others, speakers_of_others, targets)`.
    """

    def __init__(self, waveforms, speakers):
        power = np.square(np.abs(_transform(as_waveforms(waveforms)))).mean(axis=2)
        power /= power.sum(axis=1, keepdims=True)
        speakers = np.asarray(speakers)
        each = [power[speakers == number].mean(axis=0) for number in range(speakers.max() + 1)]
        self.spectra = np.sqrt(np.stack(each) + 1e-9)  # [speakers, frequencies]

    def convert(self, waveforms, speakers, targets) -> np.ndarray:
        """Returns filtered sounds, float32 `[n, samples, 1]`, scaled to a peak of 0.9.

        Args:
            waveforms: Sounds `[n, samples, 1]`.
            speakers: Who speaks, integers `[n]`.
            targets: The speakers whose average spectrum they get, integers `[n]`.
        """
        sounds = as_waveforms(waveforms)
        ratios = self.spectra[np.asarray(targets)] / self.spectra[np.asarray(speakers)]
        filtered = signal.istft(
            _transform(sounds) * ratios[:, :, None], nperseg=WINDOW, noverlap=WINDOW - STEP
        )[1][:, : sounds.shape[1]]
        loudest = np.abs(filtered).max(axis=1, keepdims=True)
        return (0.9 * filtered / np.maximum(loudest, 1e-9)).astype(np.float32)[..., None]


def _transform(sounds):
    """The short-time Fourier transform, `[n, frequencies, frames]`."""
    return signal.stft(sounds, nperseg=WINDOW, noverlap=WINDOW - STEP)[2]
