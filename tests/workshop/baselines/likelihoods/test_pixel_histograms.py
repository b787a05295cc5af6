import numpy as np
import pytest

from keras_gen.metrics import bits_per_dimension
from keras_gen.workshop.baselines import PixelHistograms


def test_counts():
    images = np.array([[0, 7], [0, 9], [3, 9]], "uint8").reshape(3, 1, 2, 1)
    found = PixelHistograms(images, pseudo_count=0.5).log_prob(images)
    total = 3 + 256 * 0.5
    expected = [2.5 * 1.5, 2.5 * 2.5, 1.5 * 2.5]
    np.testing.assert_allclose(found, np.log(np.array(expected) / total**2))
    other = np.full([1, 1, 2, 1], 255, "uint8")
    np.testing.assert_allclose(
        PixelHistograms(images, 0.5).log_prob(other), 2 * np.log(0.5 / total)
    )


def test_is_a_probability(rng):
    histograms = PixelHistograms(rng.integers(0, 9, (5, 1, 1, 1), "uint8"))
    every = np.arange(256, dtype="uint8").reshape(-1, 1, 1, 1)
    assert np.exp(histograms.log_prob(every)).sum() == pytest.approx(1)


def test_knows_nothing_where_it_counts_nothing(rng):
    images = rng.integers(0, 256, (4, 2, 2, 3), "uint8")
    nats = -PixelHistograms(images, pseudo_count=1e9).log_prob(images)
    np.testing.assert_allclose(bits_per_dimension(nats, 12, "none"), 8, atol=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="pseudo_count is 0: it must be positive"):
        PixelHistograms(np.zeros([1, 1, 1, 1], "uint8"), 0)
