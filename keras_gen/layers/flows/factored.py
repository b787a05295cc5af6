"""A layer for latents at several scales."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.layers.layer_arguments import require_input, require_pair


@keras.saving.register_keras_serializable("keras_gen")
class Factored(InvertibleLayer):
    """Outputs some channels as latents, and passes the other channels through the rest of a flow.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 3.6, eqs.
    (14) to (16). Coarser scales require less memory and time, and the loss reaches the latents at
    all scales directly. The input is float32 `[batch, ..., channels]`, with at least 2 channels.
    The output contains the latents of this layer, followed by the latents of the rest of the flow.
    The latents are returned as one vector, `[batch, values]`, or concatenated as channels. The
    layer must be the last layer in a chain.

    With a network, the prior of this layer's latents depends on the remaining channels, as in
    Glow's authors' code (Kingma, Dhariwal 2018): p(z | h) = N(mean(h), exp(log scale(h))^2). The
    prior is implemented as a map: the layer outputs (z - mean) / scale, so all latents are standard
    normal.

    Args:
        rest: Flow applied to the remaining channels, which come first, such as a `Chain` for the
            next scale. This flow may end with its own `Factored`.
        network: Built functional `keras.Model` that maps the remaining channels to a list of the
            mean and the log scale, each with the same shape as the output channels. If None, the
            mean is 0 and the scale is 1.
        leaving: Number of channels to output, which are the last channels of the input. If None,
            half of the channels are output.
        flat: Whether the output is one vector. If False, the latents are concatenated as channels,
            `[batch, ..., channels]`, which allows inputs of any size but requires that `rest` not
            change the size.

    Example:
        >>> layer = Factored(Squeeze())
        >>> y, _, _ = layer(tf.random.normal([2, 4, 4, 2]))  # [2, 16 + 16]
    """

    rest: InvertibleLayer
    network: keras.Model | None = None
    leaving: Count | None = None
    flat: bool = True

    @override
    def build(self, input_shape):
        *places, channels = input_shape[1:]
        right = channels is not None and channels > 1 and not (self.flat and None in places)
        expected = "[batch, ..., channels] of known sizes, with 2 or more channels"
        require_input(self, input_shape, right, f"{expected}; flat=False accepts any sizes")
        leaving = channels // 2 if self.leaving is None else self.leaving
        some = f"more than {leaving} channels, the number of channels that are factored out"
        require_input(self, input_shape, leaving < channels, some)
        self._stay = channels - leaving
        self._leaving_shape = (*places, leaving)
        stay_shape = (*places, self._stay)
        if not self.rest.built:
            self.rest.build((None, *stay_shape))
        self._rest_shape = tuple(self.rest.y_shape((None, *stay_shape))[1:])
        if not self.flat and self._rest_shape[:-1] != tuple(places):
            raise ValueError(
                f"The layer rest maps {stay_shape} to {self._rest_shape}: expected every axis "
                "except the channels to keep its size, because the latents are concatenated as "
                "channels. Use flat=True."
            )
        if self.network is not None:
            shapes = [tuple(output.shape[1:]) for output in self.network.outputs]
            require_pair(self.network, shapes, self._leaving_shape, "mean and log scale")

    @override
    def call(self, x, condition=None, training=False):
        # `tf.split` is faster than two slices, because its gradient is one concatenation.
        stay, leaving = tf.split(x, [self._stay, self._leaving_shape[-1]], axis=-1)
        log_det = 0.0
        if self.network is not None:
            mean, log_scale = self._prior(stay, training)
            leaving = (leaving - mean) * tf.exp(-log_scale)
            log_det = -tf.reduce_sum(log_scale, list(range(1, log_scale.shape.rank)))
        # Eq. (14): (z, h) = f(h).
        latents, change, statistics = self.rest(stay, condition=condition, training=training)
        # Eq. (16): latents of all scales.
        if self.flat:
            leaving = tf.reshape(leaving, [-1, math.prod(self._leaving_shape)])
            latents = tf.reshape(latents, [-1, math.prod(self._rest_shape)])
        return tf.concat([leaving, latents], -1), change + log_det, statistics

    @override
    def inverse(self, y, condition=None):
        first = math.prod(self._leaving_shape) if self.flat else self._leaving_shape[-1]
        leaving = y[..., :first]
        latents = y[..., first:]
        if self.flat:
            leaving = tf.reshape(leaving, [-1, *self._leaving_shape])
            latents = tf.reshape(latents, [-1, *self._rest_shape])
        stay = self.rest.inverse(latents, condition)
        if self.network is not None:
            mean, log_scale = self._prior(stay, training=False)
            leaving = leaving * tf.exp(log_scale) + mean
        return tf.concat([stay, leaving], -1)

    def _prior(self, stay, training):
        mean, log_scale = self.network(stay, training=training)
        return tf.cast(mean, tf.float32), tf.cast(log_scale, tf.float32)

    @override
    def after_update(self, statistics):
        self.rest.after_update(statistics)

    @override
    def y_shape(self, x_shape):
        return (x_shape[0], math.prod(x_shape[1:])) if self.flat else tuple(x_shape)

    @property
    @override
    def condition_shape(self):
        return self.rest.condition_shape

    @override
    def parts(self, x_shape):
        alone = Factored(_Same(), self.network, self.leaving, self.flat)
        alone.build(x_shape)
        return [(alone, tuple(x_shape)), *self.rest.parts((*x_shape[:-1], self._stay))]


class _Same(InvertibleLayer):
    """y = x."""

    @override
    def call(self, x, condition=None, training=False):
        return x, tf.zeros(tf.shape(x)[:1]), ()

    @override
    def inverse(self, y, condition=None):
        return y
