"""The convolution that starts from zero."""

import keras
import numpy as np

from keras_gen.layers import ZeroConvolution


def test_it_starts_from_zero_and_is_a_scaled_convolution(rng):
    x = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    inputs = keras.Input((3, 4, 2))
    layer = ZeroConvolution(5, 3)
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_array_equal(model(x), np.zeros([2, 3, 4, 5]))
    plain = layer.convolution
    plain.set_weights([rng.normal(size=w.shape) for w in plain.weights])
    layer.log_factor.assign(factor := rng.normal(size=5))
    np.testing.assert_allclose(model(x), plain(x) * np.exp(3 * factor), rtol=1e-4)
