"""Counts of pixels around a pixel against closed forms and enumerations."""

import itertools

import numpy as np
import pytest

from keras_gen.workshop.baselines import ContextTable

EVERY = np.array(list(itertools.product([0, 1], repeat=4)), "uint8").reshape(16, 2, 2, 1)


@pytest.mark.parametrize("context", [0, 1, 2, 3, 10, 16])
def test_is_a_distribution(rng, context):
    train = rng.integers(0, 2, (3, 4, 3, 1), "uint8")
    p = np.exp(ContextTable(context).fit(train).log_prob(EVERY))
    assert p.sum() == pytest.approx(1)


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


def test_only_pixels_before_count(rng):
    """A change changes the probability of no pixel before it."""
    table = ContextTable(16).fit(rng.integers(0, 2, (50, 6, 5, 1), "uint8"))
    images = rng.integers(0, 2, (1, 6, 5, 1), "uint8")
    assert len(set(table.offsets)) == 16 and table.offsets[:2] == [(-1, 0), (0, -1)]
    assert all(row < 0 or (row == 0 and column < 0) for row, column in table.offsets)
    # So the probabilities of both values of the last pixel are those of the images without it.
    other = images.copy()
    other[0, -1, -1] = 1 - other[0, -1, -1]
    cut = np.exp(table.log_prob(np.concatenate([images, other]))).sum()
    contexts = table._contexts(images[..., 0])
    each = table._log_probs[contexts, images[..., 0]]
    assert np.log(cut) == pytest.approx(each.sum() - each[0, -1, -1])


def test_learns_what_a_few_pixels_say(rng):
    """Columns are of one color: all but the first row is certain."""
    images = np.repeat(rng.integers(0, 2, (500, 1, 8, 1), "uint8"), 8, axis=1)
    nats = -ContextTable(4).fit(images[:400]).log_prob(images[400:]).mean()
    blind = -ContextTable(0).fit(images[:400]).log_prob(images[400:]).mean()
    assert blind == pytest.approx(64 * np.log(2), rel=0.01)
    assert nats < 0.45 * blind


def test_errors():
    with pytest.raises(ValueError, match="values up to 255: expected uint8 0 and 1; binarize"):
        ContextTable().fit(np.full((1, 2, 2, 1), 255, "uint8"))
    with pytest.raises(ValueError, match="Expected images to be uint8"):
        ContextTable().fit(np.zeros((1, 2, 2, 1)))
    with pytest.raises(ValueError, match="not fitted: call fit first"):
        ContextTable().log_prob(EVERY)
    with pytest.raises(ValueError, match="context must be 0 to 24, found 25"):
        ContextTable(25)
