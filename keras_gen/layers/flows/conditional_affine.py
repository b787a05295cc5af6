"""A scale and shift that the condition determines."""

import copy

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.flows.invertible_layer import InvertibleLayer


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalAffine(InvertibleLayer):
    """Shifts and scales each value, as a network of the condition determines.

    Winkler, Worrall, Hoogeboom, Welling: "Learning Likelihoods with Conditional Normalizing Flows",
    2019: the prior of the latents depends on the condition, p(z | c) = N(mean(c), exp(log
    scale(c))^2). It is written as a map, y = (x - mean(c)) / scale(c), the last one of a chain, so
    that latents are standard Normals under every condition. Input and output: float32 `[batch,
    ...]`.

    Args:
        network: Built functional `keras.Model` from conditions `[batch, ...]` to the list of (mean,
            log scale), each of the shape of x.

    Example:
        >>> condition = keras.Input([3])
        >>> heads = [keras.layers.Dense(2, kernel_initializer="zeros")(condition) for _ in range(2)]
        >>> layer = ConditionalAffine(keras.Model(condition, heads))
        >>> y, log_det, _ = layer(tf.random.normal([5, 2]), condition=tf.ones([5, 3]))
    """

    @checked_arguments
    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.network = network

    @override
    def build(self, input_shape):
        expected = tuple(input_shape[1:])
        shapes = [tuple(output.shape[1:]) for output in self.network.outputs]
        if shapes != [expected] * 2:
            raise ValueError(
                f"The network '{self.network.name}' of the condition has outputs of the shapes "
                f"{shapes}: expected two, mean and log scale, of {expected} each."
            )

    @property
    @override
    def condition_shape(self):
        return tuple(self.network.inputs[0].shape[1:])

    @override
    def call(self, x, condition=None, training=False):
        mean, log_scale = self._parameters(condition, training)
        log_det = -tf.reduce_sum(log_scale, axis=list(range(1, log_scale.shape.rank)))
        return (x - mean) * tf.exp(-log_scale), log_det, ()

    @override
    def inverse(self, y, condition=None):
        mean, log_scale = self._parameters(condition, training=False)
        return y * tf.exp(log_scale) + mean

    def _parameters(self, condition, training):
        mean, log_scale = self.network(condition, training=training)
        return tf.cast(mean, tf.float32), tf.cast(log_scale, tf.float32)

    @override
    def get_config(self) -> dict:
        network = keras.saving.serialize_keras_object(self.network)
        return super().get_config() | {"network": network}

    @classmethod
    @override
    def from_config(cls, config: dict):
        config = copy.deepcopy(config)  # Keras empties what it reads.
        return cls(keras.saving.deserialize_keras_object(config.pop("network")), **config)
