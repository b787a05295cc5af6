"""Latents of an image-to-image network, as channels beside those of its input."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.random_draws import DrawingLayer


@keras.saving.register_keras_serializable("keras_gen")
class NoiseChannels(DrawingLayer):
    """Appends channels of standard normal noise, drawn at inference too.

    Isola, Zhu, Zhou, Efros: "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017, sec. 3.2.1: a generator that takes noise z beside the image learns to ignore it.
    Input: floats `[batch, height, width, channels]`; output: the same with further channels. See
    `DrawingLayer` for the noise at inference.

    Args:
        channels: Number of channels of noise, 1 or more.
        seed: Seed of the noise; by default drawn from Python's generator, which
            `keras.utils.set_random_seed` seeds.

    Example:
        >>> NoiseChannels(2, seed=1)(tf.ones([1, 4, 4, 3])).shape
        TensorShape([1, 4, 4, 5])
    """

    always = True

    @checked_arguments
    def __init__(self, channels: int, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        if channels < 1:
            raise ValueError(f"channels is {channels}: expected 1 or more.")
        self.channels = channels

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

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"channels": self.channels, "seed": self.seed}
