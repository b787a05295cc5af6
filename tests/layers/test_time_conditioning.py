"""Layers that condition on the time, by hand."""

import keras
import numpy as np
import pytest

from keras_gen.layers import AdaptiveGroupNormalization, SinusoidalFeatures


def test_frequencies_grow_geometrically():
    layer = SinusoidalFeatures(3, slowest=0.5, fastest=8.0)
    found = layer(np.array([[0.3, -1.0]], "float32")).numpy()
    expected = []
    for value in (0.3, -1.0):
        angles = value * np.array([0.5, 2.0, 8.0])
        expected += [*np.sin(angles), *np.cos(angles)]
    np.testing.assert_allclose(found, [expected], atol=1e-5)


def test_equals_keras_group_normalization_scaled_by_the_condition(rng):
    maps = (3 * rng.normal(size=(2, 4, 5, 8)) + 1).astype("float32")
    condition = rng.normal(size=(2, 3)).astype("float32")
    layer = AdaptiveGroupNormalization(groups=4)
    plain = keras.layers.GroupNormalization(4, epsilon=1e-5, center=False, scale=False)(maps)
    np.testing.assert_allclose(layer([maps, condition]), plain, atol=1e-4)
    kernel, bias = (rng.normal(size=w.shape) for w in layer.weights)
    layer.set_weights([kernel, bias])
    scale, offset = np.split(condition @ kernel + bias, 2, axis=1)
    expected = plain * (1 + scale[:, None, None]) + offset[:, None, None]
    np.testing.assert_allclose(layer([maps, condition]), expected, atol=1e-3)


@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_maps_far_from_0_get_variance_1(rng, offset):
    maps = (rng.normal(size=(2, 8, 8, 4)) + offset).astype("float32")
    layer = AdaptiveGroupNormalization(2)
    found = layer([maps, np.zeros((2, 3), "float32")]).numpy().reshape(2, 64, 2, 2)
    np.testing.assert_allclose(found.var(axis=(1, 3)), 1, rtol=3e-2)
