"""WaveNet's network: what it sees, its conditions, and the function that it computes."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import receptive_field, wavenet


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


@pytest.mark.parametrize("options", [dict(dilations=()), dict(kernel_size=1)])
def test_networks_without_blocks_or_taps_are_refused(options):
    with pytest.raises(ValueError, match="expected at least 1 block and 2 taps"):
        wavenet(**options)
