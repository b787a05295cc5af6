"""Affine maps whose scale and shift depend on half of the values or on a condition."""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from typing_extensions import override

from keras_gen.declared import Count, DeclaredLayer
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.layers.layer_arguments import require_pair


@keras.saving.register_keras_serializable("keras_gen")
class AffineCoupling(InvertibleLayer):
    """Scales and shifts half of the values by amounts that a network computes from the other half.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 3.2 to 3.4.
    The mask b in eq. (9) selects the unchanged half; eqs. (4) and (5) are a special case of eq.
    (9). The log scale is a tanh times a learned factor (sec. 4.1). The factor starts at 1, so a
    network whose initial output is zero, as in Glow (Kingma, Dhariwal 2018, sec. 3.3), still has a
    gradient. Input and output are float32 `[batch, values]` or `[batch, height, width, channels]`.

    Args:
        network: Built functional `keras.Model`. The model's input is the masked values
            `[batch, ...]`, in which the other half is 0, or a list of these values and the
            condition. The model returns a list of the scale and the shift, each with the shape of
            x. Scale and shift are ignored where b is 1. With the mask "channels", the network may
            instead accept only the unchanged channels and return the scale and the shift of the
            other channels, which costs half as much.
        mask: Half that remains unchanged. `"channels"`: the first half of the channels, or of the
            values in `[batch, values]`. `"checkerboard"`: every other pixel, or every other value.
        flip: Whether to swap the halves, as in every other layer of a chain.

    Example:
        >>> passive = keras.Input([2])
        >>> heads = [keras.layers.Dense(2, kernel_initializer="zeros")(passive) for _ in range(2)]
        >>> y, log_det, _ = AffineCoupling(keras.Model(passive, heads))(tf.random.normal([5, 2]))
    """

    network: keras.Model
    mask: Literal["channels", "checkerboard"] = "channels"
    flip: bool = False

    @override
    def build(self, input_shape):
        self._stays = self._make_mask(tuple(input_shape[1:]))
        count = input_shape[-1]
        # Numbers of channels in the first half and in the last half, for the channel mask.
        sizes = [count // 2, count - count // 2]
        unchanged = sizes[1] if self.flip else sizes[0]
        alone = self.mask == "channels" and self.network.inputs[0].shape[-1] == unchanged
        self._sizes = sizes if alone else None
        count -= unchanged if alone else 0
        channels = [output.shape[-1] for output in self.network.outputs]
        require_pair(self.network, channels, count, "channels of scale and shift")
        self.factor = self.add_weight(name="factor", shape=(), initializer="ones")

    @property
    @override
    def condition_shape(self):
        _, *conditions = self.network.inputs
        return tuple(conditions[0].shape[1:]) if conditions else None

    @override
    def call(self, x, condition=None, training=False):
        passive, active = self._halves(x)
        log_scale, shift = self._parameters(passive, condition, training)
        # Eqs. (4), (5): where b is 1, log scale and shift are 0. Eq. (6): the determinant.
        log_det = tf.reduce_sum(log_scale, axis=list(range(1, log_scale.shape.rank)))
        return self._joined(passive, active * tf.exp(log_scale) + shift), log_det, ()

    @override
    def inverse(self, y, condition=None):
        passive, active = self._halves(y)
        log_scale, shift = self._parameters(passive, condition, training=False)
        return self._joined(passive, (active - shift) * tf.exp(-log_scale))  # eqs. (7), (8)

    def _halves(self, x):
        """Returns the network's input and the values to change, which may be all values."""
        if self._sizes is None:
            return self._stays * x, x
        # `tf.split` is faster than two slices, because its gradient is one concatenation.
        first, last = tf.split(x, self._sizes, axis=-1)
        return (last, first) if self.flip else (first, last)

    def _joined(self, passive, changed):
        if self._sizes is None:
            return changed
        return tf.concat([changed, passive] if self.flip else [passive, changed], -1)

    def _parameters(self, passive, condition, training):
        inputs = passive if self.condition_shape is None else [passive, condition]
        outputs = self.network(inputs, training=training)
        scale = tf.cast(outputs[0], tf.float32)
        shift = tf.cast(outputs[1], tf.float32)
        log_scale = self.factor.value * tf.tanh(scale)
        if self._sizes is None:
            active = 1 - self._stays
            return active * log_scale, active * shift
        return log_scale, shift

    def _make_mask(self, shape):
        """Returns b in eq. (9): float32 `[channels]`, `[values]`, or `[height, width, 1]`."""
        by_pixel = self.mask == "checkerboard" and len(shape) > 1
        sides = shape[:-1] if by_pixel else shape[-1:]
        if None in sides:
            raise ValueError(
                f"AffineCoupling got examples of shape {shape}: expected known sizes for the "
                f"mask '{self.mask}'."
            )
        if self.mask == "checkerboard":
            stays = np.indices(sides).sum(axis=0) % 2
        else:
            stays = np.arange(*sides) < sides[0] // 2
        if stays.min() == stays.max():
            raise ValueError(
                f"AffineCoupling got examples of shape {shape}, which the mask '{self.mask}' "
                "cannot divide into two halves: use the other mask, or larger examples."
            )
        stays = (stays != self.flip).astype("float32")
        return stays[..., None] if by_pixel else stays


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalAffine(InvertibleLayer):
    """Shifts and scales each value by amounts that a network computes from the condition.

    Winkler, Worrall, Hoogeboom, Welling: "Learning Likelihoods with Conditional Normalizing Flows",
    2019. The prior of the latents depends on the condition: p(z | c) = N(mean(c), exp(log
    scale(c))^2). The prior is implemented as the last map in a chain, y = (x - mean(c)) / scale(c),
    so latents are standard normal under every condition. Input and output are float32 `[batch,
    ...]`.

    Args:
        network: Built functional `keras.Model` that maps conditions `[batch, ...]` to a list of the
            mean and the log scale, each with the same shape as x.

    Example:
        >>> condition = keras.Input([3])
        >>> heads = [keras.layers.Dense(2, kernel_initializer="zeros")(condition) for _ in range(2)]
        >>> layer = ConditionalAffine(keras.Model(condition, heads))
        >>> y, log_det, _ = layer(tf.random.normal([5, 2]), condition=tf.ones([5, 3]))
    """

    network: keras.Model

    @override
    def build(self, input_shape):
        expected = tuple(input_shape[1:])
        shapes = [tuple(output.shape[1:]) for output in self.network.outputs]
        require_pair(self.network, shapes, expected, "mean and log scale")

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


@keras.saving.register_keras_serializable("keras_gen")
class ZeroConvolution(DeclaredLayer):
    """A convolution whose weights start at 0, with a learned factor per output channel.

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, sec.
    3.3. The last convolution of a coupling network starts at zero, so the coupling starts as the
    identity. The factor is exp(3 log_factor), as in the authors' code, so outputs can grow fast
    although each weight changes only slightly. Input and output are `[batch, height, width,
    channels]` with the same height and width.

    Args:
        filters: Number of output channels.
        kernel_size: Side length of the kernel.

    Example:
        >>> y = ZeroConvolution(8)(keras.random.normal([2, 4, 4, 6]))  # [2, 4, 4, 8]
    """

    filters: Count
    kernel_size: Count = 3

    @override
    def set_up(self):
        # This is not a subclass of a Keras convolution, because Keras convolutions save only their
        # own weights.
        self.convolution = keras.layers.Conv2D(
            self.filters,
            self.kernel_size,
            padding="same",
            kernel_initializer="zeros",
            dtype=self.dtype_policy,
        )

    @override
    def build(self, input_shape):
        self.convolution.build(input_shape)
        shape = (self.filters,)
        self.log_factor = self.add_weight(name="log_factor", shape=shape, initializer="zeros")

    @override
    def call(self, inputs):
        return self.convolution(inputs) * ops.exp(3.0 * self.log_factor)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)
