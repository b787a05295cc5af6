"""L_S and L_C of AC-GANs against numpy, for networks of one dense layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.gan import ACGAN
from keras_gen.networks import with_head
from shared import losses_of, softplus, with_sgd

LATENTS, CLASSES, VALUES, RATE = 2, 3, 4, 0.4


def dense(size, units, name):
    inputs = keras.Input((size,))
    return keras.Model(inputs, keras.layers.Dense(units, name=name)(inputs), name=name)


def built(rate=RATE, **options):
    """The latents only take part, so that what is generated depends on the label alone."""
    inputs = [keras.Input((LATENTS,)), keras.Input((), dtype="int32")]
    one_hot = keras.ops.one_hot(inputs[1], CLASSES)
    both = keras.ops.concatenate([0 * inputs[0], one_hot], axis=1)
    generator = keras.Model(inputs, keras.layers.Dense(VALUES, name="made")(both))
    critic = with_head(dense(VALUES, 1, "source"), CLASSES, "classes")
    for network in (generator, critic):
        for weight in network.weights:
            weight.assign(np.random.default_rng(weight.shape[-1]).normal(size=weight.shape))
    model = ACGAN(generator, critic, CLASSES, data="vectors", **options)
    return with_sgd(model, rate, rate)


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def kernels(model):
    places = (
        model.generator.get_layer("made"),
        *map(model.discriminator.get_layer, ("source", "classes")),
    )
    return [layer.get_weights() for layer in places]


@pytest.fixture
def batch(rng):
    return rng.normal(size=(5, VALUES)).astype("float32"), np.array([0, 2, 1, 2, 2])


def test_both_players_gain_by_the_right_class(batch):
    x, labels = batch
    model = built(rate=0.0)
    (W, b), (v, c), (V, C) = kernels(model)
    fake = W[LATENTS + labels] + b
    rows = np.arange(len(x))
    entropies = [-log_softmax(images @ V + C)[rows, labels].mean() for images in (x, fake)]
    source = softplus(-(x @ v + c)).mean() + softplus(fake @ v + c).mean()
    expected = {
        "d_loss": source + sum(entropies),
        "g_loss": softplus(-(fake @ v + c)).mean() + entropies[1],
        "real_class_loss": entropies[0],
        "fake_class_loss": entropies[1],
    }
    for training in (False, True):
        logs = losses_of(model, x, labels, training=training)
        assert {k: logs[k] for k in expected} == pytest.approx(expected, rel=1e-5)


def test_the_classifier_learns_of_real_and_of_generated_images(batch):
    x, labels = batch
    model = built()
    (W, b), _, (V, C) = kernels(model)
    model.train_step((tf.constant(x), tf.constant(labels)))
    slope = np.zeros_like(V)
    for images in (x, W[LATENTS + labels] + b):
        error = np.exp(log_softmax(images @ V + C)) - np.eye(CLASSES)[labels]
        slope += images.T @ error / len(x)
    np.testing.assert_allclose(kernels(model)[2][0], V - RATE * slope, rtol=1e-4, atol=1e-6)


def test_objectives_that_compare_are_shown_real_images_too(batch):
    x, labels = batch
    model = built(rate=0.0, objective="relativistic")
    (W, b), (v, _), (V, C) = kernels(model)
    fake = W[LATENTS + labels] + b
    logs = losses_of(model, x, labels)
    entropy = -log_softmax(fake @ V + C)[np.arange(5), labels].mean()
    expected = softplus(x @ v - fake @ v).mean() + entropy
    assert logs["g_loss"] == pytest.approx(expected, rel=1e-5)
