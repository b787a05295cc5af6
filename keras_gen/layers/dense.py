"""Dense layers that connect some inputs with some outputs alone."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments


@keras.saving.register_keras_serializable("keras_gen")
class ChannelwiseDense(keras.layers.Layer):
    """A dense layer for each feature map by itself: it connects all places, but not the maps.

    Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
    CVPR 2016, sec. 3.1. For m maps of n x n it has m n^4 weights; a fully connected layer would
    have m^2 n^4. It has no bias, because the next layer has one, or a normalization. Input and
    output: floats `[batch, height, width, channels]` of known height, width and channels.

    Example:
        >>> y = ChannelwiseDense()(tf.random.normal([2, 4, 4, 16]))
    """

    @override
    def build(self, input_shape):
        if len(input_shape) != 4 or None in input_shape[1:]:
            raise ValueError(
                f"ChannelwiseDense got the shape {tuple(input_shape)}: expected [batch, height, "
                "width, channels] of known height, width and channels."
            )
        _, height, width, channels = input_shape
        places = height * width
        preserving = keras.initializers.RandomNormal(stddev=places**-0.5)
        self.kernel = self.add_weight((channels, places, places), preserving, name="kernel")

    @override
    def call(self, maps):
        shape = tf.shape(maps)
        places = tf.reshape(maps, [shape[0], -1, maps.shape[-1]])
        mixed = tf.einsum("bic,cij->bjc", places, tf.convert_to_tensor(self.kernel))
        return tf.ensure_shape(tf.reshape(mixed, shape), maps.shape)


@keras.saving.register_keras_serializable("keras_gen")
class MaskedDense(keras.layers.Layer):
    """A dense layer whose units see only inputs of their degree or less.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4. The d-th of the values has the degree d; a unit of the degree m depends
    on the first m values. The mask sets all other entries of the kernel to zero. Floats `[batch,
    inputs]` become `[batch, units]`.

    Args:
        degrees: Of the units, integers, as many as there are units.
        input_degrees: Of the inputs, integers.
        strict: Whether a unit sees inputs of lower degrees alone, as the last layer's: the outputs
            of degree d predict the d-th value.
        activation: Name or function, of the output.
        bias_initializer: Name or object.

    Example:
        >>> layer = MaskedDense(degrees=[1, 2, 1, 2], input_degrees=[1, 2, 3], activation="relu")
        >>> layer(tf.ones([5, 3])).shape
        TensorShape([5, 4])
    """

    @checked_arguments
    def __init__(
        self,
        degrees: Sequence[int],
        input_degrees: Sequence[int],
        strict: bool = False,
        activation: str | Callable | None = None,
        bias_initializer: str | keras.initializers.Initializer = "zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not len(degrees) or not len(input_degrees):
            raise ValueError(
                f"degrees are {degrees} and input_degrees {input_degrees}: expected one integer "
                "for each unit, and for each input."
            )
        self.degrees = [int(degree) for degree in degrees]
        self.input_degrees = [int(degree) for degree in input_degrees]
        self.strict = strict
        self.activation = keras.activations.get(activation)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    @override
    def build(self, input_shape):
        inputs = len(self.input_degrees)
        if len(input_shape) != 2 or input_shape[-1] != inputs:
            raise ValueError(
                f"{self.name} found inputs of shape {tuple(input_shape)}: expected [batch, "
                f"{inputs}], one for each of the input_degrees."
            )
        units = len(self.degrees)
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs, units), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(
            name="bias", shape=(units,), initializer=self.bias_initializer
        )
        # M = 1 where m(unit) >= m(input); for the last layer, where d > m(input).
        see = np.less if self.strict else np.less_equal
        self.mask = see.outer(self.input_degrees, self.degrees).astype("float32")

    @override
    def call(self, inputs):
        kernel = self.kernel * keras.ops.cast(self.mask, self.compute_dtype)
        return self.activation(keras.ops.matmul(inputs, kernel) + self.bias)

    @override
    def compute_output_shape(self, input_shape):
        return (input_shape[0], len(self.degrees))

    @override
    def get_config(self):
        # Keras keeps no arguments by itself if one of them is an object.
        return super().get_config() | {
            "degrees": self.degrees,
            "input_degrees": self.input_degrees,
            "strict": self.strict,
            "activation": keras.activations.serialize(self.activation),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
