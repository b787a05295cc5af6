"""Boosted trees of pixels against enumerations and the entropy of a known process."""

import itertools

import numpy as np
import pytest

from keras_gen.workshop.baselines import BoostedPixels

EVERY = np.array(list(itertools.product([0, 1], repeat=4)), "uint8").reshape(16, 2, 2, 1)


def test_binary_images_have_probabilities_that_add_to_one(rng):
    train = rng.integers(0, 2, (60, 4, 3, 1), "uint8")
    p = np.exp(BoostedPixels(3, levels=2, trees=5).fit(train).log_prob(EVERY))
    assert p.sum() == pytest.approx(1)


@pytest.mark.parametrize("brightest", [0, 9, 255])
def test_levels_have_probabilities_that_add_to_one(rng, brightest):
    """Also where trees learn from black images alone, which show them no bit."""
    every = np.arange(256, dtype="uint8").reshape(256, 1, 1, 1)
    train = rng.integers(0, brightest + 1, (300, 1, 1, 1)).astype("uint8")
    p = np.exp(BoostedPixels(1).fit(train).log_prob(every))
    assert p.sum() == pytest.approx(1)
    # Most of it lies on the levels of training.
    assert p[: brightest + 1].sum() > 0.95


def test_levels_reach_the_entropy_of_a_known_process(rng):
    """Half of the pixels are black, the others as one of four levels with equal probability."""
    levels = np.array([3, 4, 200, 255], "uint8")[rng.integers(0, 4, (2000, 5, 5, 1))]
    images = levels * (rng.random(levels.shape) < 0.5).astype("uint8")
    nats = -BoostedPixels(2).fit(images[:1500]).log_prob(images[1500:])
    assert nats.mean() == pytest.approx(25 * (np.log(2) + 0.5 * np.log(4)), rel=0.01)


def test_only_pixels_before_count(rng):
    """So a change of the last pixel changes its own probability alone, to its complement."""
    pixels = BoostedPixels(12, levels=2, trees=5)
    pixels.fit(rng.integers(0, 2, (50, 6, 5, 1), "uint8"))
    image = rng.integers(0, 2, (1, 6, 5, 1), "uint8")
    every = np.concatenate([image, image])
    every[:, -1, -1, 0] = (0, 1)
    cut = np.logaddexp(*pixels.log_prob(every))
    above = np.concatenate([every[:, :3], np.zeros_like(every[:, :3])], axis=1)
    assert cut < pixels.log_prob(above[:, :3]).max()
    assert all(row < 0 or (row == 0 and column < 0) for row, column in pixels.offsets)


def test_reaches_the_entropy_of_a_known_process(rng):
    """A pixel is as the one above with probability .9; the first row is drawn fairly."""
    changes = rng.random((4000, 8, 6, 1)) < 0.1
    changes[:, 0] = rng.random((4000, 6, 1)) < 0.5
    images = (np.cumsum(changes, axis=1) % 2).astype("uint8")
    nats = -BoostedPixels(4, levels=2, trees=30).fit(images[:3000]).log_prob(images[3000:])
    entropy = 6 * np.log(2) - 42 * (0.1 * np.log(0.1) + 0.9 * np.log(0.9))
    assert nats.mean() == pytest.approx(entropy, rel=0.02)


def test_errors():
    with pytest.raises(ValueError, match="values up to 255: expected uint8 0 and 1; binarize"):
        BoostedPixels(levels=2).fit(np.full((1, 2, 2, 1), 255, "uint8"))
    with pytest.raises(ValueError, match="not fitted: call fit first"):
        BoostedPixels().log_prob(EVERY)
    with pytest.raises(ValueError, match="levels must be 2 or 256, found 16"):
        BoostedPixels(levels=16)
