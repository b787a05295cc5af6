"""Sounds: how far they are from their originals, and who is heard to say what in them."""

from keras_gen.metrics.sounds.conversion import conversion_report
from keras_gen.metrics.sounds.distances import log_spectral_distance, signal_to_noise
from keras_gen.metrics.sounds.probes import SpeechProbes

__all__ = [
    "SpeechProbes",
    "conversion_report",
    "log_spectral_distance",
    "signal_to_noise",
]
