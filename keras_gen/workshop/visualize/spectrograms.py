"""Images of sounds."""

from collections.abc import Mapping

import numpy as np

from keras_gen.core.sound_spectra import spectrogram
from keras_gen.workshop.visualize.rows_of_images import image_rows

_RANGE = 60.0  # dB from white to black


def spectrograms(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows of spectrograms: time to the right, frequency upwards, loud is bright.

    Args:
        rows: Name -> sounds, int16 or floats in [-1, 1], `[n, samples, 1]`: such as originals above
            their reconstructions and conversions.

    Returns: a uint8 image `[height, width, 3]`, as `image_rows`, 60 dB from black to white.

    Raises:
        TypeError: If a dtype is another.
        ValueError: If the shapes or the values are others.

    Example: `spectrograms({"recorded": sounds, "converted": model.convert(sounds, 3)})`.
    """
    return image_rows({name: _drawn(sounds) for name, sounds in rows.items()})


def _drawn(sounds):
    """Images uint8 `[n, frequencies, times, 1]`, the lowest frequency in the last row."""
    levels = 1 + 20 / _RANGE * np.log10(spectrogram(sounds) + 1e-9)
    pixels = (255 * np.clip(levels, 0, 1)).round().astype(np.uint8)
    return pixels.transpose(0, 2, 1)[:, ::-1, :, None]
