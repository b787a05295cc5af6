"""Networks that are right: for normal data."""

import keras
import tensorflow as tf

from keras_gen.diffusion.paths import Parts


class BestForNormalData(keras.layers.Layer):
    """What the best network predicts of points of N(0, deviation^2) data, whose parts are known."""

    def __init__(self, path, quantity, deviation):
        super().__init__()
        self.of, self.quantity, self.deviation = path, quantity, deviation

    def call(self, inputs):
        x_t, t = inputs
        wide = tf.reshape(t, [-1, *[1] * (x_t.shape.rank - 1)])
        alpha, sigma = self.of.alpha(wide), self.of.sigma(wide)
        scaled = x_t / ((alpha * self.deviation) ** 2 + sigma**2)
        parts = Parts(alpha * self.deviation**2 * scaled, sigma * scaled)
        return self.of.quantity(self.quantity, t, parts)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def best_network(path, quantity, shape=(2,), deviation=1.0) -> keras.Model:
    inputs = [keras.Input(shape), keras.Input(())]
    return keras.Model(inputs, BestForNormalData(path, quantity, deviation)(inputs))


def linear(factor, width=2):
    """The velocity factor x, at all times."""
    x, t = keras.Input((width,)), keras.Input(())
    return keras.Model([x, t], keras.layers.Rescaling(factor)(x))
