import numpy as np
import pytest
from scipy.spatial import distance

from keras_gen.metrics import memorization


def test_memorization_finds_copies_and_only_them(rng):
    training, held_out = rng.normal(size=(60, 20)), rng.normal(size=(40, 20))
    fresh = rng.normal(size=(30, 20))
    almost = training[:10] + 0.01 * rng.normal(size=(10, 20))
    report = memorization(np.concatenate([fresh, almost]), training)
    assert report["memorized_fraction"] == 10 / 40
    report = memorization(held_out, training)
    assert report["memorized_fraction"] == 0
    nearest = distance.cdist(held_out, training).min(axis=1)
    assert report["nearest_distance"] == pytest.approx(np.median(nearest))
    # Copies of what the training set holds twice have no ratio.
    assert memorization(training, np.repeat(training, 2, axis=0))["memorized_fraction"] == 1
    # The threshold: at 1 of the way from 0 to 4, nearest and second are 1 and 3 away.
    ends = np.array([[0.0], [4.0]])
    assert memorization(np.array([[1.0]]), ends, ratio=0.34)["memorized_fraction"] == 1
    assert memorization(np.array([[1.0]]), ends, ratio=0.33)["memorized_fraction"] == 0


def test_clear_errors():
    x = np.zeros([4, 2])
    with pytest.raises(ValueError, match="ratio"):
        memorization(x, x, ratio=0)
