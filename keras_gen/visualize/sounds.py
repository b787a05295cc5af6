"""Images of sounds."""

import numpy as np

from keras_gen.media.images import grid
from keras_gen.media.spectra import spectrogram

_RANGE = 60.0  # dB from white to black


def spectrograms(*rows: np.ndarray) -> np.ndarray:
    """Rows of spectrograms: time to the right, frequency upwards, loud is bright.

    Args:
        *rows: Sounds, int16 or floats in [-1, 1], `[n, samples, 1]` each: such as originals above
            their reconstructions and conversions.

    Returns: a uint8 image `[height, width, 3]`, a row for each, 60 dB from black to white.

    Raises:
        TypeError: If a dtype is another.
        ValueError: If the shapes or the values are others.

    Example: `write_image("both.png", spectrograms(recordings, model.convert(recordings, 3)))`.
    """
    levels = [1 + 20 / _RANGE * np.log10(spectrogram(sounds) + 1e-9) for sounds in rows]
    pixels = (255 * np.clip(np.concatenate(levels), 0, 1)).round().astype(np.uint8)
    return grid(pixels.transpose(0, 2, 1)[:, ::-1, :, None], len(rows[0]))
