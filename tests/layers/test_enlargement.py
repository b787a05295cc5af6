"""Enlargement by repetition: equal to that of Keras, also its gradient, for known and any sizes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import NearestEnlargement


@pytest.mark.parametrize("size", [(3, 5), (None, None)])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_pixels_are_repeated(rng, size, factor):
    inputs = keras.Input((*size, 2))
    network = keras.Model(inputs, NearestEnlargement(factor)(inputs))
    other = keras.Model(inputs, keras.layers.UpSampling2D(factor)(inputs))
    assert network.output_shape == other.output_shape
    x = tf.constant(rng.normal(size=(4, 3, 5, 2)).astype("float32"))
    results = []
    for model in (network, other):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x)
            loss = tf.reduce_sum(y**2 * tf.cast(tf.range(5 * factor), "float32")[:, None])
        results.append((y, tape.gradient(loss, x)))
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert network(x[:0]).shape == (0, 3 * factor, 5 * factor, 2)


def test_known_sides_remain_known_in_graphs():
    graph = tf.function(NearestEnlargement(2)).get_concrete_function(
        tf.TensorSpec([None, 3, 5, 2], tf.float32)
    )
    assert graph.outputs[0].shape.as_list() == [None, 6, 10, 2]
