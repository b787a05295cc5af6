"""Sines and cosines of numbers."""

import numpy as np
import pytest

from keras_gen.layers import SinusoidalFeatures


def test_frequencies_grow_geometrically():
    layer = SinusoidalFeatures(3, slowest=0.5, fastest=8.0)
    found = layer(np.array([[0.3, -1.0]], "float32")).numpy()
    expected = []
    for value in (0.3, -1.0):
        angles = value * np.array([0.5, 2.0, 8.0])
        expected += [*np.sin(angles), *np.cos(angles)]
    np.testing.assert_allclose(found, [expected], atol=1e-5)


def test_what_is_refused():
    with pytest.raises(ValueError, match="count must be at least 1, found 0"):
        SinusoidalFeatures(0)
