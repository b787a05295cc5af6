"""Dense layers in which each output is connected to only some of the inputs."""

from collections.abc import Sequence
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_list
from keras_gen.declared import DeclaredLayer
from keras_gen.layers.layer_arguments import Activation, Initializer, require_input


def _degrees(name: str, value: Any) -> list[int]:
    degrees = [checked_integer(name, degree) for degree in checked_list(name, value)]
    if not degrees:
        raise ValueError(f"{name} is empty: expected one integer for each unit or input.")
    return degrees


Degrees = Annotated[Sequence[int], _degrees]


@keras.saving.register_keras_serializable("keras_gen")
class ChannelwiseDense(keras.layers.Layer):
    """A separate dense layer for each feature map, which connects all positions within the map.

    Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
    CVPR 2016, sec. 3.1. For m maps of size n x n, this layer has m n^4 weights; a fully connected
    layer would have m^2 n^4 weights. This layer has no bias, because the next layer has a bias or a
    normalization. Input and output are floats `[batch, height, width, channels]` with known height,
    width, and channels.

    Example:
        >>> y = ChannelwiseDense()(tf.random.normal([2, 4, 4, 16]))
    """

    @override
    def build(self, input_shape):
        right = len(input_shape) == 4 and None not in input_shape[1:]
        expected = "[batch, height, width, channels] with known height, width, and channels"
        require_input(self, input_shape, right, expected)
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
class MaskedDense(DeclaredLayer):
    """A dense layer in which each unit sees only inputs whose degree is at most the unit's degree.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4. The d-th value has degree d, and a unit of degree m depends on the
    first m values. The mask sets all other kernel entries to zero. Floats `[batch, inputs]` become
    `[batch, units]`.

    Args:
        degrees: Degrees of the units, one integer per unit.
        input_degrees: Degrees of the inputs, one integer per input.
        strict: Whether a unit sees only inputs of a lower degree, as required in the last layer,
            where outputs of degree d predict the d-th value.
        activation: Name of the output's activation, or a function.
        bias_initializer: Initializer of the bias: a name or an object.
        kernel_initializer: Initializer of the kernel: a name or an object.

    Example:
        >>> layer = MaskedDense(degrees=[1, 2, 1, 2], input_degrees=[1, 2, 3], activation="relu")
        >>> layer(tf.ones([5, 3])).shape
        TensorShape([5, 4])
    """

    degrees: Degrees
    input_degrees: Degrees
    strict: bool = False
    activation: Activation = None
    bias_initializer: Initializer = "zeros"
    kernel_initializer: Initializer = "glorot_uniform"

    @override
    def build(self, input_shape):
        inputs = len(self.input_degrees)
        right = len(input_shape) == 2 and input_shape[-1] == inputs
        expected = f"[batch, {inputs}], with one value for each of the input_degrees"
        require_input(self, input_shape, right, expected)
        units = len(self.degrees)
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs, units), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(
            name="bias", shape=(units,), initializer=self.bias_initializer
        )
        # The mask M is 1 where m(unit) >= m(input), or in the last layer, where d > m(input).
        see = np.less if self.strict else np.less_equal
        self.mask = see.outer(self.input_degrees, self.degrees).astype("float32")

    @override
    def call(self, inputs):
        kernel = self.kernel * keras.ops.cast(self.mask, self.compute_dtype)
        return self.activation(keras.ops.matmul(inputs, kernel) + self.bias)

    @override
    def compute_output_shape(self, input_shape):
        return (input_shape[0], len(self.degrees))
