import numpy as np
import pytest

from keras_gen.metrics import color_statistics


def test_color_statistics():
    images = np.zeros([2, 4, 4, 3], "uint8")
    images[0] = [200, 100, 0]
    report = color_statistics(images)
    assert (report["red_mean"], report["red_std"]) == (100, 100)
    assert (report["green_mean"], report["blue_std"]) == (50, 0)
    # One color: rg = 100, yb = 150, no spread; the black image has neither.
    assert report["colorfulness"] == pytest.approx(0.3 * np.hypot(100, 150) / 2)
    # Half red, half blue: rg is 255 or 0, yb 127.5 or -255.
    images = np.zeros([1, 2, 2, 3], "uint8")
    images[:, 0, :, 0], images[:, 1, :, 2] = 255, 255
    wanted = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75)
    assert color_statistics(images)["colorfulness"] == pytest.approx(wanted)
    # Bright or dark, gray has no color.
    gray = np.repeat(np.arange(48, dtype="uint8").reshape(3, 4, 4, 1), 3, axis=-1)
    assert color_statistics(gray)["colorfulness"] == 0


def test_clear_errors():
    with pytest.raises(ValueError, match=r"uint8 \[n, H, W, 3\]"):
        color_statistics(np.zeros([2, 4, 4, 1], "uint8"))
