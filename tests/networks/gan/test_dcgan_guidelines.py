"""DCGAN's networks without a guideline: each differs from the whole in that alone."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import dcgan_discriminator, dcgan_generator, dcgan_without

SIZES = dict(image_shape=(16, 16, 1), latent_dim=5, filters=4)
LATENTS = tf.constant(np.random.default_rng(0).normal(size=(6, 5)), tf.float32)


def kinds(network):
    """The kinds of its layers, an activation by its function, and how many it has of each."""

    def kind(layer):
        activation = getattr(layer, "activation", None)
        named = isinstance(layer, keras.layers.Activation)
        return activation.__name__ if named else type(layer).__name__

    return Counter(map(kind, network.layers))


def test_without_nothing_it_is_dcgan():
    keras.utils.set_random_seed(0)
    found = dcgan_without(**SIZES)
    keras.utils.set_random_seed(0)
    expected = [
        dcgan_generator(**SIZES),
        dcgan_discriminator(SIZES["image_shape"], SIZES["filters"]),
    ]
    for own, other in zip(found, expected, strict=True):
        weights = zip(own.get_weights(), other.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in weights)
    images = expected[0](LATENTS, training=True)
    np.testing.assert_allclose(found[0](LATENTS, training=True), images, atol=1e-6)
    logits = expected[1](images, training=True)
    np.testing.assert_allclose(found[1](images, training=True), logits, atol=1e-6)


# What the generator and the discriminator lose, and what they gain.
CHANGES = {
    "strides": ({"Conv2DTranspose": -2, "UpSampling2D": 2, "Conv2D": 2}, {"MaxPooling2D": 2}),
    "normalization": ({"BatchNormalization": -2}, {"BatchNormalization": -1}),
    "convolutions": (
        {"Dense": 1, "BatchNormalization": 1, "relu": 1},
        {"Conv2D": -1, "Dense": 2, "BatchNormalization": 1, "LeakyReLU": 1},
    ),
    "relu": ({"relu": -2, "tanh": 2}, {}),
    "tanh": ({"tanh": -1, "linear": 1}, {}),
    "leaky_relu": ({}, {}),
}


@pytest.mark.thorough
@pytest.mark.parametrize("guideline", CHANGES)
def test_one_guideline_is_missing(guideline):
    for whole, without, change in zip(
        dcgan_without(**SIZES),
        dcgan_without(guideline, **SIZES, hidden=7),
        CHANGES[guideline],
        strict=True,
    ):
        assert without.output_shape == whole.output_shape
        found = Counter(kinds(without))
        found.subtract(kinds(whole))
        assert {kind: n for kind, n in found.items() if n} == change


def test_slopes_and_strides():
    def of_kind(network, kind):
        return [layer for layer in network.layers if isinstance(layer, kind)]

    _, whole = dcgan_without(**SIZES)
    _, relu = dcgan_without("leaky_relu", **SIZES)
    slopes = [
        {layer.negative_slope for layer in of_kind(network, keras.layers.LeakyReLU)}
        for network in (whole, relu)
    ]
    assert slopes == [{0.2}, {0.0}]
    generator, pooled = dcgan_without("strides", **SIZES)
    for layer in of_kind(generator, keras.layers.Conv2D) + of_kind(pooled, keras.layers.Conv2D):
        if not isinstance(layer, keras.layers.Conv2DTranspose):
            assert layer.strides == (1, 1)


def test_without_normalization_all_layers_have_biases():
    for network in dcgan_without("normalization", **SIZES):
        for layer in network.layers:
            assert not layer.weights or layer.use_bias


def test_without_tanh_images_may_leave_the_range():
    generator, _ = dcgan_without("tanh", **SIZES)
    generator.weights[-1].assign([3.0])
    assert generator(LATENTS).numpy().max() > 1


def test_kernels_are_initialized_as_asked():
    generator, _ = dcgan_without("normalization", **SIZES, initializer="he_normal")
    usual, _ = dcgan_without("normalization", **SIZES)
    assert generator.weights[0].numpy().std() > 5 * usual.weights[0].numpy().std()


def test_an_unknown_guideline_is_refused():
    with pytest.raises(ValueError, match="guideline"):
        dcgan_without("depth", **SIZES)
