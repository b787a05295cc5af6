"""A distribution of color images against the entropy of a known process."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import ColorContexts


def test_values_follow_their_left_neighbor_and_the_previous_channel(rng):
    """Red is the red to the left plus uniform noise of 8 levels, and green is red plus 1."""
    steps = rng.integers(-4, 4, (400, 1, 12))
    red = 128 + np.cumsum(steps, axis=2)
    images = np.stack([red, red + 1, red + 1], axis=-1).astype("uint8")
    nats = -ColorContexts(images[:350], context=2, trees=50).log_prob(images[350:])
    # All channels but red are certain, except for the weight of a uniform distribution.
    assert nats.mean() == pytest.approx(12 * np.log(8), rel=0.15)
