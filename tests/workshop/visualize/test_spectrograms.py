"""Spectrograms as images: which way is up, and how bright."""

import numpy as np

from keras_gen.workshop.visualize import spectrograms

TIME = np.arange(1024) / 8000


def tone(frequency):
    return np.sin(2 * np.pi * frequency * TIME)[None, :, None]


def bright_rows(image):
    """Rows of the pixels that are nearly white in the loudest place of the color map."""
    return np.argwhere((image[..., 0] > 240) & (image[..., 2] < 220))[:, 0]


def test_a_tone_is_a_bright_line_at_its_frequency():
    low, middle, high = (
        bright_rows(spectrograms({"tone": tone(frequency)})) for frequency in (500, 2000, 3500)
    )
    assert np.ptp(low) < 20 and np.ptp(high) < 20
    np.testing.assert_allclose(2 * np.mean(middle), np.mean(low) + np.mean(high), atol=4)
    assert np.mean(high) < np.mean(low) - 60


def test_what_is_60_decibels_softer_is_black():
    image = spectrograms({"loud": tone(1000), "soft": 0.001 * tone(1000)})
    rows = bright_rows(image)
    assert len(rows) and rows.max() < len(image) / 2
    assert len(bright_rows(spectrograms({"soft": 0.001 * tone(1000)})))


def test_silence_is_black_and_short_rows_end():
    silence = np.zeros([2, 1024, 1])
    image = spectrograms({"two": silence, "one": silence[:1]}, ["a", "b"])
    assert image.dtype == np.uint8 and not len(bright_rows(image))
    lower_right = image[3 * len(image) // 5 : 4 * len(image) // 5, -40:-20]
    assert (lower_right == 255).all()
