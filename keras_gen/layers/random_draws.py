"""Layers whose noise does not depend on the number of replicas."""

import random
from typing import cast

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core import noise
from keras_gen.declared import Count, DeclaredLayer, argument
from keras_gen.layers.layer_arguments import FractionBelow1


class DrawingLayer(DeclaredLayer):
    """Base class for layers whose noise depends on a seed and on a counter stored as a weight.

    `keras.layers.Dropout` uses the same noise on every replica of a distribution strategy, and
    `tf.train.Checkpoint` does not save its state. With the layers in this file, training on N
    replicas is equivalent to training on one device, and a resumed run equals an uninterrupted run.

    Args:
        seed: Seed for the noise. If None, it comes from Python's random generator, which
            `keras.utils.set_random_seed` seeds.
        **kwargs: Additional arguments for `keras.layers.Layer`, such as `name`.
    """

    # Whether to apply noise also at inference. In that case, all examples have the same noise,
    # which is determined by `noise.inference_seed`, so a result does not depend on the other
    # examples in the batch.
    always = False

    seed: int | None = None

    @override
    def set_up(self):
        if self.seed is None:
            self.seed = random.randint(1, 10**9)
        state = dict(initializer="zeros", trainable=False, aggregation="only_first_replica")
        self.calls = self.add_weight(name="calls", shape=(), dtype="int64", **state)
        self.built = True

    def drawn(self, draw, shape, training: bool) -> tf.Tensor:
        """Returns float32 noise `[batch, ...]`, or `[1, ...]` at inference.

        Args:
            draw: `tf.random.stateless_normal` or `tf.random.stateless_uniform`.
            shape: Shape `[batch, ...]` of the noise, as integers or scalar tensors.
            training: Whether each example has its own noise, which changes from call to call.
        """
        seed = cast(int, self.seed)
        if not training:
            key = noise.stateless_seed(seed, noise.given_inference_seed(), "inference")
            return draw([1, *shape[1:]], key)
        key = noise.stateless_seed(seed, self.calls.value, "dropout")
        values = noise.for_replica(draw, shape, key)
        # Every replica must read the counter before it is incremented.
        with tf.control_dependencies([values]):
            self.calls.assign_add(1)
        return values


@keras.saving.register_keras_serializable("keras_gen")
class Dropout(DrawingLayer):
    """Sets a fraction of the inputs to zero and scales up the rest (Srivastava et al. 2014).

    Input and output are floats `[batch, ...]`. See `DrawingLayer` for the differences from the
    Keras layer.

    Args:
        rate: Fraction of the inputs to drop, in [0, 1).
        seed: Seed for the masks. If None, it comes from Python's random generator, which
            `keras.utils.set_random_seed` seeds.
        always: Whether to drop inputs at inference as well. In pix2pix, dropout at inference
            replaces latents (Isola et al. 2017, sec. 3.2.1). At inference, all examples have the
            same mask, which is determined by `noise.inference_seed`, so a result does not depend on
            the other examples in the batch.

    Example:
        >>> y = Dropout(0.5, seed=1)(tf.ones([2, 8]), training=True)
    """

    rate: FractionBelow1 = argument(kw_only=True)
    always: bool = False

    @override
    def call(self, inputs, training=False):
        if not self.rate or not (training or self.always):
            return inputs
        uniform = self.drawn(tf.random.stateless_uniform, keras.ops.shape(inputs), training)
        return tf.where(
            uniform >= self.rate, inputs / (1 - self.rate), tf.zeros([], inputs.dtype)
        )


@keras.saving.register_keras_serializable("keras_gen")
class NoiseChannels(DrawingLayer):
    """Appends channels of standard normal noise, including at inference.

    Isola, Zhu, Zhou, Efros: "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017, sec. 3.2.1. According to the paper, a generator learns to ignore such noise. The
    input is floats `[batch, height, width, channels]`, and the output has additional channels. For
    the noise at inference, see `DrawingLayer`.

    Args:
        channels: Number of noise channels, at least 1.
        seed: Seed for the noise. If None, it comes from Python's random generator, which
            `keras.utils.set_random_seed` seeds.

    Example:
        >>> NoiseChannels(2, seed=1)(tf.ones([1, 4, 4, 3])).shape
        TensorShape([1, 4, 4, 5])
    """

    always = True

    channels: Count = argument(kw_only=True)

    @override
    def call(self, inputs, training=False):
        shape = list(keras.ops.shape(inputs))
        shape[-1] = self.channels
        noise = self.drawn(tf.random.stateless_normal, shape, training)
        noise = tf.broadcast_to(tf.cast(noise, inputs.dtype), shape)
        return tf.concat([inputs, noise], axis=-1)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.channels)
