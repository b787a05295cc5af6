"""What several test files need for networks and for steps."""

import contextlib
import wave

import keras
import numpy as np
import tensorflow as tf

from keras_gen.core import training_step


@contextlib.contextmanager
def eagerly():
    """Runs graphs of capabilities eagerly: with few examples, a call is shorter than a trace."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def independent_seeds(model) -> None:
    """Lets equal examples of a score have other noise, to see how it is distributed."""

    def seeds(x, use="score"):
        numbers = tf.range(tf.shape(x, tf.int64)[0])
        return tf.stack([tf.ones_like(numbers), numbers], axis=1)

    model.score_seeds = seeds


def dropping_network() -> keras.Sequential:
    """Images to images, with layers that behave differently in training."""
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            keras.Input([None, None, 3]),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Conv2D(3, 1, activation="tanh"),
        ]
    )
    network.layers[1].moving_mean.assign([1.0, -1.0, 0.5, 0.0])
    return network


def one_dense(kernel, bias=None) -> keras.Sequential:
    """x @ kernel + bias; without a bias, no weight of it."""
    kernel = np.asarray(kernel)
    dense = keras.layers.Dense(kernel.shape[1], use_bias=bias is not None)
    network = keras.Sequential([keras.Input(kernel.shape[:1]), dense])
    network.set_weights([kernel] if bias is None else [kernel, np.asarray(bias)])
    return network


def line(value=2.0) -> keras.Sequential:
    """y = w x with w = `value`."""
    return one_dense([[value]])


def slope(network) -> float:
    """w of a line."""
    return float(network.get_weights()[0][0, 0])


def linear_classifier(shape, kernel) -> keras.Model:
    """Examples to the logits (0, w.x) of two classes."""
    examples = keras.Input(shape)
    layer = keras.layers.Dense(2, use_bias=False)
    network = keras.Model(examples, layer(keras.layers.Flatten()(examples)))
    weights = np.ravel(kernel)
    layer.set_weights([np.stack([np.zeros(len(weights)), weights], axis=1)])
    return network


def with_sgd(model, *rates, **options):
    """Compiles a model with plain gradient descent of these rates, one for each player."""
    each = dict(zip(model.players(), map(keras.optimizers.SGD, rates), strict=True))
    model.compile(**each, **options)
    return model


def levels(values):
    """The uint8 images of values in [-1, 1]."""
    return np.clip(np.round((np.asarray(values) + 1) * 127.5), 0, 255)


def softplus(x):
    """log(1 + e^x)."""
    return np.logaddexp(0, x)


def step_noise(model, use, shape, training=True, draw="normal") -> np.ndarray:
    """What one use of noise draws in the next step of training, or of evaluation."""
    with training_step(model) if training else contextlib.nullcontext():
        return getattr(model, draw)(use, shape).numpy()


def losses_of(model, *data, training=False):
    """What one step reports, and not the running means."""
    model.reset_metrics()
    step = model.train_step if training else model.test_step
    logs = step(tuple(tf.constant(array) for array in data))
    return {name: float(value) for name, value in logs.items()}


def samples_of(path, rate) -> np.ndarray:
    """The samples of a WAV file of one channel, 16 bits, and this rate."""
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, rate)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")
