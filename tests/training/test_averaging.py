"""Evaluation with averaged weights."""

import keras
import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.gan import GAN
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.training import averaged_weights

MOMENTUM = 0.8


def gan(**average):
    shape = (8, 8, 1)
    model = GAN(dcgan_generator(shape, 2, filters=2), dcgan_discriminator(shape, filters=2))
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1, **average))
    return model


def weights(network):
    return [w.numpy() for w in network.trainable_variables]


IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), "uint8")


class Recorder(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.path = []

    def on_train_batch_end(self, batch, logs=None):
        self.path.append(weights(self.model.generator))


def test_equals_the_average_computed_by_hand():
    model, recorder = gan(use_ema=True, ema_momentum=MOMENTUM), Recorder()
    model.fit(IMAGES, batch_size=1, verbose=0, callbacks=[recorder])
    average = recorder.path[0]
    for step in recorder.path[1:]:
        average = [MOMENTUM * a + (1 - MOMENTUM) * w for a, w in zip(average, step, strict=True)]
    trained, critic = weights(model.generator), weights(model.discriminator)
    with averaged_weights(model) as inside:
        assert inside is model
        for a, b, c in zip(weights(model.generator), average, trained, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-8)
            assert (a != c).any()
        np.testing.assert_equal(weights(model.discriminator), critic)  # keeps no average
    np.testing.assert_equal(weights(model.generator), trained)


def test_trained_weights_come_back_after_an_error():
    model = gan(use_ema=True, ema_momentum=MOMENTUM)
    model.fit(IMAGES, batch_size=1, verbose=0)
    trained = weights(model.generator)
    with pytest.raises(RuntimeError, match="drawing failed"), averaged_weights(model):
        raise RuntimeError("drawing failed")
    np.testing.assert_equal(weights(model.generator), trained)


def test_without_averages_nothing_changes():
    model = gan()
    model.fit(IMAGES, batch_size=1, verbose=0)
    trained = weights(model.generator)
    with averaged_weights(model):
        np.testing.assert_equal(weights(model.generator), trained)


def test_before_training_the_weights_are_the_average():
    model = TINY["CycleGAN"].compiled()
    start = weights(model)
    with averaged_weights(model):
        np.testing.assert_equal(weights(model), start)
