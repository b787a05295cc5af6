"""Spectrograms as images: which way is up, and how bright."""

import numpy as np

from keras_gen.workshop.visualize import spectrograms


def test_a_tone_is_a_bright_line_at_its_frequency():
    time = np.arange(1024) / 8000
    tones = np.stack([np.sin(2 * np.pi * f * time) for f in (1000, 3000)])[..., None]
    image = spectrograms({"loud": tones, "soft": 0.001 * tones})
    height, width = 129, (1024 - 256) // 64 + 1
    assert image.dtype == np.uint8
    assert image.shape == (2 * (height + 2) + 2, 2 * (width + 2) + 2, 3)
    for row, level in ((0, 255), (1, 0)):
        for column, frequency in ((0, 32), (1, 96)):
            top, left = 2 + row * (height + 2), 2 + column * (width + 2)
            cell = image[top : top + height, left : left + width, 0]
            # The lowest frequency is the last row.
            assert np.abs(cell[height - 1 - frequency].astype(int) - level).max() <= 2
            assert cell[height - 1 - frequency - 8].max() <= 2
