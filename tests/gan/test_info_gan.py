"""Codes: drawn evenly, given to the generator, asked for in samples, and found again by Q."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.gan import InfoGAN
from shared import losses_of, softplus, with_sgd

CATEGORIES, NUMBERS, LATENTS = (3, 2), 2, 4
CODES, CLASSES = sum(CATEGORIES) + NUMBERS, sum(CATEGORIES)
WEIGHTS = dict(weight=0.5, continuous_weight=0.25)


class Showing(keras.layers.Layer):
    """The image is the codes; the latents only take part."""

    def build(self, shapes):
        self.bias = self.add_weight(shape=(CODES,), initializer="zeros")

    def call(self, inputs):
        latents, codes = inputs
        return codes + self.bias + 0 * latents[:, :1]


def built(certainty=0.0, scale=None, **options):
    """D says 0; Q reads the image: so certain of its categories, and with the numbers as means."""
    outputs = CODES if scale else CODES + NUMBERS
    inputs = [keras.Input((LATENTS,)), keras.Input((CODES,))]
    generator = keras.Model(inputs, Showing()(inputs))
    x = keras.Input((CODES,))
    critic = keras.layers.Dense(1, kernel_initializer="zeros")
    q = keras.layers.Dense(outputs)
    discriminator = keras.Model(x, [critic(x), q(x)])
    kernel = np.zeros((CODES, outputs))
    kernel[range(CODES), range(CODES)] = [certainty] * CLASSES + [1.0] * NUMBERS
    q.set_weights([kernel, np.zeros(outputs)])
    options = WEIGHTS | dict(data="vectors", objective="minimax", scale=scale or 1.0) | options
    return with_sgd(InfoGAN(generator, discriminator, CATEGORIES, NUMBERS, **options), 0.0, 0.0)


def parts(codes):
    first, second, numbers = np.split(codes, [3, 5], axis=1)
    for one_hot in (first, second):
        np.testing.assert_array_equal(np.sort(one_hot, axis=1)[:, :-1], 0)
        np.testing.assert_array_equal(one_hot.sum(axis=1), 1)
    return first.argmax(axis=1), second.argmax(axis=1), numbers


def test_codes_are_drawn_evenly_and_apart():
    first, second, numbers = parts(built().sample(3000, seed=0))
    counts = np.histogram2d(first, second, [3, 2], [[0, 3], [0, 2]])[0]
    assert np.abs(counts - 500).max() < 100  # with a deviation of 20
    assert numbers.min() < -0.99 and numbers.max() > 0.99
    correlations = np.corrcoef([first, second, *numbers.T])
    assert np.abs(correlations - np.eye(4)).max() < 0.1
    assert np.abs(np.var(numbers, axis=0) - 1 / 3).max() < 0.03


def test_each_minibatch_and_the_generator_have_codes_of_their_own():
    model, batch = built(discriminator_steps=2), {"x": tf.zeros([6, CODES])}
    with training_step(model):
        minibatches = [*model.minibatches(batch), model.coded("generator", batch)]
    codes = np.concatenate([minibatch["codes"] for minibatch in minibatches])
    assert len(np.unique(codes, axis=0)) == len(codes) == 12


def test_codes_of_the_ends_of_the_noise():
    noise = tf.constant([[0.0] * 4, [0.999999] * 4])
    first, second, numbers = parts(built().codes_of(noise).numpy())
    assert first.tolist() == [0, 2] and second.tolist() == [0, 1]
    np.testing.assert_allclose(numbers, [[-1, -1], [1, 1]], atol=1e-5)


def test_a_category_can_be_asked_for():
    model, asked = built(), [2, 0, 0, 1]
    free = model.sample(4, seed=3)
    drawn = model.sample(4, seed=3, label=asked)
    first, _, _ = parts(drawn)
    assert first.tolist() == asked
    np.testing.assert_array_equal(drawn[:, 3:], free[:, 3:])  # all other codes stay
    # Nor does truncation move codes, which are no draws of a Normal.
    np.testing.assert_array_equal(model.sample(4, seed=3, truncation=0.0), free)
    with pytest.raises(ValueError, match=r"Labels range from 3 to 3"):
        model.sample(2, label=3)


def test_the_discriminator_tells_real_from_generated(rng):
    model = built()
    (critic,) = [layer for layer in model.discriminator.layers if getattr(layer, "units", 0) == 1]
    kernel = rng.normal(size=(CODES, 1))
    critic.set_weights([kernel, np.full(1, 0.5)])
    real, fake = rng.normal(size=(2, 6, CODES)).astype("float32")
    batch = {"x": real, "codes": model.codes_of(tf.zeros([6, 4]))}
    loss = model.discriminator_terms(batch, fake, "discriminator 0")["discrimination"]
    of_real, of_fake = (examples @ kernel[:, 0] + 0.5 for examples in (real, fake))
    np.testing.assert_allclose(loss, softplus(-of_real) + softplus(of_fake), rtol=1e-4)


@pytest.mark.parametrize(("certainty", "scale"), [(0.0, None), (3.0, None), (3.0, 0.5)])
def test_losses_are_the_gans_less_the_information(certainty, scale):
    model = built(certainty, scale)
    scale = scale or np.log(2) + 1e-3  # softplus(0), of numbers that are found exactly
    numbers = NUMBERS * (0.5 * np.log(2 * np.pi) + np.log(scale))
    categories = sum(np.log(1 + (n - 1) * np.exp(-certainty)) for n in CATEGORIES)
    entropy = sum(np.log(n) for n in CATEGORIES) + NUMBERS * np.log(2)
    penalty = 0.5 * categories + 0.25 * numbers
    expected = {
        "d_loss": 2 * np.log(2) + penalty,
        "g_loss": -np.log(2) + penalty,
        "information": entropy - categories - numbers,
        "categorical_loss": categories,
        "continuous_loss": numbers,
    }
    for training in (False, True):
        logs = losses_of(model, np.zeros([6, CODES], "float32"), training=training)
        assert {k: logs[k] for k in expected} == pytest.approx(expected, rel=1e-4)


def test_the_information_pulls_the_generator_towards_its_codes():
    """Numbers that are shown off by a bias come nearer in one step: along 0.25 bias / scale^2."""
    model = built()
    bias = np.array([0.0] * CLASSES + [0.5, -0.25])
    model.generator.set_weights([bias])
    model.g_optimizer.learning_rate = 0.1
    model.train_step(tf.zeros([6, CODES]))
    (after,) = model.generator.get_weights()
    expected = bias * (1 - 0.1 * 0.25 / (np.log(2) + 1e-3) ** 2)
    np.testing.assert_allclose(after, expected, atol=1e-6)


def test_q_predicts_categories_and_numbers():
    model = built(certainty=4.0)
    images = model.sample(5, seed=1)
    logits, means = model.recognize(images)
    np.testing.assert_allclose(logits, 4 * images[:, :CLASSES])
    np.testing.assert_allclose(means, images[:, CLASSES:])
    np.testing.assert_array_equal(model.generate(np.zeros((5, LATENTS)), images), images)


def test_q_sees_images_as_they_are_whatever_the_augmentation(rng):
    networks = InfoGAN.for_images((8, 8, 1), latent_dim=2, filters=2)
    model = InfoGAN(
        networks.generator, networks.discriminator, (10,), 2,
        augmentation=("color", "translation", "cutout", "affine"),
    )  # fmt: skip
    images = rng.integers(0, 256, (4, 8, 8, 1), "uint8")
    for ours, plain in zip(model.recognize(images), networks.recognize(images), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_real_and_generated_images_are_normalized_together(rng):
    model = InfoGAN.for_images((8, 8, 1), latent_dim=2, filters=2)
    real, fake = rng.normal(size=(2, 4, 8, 8, 1)).astype("float32") * [[[[[1]]]], [[[[0.1]]]]]
    with training_step(model):
        together = model.discriminate_together({"x": real}, fake)
    real_logits, fake_logits, found = together
    logits, codes = model.discriminator(np.concatenate([real, fake]), training=True)
    np.testing.assert_allclose(np.concatenate([real_logits, fake_logits]), logits, rtol=1e-5)
    np.testing.assert_allclose(found, codes[4:], rtol=1e-5)
    alone = model.discriminator(fake, training=True)[1]
    assert np.abs(found - alone).max() > 0.01


def test_categories_alone():
    model = InfoGAN.for_images((8, 8, 1), latent_dim=2, filters=2, categories=(3,), continuous=0)
    assert model.discriminator.outputs[1].shape[1] == 3
