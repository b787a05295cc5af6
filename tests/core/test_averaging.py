"""Evaluation with averaged weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import (
    GenerativeModel,
    Player,
    averaged_weights,
    forget_start,
    minimize,
    take_weights,
)
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.gan import GAN
from keras_gen.networks import dcgan_discriminator, dcgan_generator

MOMENTUM = 0.8


def gan(**average):
    shape = (8, 8, 1)
    model = GAN(dcgan_generator(shape, 2, filters=2), dcgan_discriminator(shape, filters=2))
    model.compile(
        d_optimizer=keras.optimizers.SGD(0.1), g_optimizer=keras.optimizers.SGD(0.1, **average)
    )
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


def test_without_its_start_the_average_is_that_of_the_trained_weights_alone():
    model, recorder = gan(use_ema=True, ema_momentum=MOMENTUM), Recorder()
    forget_start(model.g_optimizer)
    model.fit(IMAGES, batch_size=1, verbose=0, callbacks=[recorder])
    shares = MOMENTUM ** np.arange(len(recorder.path))[::-1]
    with averaged_weights(model):
        for found, *path in zip(weights(model.generator), *recorder.path, strict=True):
            expected = np.average(path, axis=0, weights=shares)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_saved_model_forgets_the_start_too(scaled, tmp_path):
    path, averages = tmp_path / "gan.keras", []
    for saved in (False, True):
        keras.utils.set_random_seed(0)
        model = gan(use_ema=True, ema_momentum=MOMENTUM)
        if scaled:
            sgd = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=MOMENTUM)
            model.compile(d_optimizer="sgd", g_optimizer=keras.optimizers.LossScaleOptimizer(sgd))
        forget_start(model.g_optimizer)
        model.fit(IMAGES, batch_size=2, verbose=0, shuffle=False)
        if saved:
            model.save(path)
            model = keras.saving.load_model(path)
        model.fit(IMAGES, batch_size=2, verbose=0, shuffle=False)
        with averaged_weights(model):
            averages.append(weights(model.generator))
    for found, expected in zip(*averages, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_an_optimizer_without_averages_has_no_start():
    with pytest.raises(ValueError, match="keeps no averages: expected use_ema=True"):
        forget_start(keras.optimizers.SGD())


@pytest.mark.thorough
def test_weights_that_are_taken_are_the_average_too():
    model, other = gan(use_ema=True, ema_momentum=MOMENTUM), gan()
    model.fit(IMAGES, batch_size=1, verbose=0)
    take_weights(model, other)
    for network in ("generator", "discriminator"):
        np.testing.assert_equal(weights(getattr(model, network)), weights(getattr(other, network)))
    with averaged_weights(model):
        np.testing.assert_equal(weights(model.generator), weights(other.generator))


def test_trained_weights_come_back_after_an_error():
    model = gan(use_ema=True, ema_momentum=MOMENTUM)
    model.fit(IMAGES, batch_size=1, verbose=0)
    trained = weights(model.generator)
    with pytest.raises(RuntimeError, match="drawing failed"), averaged_weights(model):
        raise RuntimeError("drawing failed")
    np.testing.assert_equal(weights(model.generator), trained)


def test_overlapping_blocks_keep_the_trained_weights():
    """As of two threads of a server: the first block ends while the second one is open."""
    model = gan(use_ema=True, ema_momentum=MOMENTUM)
    model.fit(IMAGES, batch_size=1, verbose=0)
    trained = weights(model.generator)
    first, second = averaged_weights(model), averaged_weights(model)
    with first:
        averages = weights(model.generator)
        second.__enter__()
    np.testing.assert_equal(weights(model.generator), averages)
    second.__exit__(None, None, None)
    np.testing.assert_equal(weights(model.generator), trained)
    with averaged_weights(model):
        np.testing.assert_equal(weights(model.generator), averages)
    np.testing.assert_equal(weights(model.generator), trained)


class Line(GenerativeModel):
    """Minimizes the output of two layers."""

    def __init__(self):
        super().__init__()
        layers = [keras.Input((1,)), keras.layers.Dense(1), keras.layers.Dense(1)]
        self.network = keras.Sequential(layers)

    def players(self):
        return {"optimizer": Player([self.network])}

    def train_step(self, data):
        loss = minimize(lambda: tf.reduce_sum(self.network(data), -1), self.optimizer, self.network)
        return self.report(loss=loss)

    def trained(self, steps=3):
        """All weights, their values after some steps, and the average of those after each step."""
        sgd = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=MOMENTUM)
        self.compile(optimizer=sgd)
        every, average = self.network.variables, None
        for _ in range(steps):
            self.train_step(tf.ones([2, 1]))
            now = [w.numpy() for w in every]
            pairs = zip(average or now, now, strict=True)
            average = [MOMENTUM * a + (1 - MOMENTUM) * w for a, w in pairs]
        return every, now, average


def test_layers_that_were_frozen_since_are_averaged_too():
    model = Line()
    every, trained, average = model.trained()
    model.network.layers[0].trainable = False
    with averaged_weights(model):
        for weight, expected, last in zip(every, average, trained, strict=True):
            np.testing.assert_allclose(weight, expected, rtol=1e-5)
            assert not np.array_equal(weight, last)
    for weight, last in zip(every, trained, strict=True):
        np.testing.assert_array_equal(weight, last)


def test_averages_are_found_under_a_loss_scale():
    keras.config.set_dtype_policy("mixed_float16")
    model = Line()
    every, trained, average = model.trained()
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    with averaged_weights(model):
        for weight, expected in zip(every, average, strict=True):
            np.testing.assert_allclose(weight, expected, rtol=1e-5)
    for weight, last in zip(every, trained, strict=True):
        np.testing.assert_array_equal(weight, last)


@pytest.mark.parametrize("scaled", [False, True])
def test_fit_keeps_the_trained_weights(scaled):
    """Keras would overwrite them with their averages at the end, also under a loss scale."""
    sgd = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=MOMENTUM)
    model, found = Line(), []
    model.edges["x"] = Vectors((1,))
    model.compile(optimizer=keras.optimizers.LossScaleOptimizer(sgd) if scaled else sgd)
    last = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: found.append(model.network.get_weights())
    )
    model.fit(tf.ones([8, 1]), batch_size=2, verbose=0, callbacks=[last])
    for weight, expected in zip(model.network.get_weights(), found[-1], strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_compile_and_steps_leave_the_methods_of_an_optimizer_alone():
    """It is its user's, who may use it elsewhere."""
    options = dict(use_ema=True, gradient_accumulation_steps=2, clipnorm=0.1)
    sgd = keras.optimizers.SGD(0.1, **options)
    model = Line()
    model.compile(optimizer=sgd)
    model.train_step(tf.ones([2, 1]))
    assert model.optimizer is sgd
    assert not [name for name, value in vars(sgd).items() if callable(value) and "_" in name[:1]]


@pytest.mark.parametrize("overwrite", [None, 2])
@pytest.mark.parametrize("forget", [False, True])
def test_accumulated_gradients_are_averaged_as_a_large_batch(forget, overwrite):
    found = []
    for accumulated in (None, 2):
        keras.utils.set_random_seed(0)
        model = Line()
        options = dict(ema_momentum=MOMENTUM, ema_overwrite_frequency=overwrite)
        sgd = keras.optimizers.SGD(
            0.1, use_ema=True, gradient_accumulation_steps=accumulated, **options
        )
        if forget:
            forget_start(sgd)
        model.compile(optimizer=sgd)
        for _ in range(5 * (accumulated or 1)):
            model.train_step(tf.ones([2, 1]))
        with averaged_weights(model):
            found += [model.network.get_weights()]
        found[-1] += model.network.get_weights()
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
