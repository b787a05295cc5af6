"""Cached sampling: the same images as by whole passes, drawn from what the network says."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gen.autoregressive.cached_network import Walker
from keras_gen.autoregressive.sampling import sample_causal
from keras_gen.layers import CausalConvolution, MaskedConvolution
from keras_gen.losses import Categorical
from keras_gen.networks import (
    character_rnn,
    gated_pixel_cnn,
    pixel_cnn,
    pixel_rnn,
    transformer,
    wavenet,
)

LEVELS = 4


def draw_category(logits, uniform):
    """Levels `[batch]` of logits `[batch, levels]`."""
    return Categorical(logits.shape[-1]).draw(logits, uniform[..., None, None])[..., 0]


def plain(channels=1):
    """A small PixelCNN, and its conditions."""
    network = pixel_cnn((4, 5, channels), LEVELS, filters=6, blocks=1, kernel=5, levels=LEVELS)
    return network, ()


def gated():
    """A vector and a map as conditions, a layer used twice, a rectangular kernel, operations."""
    images, label, place = keras.Input((4, 5, 1)), keras.Input((), dtype="int32"), (4, 5, 2)
    maps = keras.Input(place)
    bias = layers.Reshape((1, 1, 6))(layers.Embedding(3, 6, "normal")(label))
    bias = layers.Add()([bias, layers.Conv2D(6, 3, padding="same")(maps)])
    x = MaskedConvolution(6, (3, 5), "A")(images)
    twice = MaskedConvolution(6, 3, "B", activation="tanh")
    x = layers.Add()([twice(twice(x)), bias])
    a, b = keras.ops.split(layers.BatchNormalization()(x), 2, axis=-1)
    x = layers.Concatenate()([keras.ops.tanh(a) * keras.ops.sigmoid(b), x])
    x = layers.Dropout(0.5)(layers.Dense(8, "elu")(x))
    network = keras.Model([images, label, maps], MaskedConvolution(LEVELS, 1, "B")(x))
    return network, (np.array([2, 0, 1]), np.random.default_rng(1).normal(size=(3, *place)))


def two_stacks(channels=1):
    """A small Gated PixelCNN of classes."""
    options = dict(blocks=2, first_kernel=5, kernel=3, levels=LEVELS, classes=3)
    network = gated_pixel_cnn((4, 5, channels), LEVELS, filters=6, **options)
    return network, (np.array([2, 0, 1]),)


def sequence():
    """Dilated convolutions of a sequence, a vector and one vector at each time as conditions."""
    values, vector, local = keras.Input((None, 1)), keras.Input((2,)), keras.Input((None, 3))
    x = CausalConvolution(6, 2, sees_itself=False)(values)
    x = layers.Add()([x, layers.Dense(6)(local)])
    for dilation in (1, 2, 4):
        x = layers.Add()([x, CausalConvolution(6, 2, dilation, activation="tanh")(x)])
    x = layers.Add()([x, layers.Reshape((1, 6))(layers.Dense(6)(vector))])
    random = np.random.default_rng(1)
    conditions = (random.normal(size=(3, 2)), random.normal(size=(3, 20, 3)))
    return keras.Model([values, vector, local], layers.Dense(LEVELS)(x)), conditions


def recurrent(kind, channels=1):
    """A small PixelRNN, and its conditions."""
    return pixel_rnn((4, 5, channels), LEVELS, 6, blocks=2, kind=kind, levels=LEVELS), ()


def sounds():
    """Dilated convolutions, gates, and conditions of the whole and of every sample."""
    network = wavenet(
        9, LEVELS, 4, 6, dilations=(1, 2, 4), levels=LEVELS, classes=3, local_channels=2
    )
    return network, (np.array([2, 0, 1]), np.random.default_rng(1).normal(size=(3, 9, 2)))


def attention():
    """Blocks of attention, positions and a class at the first place."""
    network = transformer(9, LEVELS, 6, blocks=2, heads=2, classes=3, dropout=0.5)
    return network, (np.array([2, 0, 1]),)


CASES = {
    "one channel": plain,
    "three channels": lambda: plain(3),
    "gated": gated,
    "two stacks": two_stacks,
    "two stacks, three channels": lambda: two_stacks(3),
    "sequence": sequence,
    "row LSTM": lambda: recurrent("row"),
    "diagonal BiLSTM of three channels": lambda: recurrent("diagonal", 3),
    "sounds": sounds,
    "attention": attention,
    "characters": lambda: (character_rnn(LEVELS, 6, length=9), ()),
}


def make(case):
    """Network, conditions and noise, with biases that are not zero."""
    keras.utils.set_random_seed(0)
    network, conditions = CASES[case]()
    for weight in network.trainable_variables:
        weight.assign(weight + tf.random.normal(weight.shape, stddev=0.2))
    shape = [size or 20 for size in network.inputs[0].shape[1:]]
    return network, conditions, uniform((3, *shape))


def uniform(shape):
    return np.random.default_rng(2).uniform(size=shape).astype("float32")


def redrawn(network, conditions, images, noise):
    """What the same noise draws from the logits that the whole images give."""
    conditions = [tf.cast(c, s.dtype) for c, s in zip(conditions, network.inputs[1:], strict=True)]
    logits = network([images, *conditions] if conditions else images)
    return draw_category(tf.reshape(logits, [*images.shape, LEVELS]), noise)


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_cached_and_uncached_are_what_the_noise_draws_from_the_network(case):
    """Only the image that is drawn in order is what its noise draws from its own logits."""
    network, conditions, noise = make(case)
    cached, whole = (
        sample_causal(network, draw_category, noise, conditions, cached) for cached in (True, False)
    )
    np.testing.assert_array_equal(cached, whole)
    np.testing.assert_array_equal(redrawn(network, conditions, cached, noise), cached)
    assert len(np.unique(cached)) > 2


@pytest.mark.parametrize("policy, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 0.1)])
def test_parameters_of_each_pixel_are_the_networks(policy, tolerance):
    keras.config.set_dtype_policy(policy)
    network, _ = plain()
    images = np.random.default_rng(2).integers(0, LEVELS, (3, 4, 5, 1)).astype("float32")
    expected = network(images).numpy()
    walker = Walker(network)
    caches = walker.empty_caches(3, 5)
    for row in range(4):
        maps, caches = walker.start_row(tf.zeros([3, 5, 1]), caches, row)
        for column in range(5):
            anything = tf.fill([3, 1], 7.0)
            logits, caches = walker.predict(anything, caches, maps, column)
            np.testing.assert_allclose(logits[:, 0, 0], expected[:, row, column], atol=tolerance)
            caches = walker.after_place(images[:, row, column], caches, maps, column)
        caches = walker.end_row(tf.constant(images[:, row]), caches, maps)


@pytest.mark.thorough
def test_noise_changes_only_its_value_and_later_ones():
    network, _, noise = make("three channels")
    changed = noise.copy()
    changed[:, 1, 2, 1] = (changed[:, 1, 2, 1] + 0.5) % 1
    sample = tf.function(lambda noise: sample_causal(network, draw_category, noise))
    differ = (sample(noise).numpy() != sample(changed).numpy()).any(axis=0).ravel()
    at = np.ravel_multi_index((1, 2, 1), (4, 5, 3))
    assert not differ[:at].any() and differ[at] and differ[at + 1 :].any()


@pytest.mark.thorough
@pytest.mark.parametrize("jit_compile", [False, True])
def test_any_batch_in_a_compiled_function_with_the_weights_of_the_moment(jit_compile):
    network, conditions, noise = make("one channel")

    @tf.function(
        input_signature=[tf.TensorSpec([None, 4, 5, 1])], autograph=True, jit_compile=jit_compile
    )
    def sample(noise):
        return sample_causal(network, draw_category, noise)

    images = sample(noise).numpy()
    assert sample.get_concrete_function().output_shapes.as_list() == [None, 4, 5, 1]
    np.testing.assert_array_equal(sample(noise), images)
    np.testing.assert_array_equal(sample(noise[1:]), images[1:])
    for weight in network.trainable_variables:
        weight.assign(-weight)
    again = sample(noise).numpy()
    assert (again != images).any()
    np.testing.assert_array_equal(redrawn(network, conditions, again, noise), again)


@pytest.mark.thorough
def test_draws_with_any_noise_and_any_parameters(rng):
    """Gumbel noise for each level, and parameters that are one number."""
    network, _, _ = make("three channels")
    noise = rng.gumbel(size=(2, 4, 5, 3, LEVELS))
    images = sample_causal(
        network, lambda logits, gumbel: tf.cast(tf.argmax(logits + gumbel, -1), tf.float32), noise
    )
    logits = tf.reshape(network(images), noise.shape)
    np.testing.assert_array_equal(tf.argmax(logits + noise.astype("float32"), axis=-1), images)


def masked(x, mask="B"):
    return MaskedConvolution(2, 3, mask)(x)


REFUSED = {
    "convolution": (lambda x: layers.Conv2D(2, 3, padding="same")(masked(x, "A")), "mixes pos"),
    "normalization": (
        lambda x: layers.GroupNormalization(1)(masked(x, "A")), r"\(GroupNormalization\) mixes"
    ),
    "shift": (lambda x: keras.ops.roll(masked(x, "A"), 1, axis=1), r"\(Roll\) mixes positions"),
    "mask B first": (masked, "masked_convolution.* sees the values"),
    "skip": (lambda x: layers.Add()([x, masked(x, "A")]), "add.* sees the values"),
    "image": (lambda x: layers.ReLU()(x), "depends only on the values"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_networks_that_cannot_be_cached_are_refused_by_the_name_of_the_layer(case):
    build, message = REFUSED[case]
    images = keras.Input((4, 5, 1))
    with pytest.raises(ValueError, match=message):
        Walker(keras.Model(images, build(images)))


@pytest.mark.parametrize("cached", [False, True])
def test_networks_that_mix_channels_are_refused(cached):
    """One pixel at a time, such a network would draw other images than its outputs say."""
    images = keras.Input((2, 2, 3))
    x = MaskedConvolution(6, 3, "A", image_channels=3)(images)
    x = MaskedConvolution(3 * LEVELS, 1, "B", image_channels=3)(layers.Dense(6)(x))
    network = keras.Model(images, x)
    with pytest.raises(ValueError, match=r"not causal: .* \(0, 0, 0\) depend on .* \(0, 0, 1\)"):
        sample_causal(network, draw_category, tf.zeros([1, 2, 2, 3]), cached=cached)


def test_bad_shapes_are_refused():
    network, conditions, noise = make("gated")
    with pytest.raises(ValueError, match="accepts 2 conditions, but got 0"):
        sample_causal(network, draw_category, noise)
    with pytest.raises(ValueError, match=r"noise has shape \(3, 4, 4, 1\)"):
        sample_causal(network, draw_category, noise[:, :, 1:], conditions)
    images = keras.Input((None, None, 1))
    with pytest.raises(ValueError, match=r"\(None, None, 1\)"):
        sample_causal(keras.Model(images, masked(images, "A")), draw_category, noise)
    images = keras.Input((4, 5, 3))
    with pytest.raises(ValueError, match="multiple of the input's"):
        sample_causal(keras.Model(images, masked(images, "A")), draw_category, noise)
