"""Autoregressive networks: what each output sees, and what they compute."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from causality import dependence, sees
from keras_gen.layers import OneHot
from keras_gen.networks import pixel_cnn, pixel_rnn, receptive_field, transformer, wavenet


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


BUILDERS = {
    "pixel_cnn": lambda **options: pixel_cnn(filters=3, **options),
    "pixel_rnn": lambda **options: pixel_rnn(units=3, kind="row", **options),
}


@pytest.mark.parametrize(("name", "per_block"), [("pixel_cnn", 6), ("pixel_rnn", 5)])
def test_a_block_adds_to_what_it_is_given(name, per_block, rng):
    """Blocks that end in zeros change nothing."""
    options = dict(image_shape=(4, 4, 1), outputs_per_value=5)
    deep, flat = (BUILDERS[name](blocks=blocks, **options) for blocks in (2, 0))
    weights = deep.get_weights()
    for last in (per_block, 2 * per_block):
        weights[last] *= 0
    deep.set_weights(weights)
    flat.set_weights(weights[:2] + weights[2 * per_block + 2 :])
    x = levels(rng, 2, (4, 4, 1))
    np.testing.assert_array_equal(deep(x), flat(x))


@pytest.mark.parametrize("name", BUILDERS)
def test_levels_are_scaled_inside(name, rng):
    options = dict(image_shape=(4, 4, 3), outputs_per_value=5, blocks=1)
    network, plain = (BUILDERS[name](levels=levels, **options) for levels in (5, None))
    plain.set_weights(network.get_weights())
    x = levels(rng, 2, (4, 4, 3), 5)
    logits = network(x.astype("int32"))
    assert logits.shape == (2, 4, 4, 15) and logits.dtype == tf.float32
    np.testing.assert_allclose(logits, plain(x / 2 - 1), atol=1e-5)


SHAPE = (4, 7, 1)


def seen(rng, **arguments):
    """Which pixels the output at each pixel depends on, bool `[pixels, pixels]`."""
    network = pixel_rnn(SHAPE, 1, units=4, blocks=1, first_kernel=3, **arguments)
    x = rng.integers(0, 256, (4, *SHAPE)).astype("float32")
    count = np.prod(SHAPE)
    return dependence(network, x).reshape(count, count)


@pytest.mark.thorough
def test_the_diagonal_bilstm_sees_the_whole_context_but_ends_of_rows(rng):
    """All pixels before, except the end of the row just above where the first kernel ends earlier.

    The maps of the last pixel do not hold its own value (mask A); those that do lie in the next
    row, of which the direction from the right sees nothing.
    """
    height, width, _ = SHAPE
    expected = np.tri(height * width, k=-1, dtype=bool).reshape(*SHAPE[:2], *SHAPE[:2])
    for row in range(1, height):
        expected[row, : width - 2, row - 1, width - 1] = False
    found = seen(rng, kind="diagonal").reshape(expected.shape)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.thorough
def test_the_row_lstm_sees_a_triangle_above(rng):
    """One pixel more on both sides for each row farther up, and the row to the left."""
    found = seen(rng, kind="row").reshape(*SHAPE[:2], *SHAPE[:2])
    for i, j, row, column in np.ndindex(found.shape):
        # Two pixels to the left in its own row: mask B over mask A. The first convolution is one
        # row higher at the most, and one pixel farther to the right there.
        up = i - row
        left, right = j - 2 - up, j + up
        expected = left <= column <= right if up > 0 else up == 0 and left <= column < j
        assert found[i, j, row, column] == expected, (i, j, row, column)


def perturbed(rng, **options):
    """A small network whose weights are not those it starts from."""
    network = transformer(5, 3, units=6, blocks=2, heads=2, **options)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.5, weight.shape))
    return network


@pytest.mark.thorough
def test_every_code_depends_on_exactly_the_codes_before_it(rng):
    """By the gradient with respect to one-hot vectors, for codes are integers."""
    network = perturbed(rng)
    (one_hot,) = (layer for layer in network.layers if isinstance(layer, OneHot))
    of_vectors = keras.Model(one_hot.output, network.output)
    x = np.eye(3, dtype="float32")[rng.integers(0, 3, (4, 5))]
    found = dependence(of_vectors, x).any(axis=(1, 3))
    np.testing.assert_array_equal(found, np.tri(5, k=-1, dtype=bool))


def test_every_code_depends_on_the_class(rng):
    network = perturbed(rng, classes=2)
    codes = rng.integers(0, 3, (1, 5, 1))
    first, second = (network([codes, np.array([label])]).numpy() for label in (0, 1))
    assert (np.abs(first - second).max(axis=-1) > 1e-3).all()


def test_padding_after_a_text_changes_nothing_before(rng):
    network = perturbed(rng)
    codes = rng.integers(0, 3, (2, 5, 1))
    padded = codes.copy()
    padded[:, 3:] = -1
    np.testing.assert_allclose(network(padded)[:, :4], network(codes)[:, :4], atol=1e-5)


def small(samples=None, **options):
    network = wavenet(
        samples, 5, filters=3, skip_filters=8, **{"dilations": (1, 2, 4), "levels": None} | options
    )
    rng = np.random.default_rng(0)
    for weight in network.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return network


@pytest.mark.thorough
@pytest.mark.parametrize(
    "dilations, taps, expected", [((1, 2, 4), 2, 9), ((2, 1), 3, 9), ((1, 1), 2, 4)]
)
def test_each_sample_sees_the_receptive_field_before_it(dilations, taps, expected, rng):
    """By gradient, at every pair of places: row t of a batch tells what the output t depends on."""
    assert receptive_field(dilations, taps) == expected
    time = expected + 4
    network = small(dilations=dilations, kernel_size=taps)
    # Four examples, as a ReLU hides what it sets to zero.
    x = tf.constant(rng.normal(size=(4 * time, time, 1)), tf.float32)
    rows = np.tile(np.eye(time), (4, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(network(x) * rows[..., None])
    found = (tape.gradient(total, x).numpy() != 0).reshape(4, time, time).any(axis=0)
    ago = np.arange(time)[:, None] - np.arange(time)
    np.testing.assert_array_equal(found, (ago >= 1) & (ago <= expected))


def test_the_paper_sees_2048_samples():
    assert receptive_field(2 * [2**n for n in range(10)]) == 2048


def test_levels_are_one_hot_and_padding_is_silence(rng):
    network = small(levels=6)
    levels = rng.integers(0, 6, (2, 20, 1))
    levels[0, :4] = -1
    silence = np.where(levels < 0, 3, levels)
    np.testing.assert_array_equal(network(levels), network(silence))
    first = next(w for w in network.trainable_variables if "kernel" in w.path)
    assert first.shape == (2, 6, 3)


def test_it_computes_what_the_paper_writes(rng):
    """Eq. (2), (3) and fig. 4 in numpy, with a sum over the blocks' skips."""
    network = small(dilations=(1, 2), classes=3, local_channels=2)
    x = rng.normal(size=(1, 7, 1)).astype("float32")
    label = np.array([2])
    local = rng.normal(size=(1, 7, 2)).astype("float32")
    weights = {w.path: w.numpy().astype("float64") for w in network.trainable_variables}
    kernels = [v for k, v in weights.items() if "causal" in k and k.endswith("kernel")]
    biases = [v for k, v in weights.items() if "causal" in k and k.endswith("bias")]
    (embedded,) = (v for k, v in weights.items() if "embedding" in k)
    (projected,) = (v for k, v in weights.items() if "dense" in k)

    def past(h, steps):
        return np.pad(h, ((steps, 0), (0, 0)))[: len(h)]

    def convolved(h, number, dilation, offset=0):
        kernel = kernels[number]
        taps = [past(h, offset + dilation * (len(kernel) - 1 - i)) for i in range(len(kernel))]
        return sum(t @ k for t, k in zip(taps, kernel, strict=True)) + biases[number]

    bias = embedded[label[0]] + local[0] @ projected
    h = convolved(x[0], 0, 1, offset=1)
    both = convolved(h, 1, 1) + bias[:, :6]
    z1 = np.tanh(both[:, :3]) / (1 + np.exp(-both[:, 3:]))
    both = convolved(h + convolved(z1, 2, 1), 3, 2) + bias[:, 6:]
    z2 = np.tanh(both[:, :3]) / (1 + np.exp(-both[:, 3:]))
    skips = z1 @ kernels[4][0, :3] + z2 @ kernels[4][0, 3:] + biases[4]
    expected = convolved(np.maximum(convolved(np.maximum(skips, 0), 5, 1), 0), 6, 1)
    found = network([x, label, local])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.thorough
def test_conditions_reach_the_places_that_they_are_of(rng):
    network = small(classes=2, local_channels=1)
    x = rng.normal(size=(1, 14, 1)).astype("float32")
    local = np.zeros((1, 14, 1), "float32")
    zero, one = np.array([0]), np.array([1])
    plain = network([x, zero, local])[0].numpy()
    assert (network([x, one, local])[0].numpy() != plain).any(axis=-1).all()
    local[0, 5] = 1
    differ = (network([x, zero, local])[0].numpy() != plain).any(axis=-1)
    # The gates are after the convolutions, so that those of dilations 2 and 4 carry it on.
    np.testing.assert_array_equal(np.flatnonzero(differ), [5, 7, 9, 11])
