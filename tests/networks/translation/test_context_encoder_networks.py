"""The networks of context encoders: sizes, shapes, ranges."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import context_decoder, context_encoder


@pytest.mark.thorough
@pytest.mark.parametrize(("side", "width"), [(8, 2), (32, 8), (128, 32)])
def test_shapes_and_ranges(side, width):
    shape = (side, side, 3)
    encoder, decoder = context_encoder(shape, filters=2), context_decoder(shape, filters=2)
    features = encoder(tf.random.normal([2, *shape]), training=True)
    assert features.shape == (2, 4, 4, width) and features.dtype == tf.float32
    images = decoder(50 * features, training=True).numpy()
    assert images.shape == (2, *shape) and images.dtype == np.float32
    assert images.min() >= -1 and images.max() <= 1 and images.std() > 0


def test_sizes():
    """4x4 kernels and normalization, but for the first layer, and the two of the bottleneck."""
    encoder, decoder = context_encoder((32, 32, 3), 8), context_decoder((32, 32, 3), 8)
    pairs = 16 * (8 * 16 + 16 * 32)
    assert encoder.count_params() == 16 * 3 * 8 + 8 + pairs + 4 * (16 + 32)
    bottleneck = 32 * 4**4 + 32 * 32 + 4 * 32
    norms = 4 * (16 + 8)
    assert decoder.count_params() == bottleneck + pairs + norms + 16 * 8 * 3 + 3


def test_only_the_bottleneck_carries_what_is_far_away():
    """The gradient of a corner of the image reaches the features of the opposite corner."""
    decoder = context_decoder((64, 64, 1), filters=2)
    features = tf.random.normal([1, 4, 4, 16])
    with tf.GradientTape() as tape:
        tape.watch(features)
        corner = decoder(features)[0, 0, 0, 0]
    assert (tape.gradient(corner, features).numpy()[0, 3, 3] != 0).any()
