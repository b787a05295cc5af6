"""The logit at the ends of its range."""

import numpy as np
import pytest

from keras_gen.layers.flows import Logit


@pytest.mark.parametrize("alpha", [0.05, 5e-4, 1e-6])
def test_extreme_values_come_back(alpha):
    x = np.array([[0, 1e-7, 1e-3, 0.5, 1 - 1e-3, 1 - 6e-8, 1]], "float32")
    layer = Logit(alpha)
    y, log_det, _ = layer(x)
    wide = x.astype("float64")
    p = alpha + (1 - 2 * alpha) * wide
    rest = alpha + (1 - 2 * alpha) * (1 - wide)
    np.testing.assert_allclose(y, np.log(p / rest), rtol=1e-5, atol=1e-6)
    slopes = (1 - 2 * alpha) / (p * rest)
    np.testing.assert_allclose(log_det, np.log(slopes).sum(1), rtol=1e-5)
    np.testing.assert_allclose(layer.inverse(y), x, atol=1e-5)
    np.testing.assert_allclose(y[:, 0], -y[:, -1], rtol=1e-6)


def test_logits_beyond_the_range_become_its_ends():
    x = Logit(0.01).inverse(np.array([[-1e30, -20, -4.7, 4.7, 20, 1e30]], "float32"))
    np.testing.assert_array_equal(x, [[0, 0, 0, 1, 1, 1]])


@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.1, float("nan")])
def test_bad_distances_are_refused(alpha):
    with pytest.raises(ValueError, match=r"must lie between 0 and 1/2|must be finite"):
        Logit(alpha)
