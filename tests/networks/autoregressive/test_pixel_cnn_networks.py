"""PixelCNN's network: what it sees, shapes, sizes, precision."""

import numpy as np
import pytest
import tensorflow as tf

from causality import dependence, sees
from keras_gen.networks.autoregressive.pixel_cnn_networks import pixel_cnn


def levels(rng, count, shape, number=256):
    return rng.integers(0, number, (count, *shape)).astype("float32")


@pytest.mark.thorough
@pytest.mark.parametrize("shape", [(5, 9, 1), (3, 4, 3)])
def test_sees_the_values_that_the_kernels_reach_and_no_others(shape, rng):
    """By gradient: the product of what the layers see, which has the paper's blind spot."""
    network = pixel_cnn(shape, 4, filters=9, blocks=2, first_kernel=3, kernel=3)
    channels, count = shape[-1], np.prod(shape)
    weights = rng.normal(size=(channels, 4)).astype("float32")  # of a value's logits, to sum them

    def summed(images):
        logits = tf.reshape(network(images), [-1, *shape, 4])
        return tf.reduce_sum(logits * weights, axis=-1)

    found = dependence(summed, levels(rng, 6, shape)).reshape(count, count)
    block, first = sees("B", 3, shape).astype(int), sees("A", 3, shape).astype(int)
    np.testing.assert_array_equal(found, block @ block @ first > 0)
    assert not np.triu(found).any()


@pytest.mark.thorough
def test_the_blind_spot(rng):
    """Of the row above, the pixels farther to the right than the kernels reach are not seen."""
    network = pixel_cnn((2, 9, 1), 1, filters=8, blocks=6, first_kernel=3, kernel=3)
    x = tf.constant(levels(rng, 6, (2, 9, 1)))
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = network(x)[:, 1, 3]
    seen = (tape.gradient(output, x).numpy() != 0).any(axis=(0, 3))
    # One step up is one step to the right, whatever the number of blocks.
    np.testing.assert_array_equal(seen, [[1, 1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0, 0, 0]])


def test_size_of_the_papers_blocks():
    """Fig. 5 (left): 2h -> h by 1x1, h -> h by 3x3, h -> 2h by 1x1; before them 7x7 to 2h."""
    h, blocks, head = 8, 3, 12
    network = pixel_cnn((28, 28, 1), 256, filters=h, blocks=blocks, head_filters=head)
    block = (2 * h * h + h) + (9 * h * h + h) + (2 * h * h + 2 * h)
    top = (2 * h * head + head) + (head * head + head) + (head * 256 + 256)
    assert network.count_params() == 49 * 2 * h + 2 * h + blocks * block + top
    masks = [layer.mask for layer in network.layers if hasattr(layer, "kernel_mask")]
    assert masks == ["A"] + ["B"] * (3 * blocks + 3)


def test_a_block_adds_to_what_it_is_given(rng):
    """Blocks that end in zeros change nothing."""
    deep, flat = (pixel_cnn((4, 4, 1), 5, filters=2, blocks=blocks) for blocks in (2, 0))
    weights = deep.get_weights()
    for last in (6, 12):
        weights[last] *= 0
    deep.set_weights(weights)
    flat.set_weights(weights[:2] + weights[14:])
    x = levels(rng, 2, (4, 4, 1))
    np.testing.assert_array_equal(deep(x), flat(x))


def test_levels_are_scaled_inside(rng):
    network = pixel_cnn((4, 4, 3), 5, filters=3, blocks=1, levels=5)
    plain = pixel_cnn((4, 4, 3), 5, filters=3, blocks=1, levels=None)
    plain.set_weights(network.get_weights())
    x = levels(rng, 2, (4, 4, 3), 5)
    logits = network(x.astype("int32"))
    assert logits.shape == (2, 4, 4, 15) and logits.dtype == tf.float32
    np.testing.assert_allclose(logits, plain(x / 2 - 1), atol=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"kernel": 2}, "kernel_size is 2"),
        ({"image_shape": (4, 4, 3), "filters": 2}, "2 maps cannot be divided into 3 groups"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        pixel_cnn(**arguments)
