"""Sounds: how far they are from their originals, and who is heard to say what in them."""

from keras_gen.metrics.sounds.baselines import Equalizer, FrameCodebook
from keras_gen.metrics.sounds.conversion import conversion_report
from keras_gen.metrics.sounds.distances import log_spectral_distance, signal_to_noise
from keras_gen.metrics.sounds.probes import SpeechProbes
from keras_gen.metrics.sounds.spectra import (
    average_spectrum,
    cepstral_contour,
    cepstral_covariance,
    log_mel,
)

__all__ = [
    "Equalizer",
    "FrameCodebook",
    "SpeechProbes",
    "average_spectrum",
    "cepstral_contour",
    "cepstral_covariance",
    "conversion_report",
    "log_mel",
    "log_spectral_distance",
    "signal_to_noise",
]
