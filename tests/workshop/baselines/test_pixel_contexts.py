"""Distributions pixel by pixel against counts by hand and known entropies."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import BoostedPixels, ContextTable


def test_counts_without_context():
    images = np.array([1, 0, 0, 0, 1, 0], "uint8").reshape(1, 2, 3, 1)
    table = ContextTable(0).fit(images)
    p = (2 + 1) / (6 + 2)
    np.testing.assert_allclose(table.log_prob(images), 2 * np.log(p) + 4 * np.log(1 - p))


def test_counts_with_the_pixel_above_and_the_one_to_the_left():
    """A 2x2 image of two rows 01 and 11, as the formula reads."""
    image = np.array([[0, 1], [1, 1]], "uint8").reshape(1, 2, 2, 1)
    none = (3 + 1) / (4 + 2)  # of a 1
    above = {0: (2 + 2 * none) / (3 + 2), 1: (1 + 2 * none) / (1 + 2)}
    # By (above, left): 0 0 is followed by 0, 1 and 1 of the left column and the pixel beside it.
    both = {(0, 0): (2 + 2 * above[0]) / (3 + 2), (1, 1): (1 + 2 * above[1]) / (1 + 2)}
    by_pixel = [1 - both[0, 0], both[0, 0], both[0, 0], both[1, 1]]
    found = ContextTable(2).fit(image).log_prob(image)
    np.testing.assert_allclose(found, np.log(by_pixel).sum())


def test_levels_reach_the_entropy_of_a_known_process(rng):
    """Half of the pixels are black, the others as one of four levels with equal probability."""
    levels = np.array([3, 4, 200, 255], "uint8")[rng.integers(0, 4, (2000, 5, 5, 1))]
    images = levels * (rng.random(levels.shape) < 0.5).astype("uint8")
    nats = -BoostedPixels(2).fit(images[:1500]).log_prob(images[1500:])
    assert nats.mean() == pytest.approx(25 * (np.log(2) + 0.5 * np.log(4)), rel=0.01)


def test_known_pixels_are_seen_wherever_they_are(rng):
    """The first row is unknown and equal to the last, two rows below."""
    images = rng.integers(0, 2, (400, 3, 4, 1), "uint8")
    images[:, 0] = images[:, 2]
    known = np.arange(3)[:, None] * np.ones(4) > 0
    trees = BoostedPixels(12, levels=2, trees=40, known=known).fit(images[:300])
    assert -trees.log_prob(images[300:]).mean() < 0.1


def test_reaches_the_entropy_of_a_known_process(rng):
    """A pixel is as the one above with probability .9; the first row is drawn fairly."""
    changes = rng.random((4000, 8, 6, 1)) < 0.1
    changes[:, 0] = rng.random((4000, 6, 1)) < 0.5
    images = (np.cumsum(changes, axis=1) % 2).astype("uint8")
    nats = -BoostedPixels(4, levels=2, trees=30).fit(images[:3000]).log_prob(images[3000:])
    entropy = 6 * np.log(2) - 42 * (0.1 * np.log(0.1) + 0.9 * np.log(0.9))
    assert nats.mean() == pytest.approx(entropy, rel=0.02)
