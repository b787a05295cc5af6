"""Dropout whose noise does not depend on the number of replicas."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.random_draws import DrawingLayer


@keras.saving.register_keras_serializable("keras_gen")
class Dropout(DrawingLayer):
    """Sets a fraction of the inputs to zero and scales the others up (Srivastava et al. 2014).

    Input and output: floats `[batch, ...]`. See `DrawingLayer` for how it differs from Keras'.

    Args:
        rate: Fraction of the inputs to drop, 0 to below 1.
        seed: Seed of the masks; by default drawn from Python's generator, which
            `keras.utils.set_random_seed` seeds.
        always: Whether to drop at inference too, as pix2pix does in place of latents (Isola et al.
            2017, sec. 3.2.1). All examples then have one mask, which follows
            `noise.inference_seed`, so that a result does not depend on the others of its batch.

    Example:
        >>> y = Dropout(0.5, seed=1)(tf.ones([2, 8]), training=True)
    """

    @checked_arguments
    def __init__(self, rate: float, seed: int | None = None, always: bool = False, **kwargs):
        super().__init__(seed, **kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate}: expected a fraction from 0 to below 1.")
        self.rate = rate
        self.always = always

    @override
    def call(self, inputs, training=False):
        if not self.rate or not (training or self.always):
            return inputs
        uniform = self.drawn(tf.random.stateless_uniform, keras.ops.shape(inputs), training)
        return tf.where(
            uniform >= self.rate, inputs / (1 - self.rate), tf.zeros([], inputs.dtype)
        )

    @override
    def get_config(self) -> dict:
        arguments = {"rate": self.rate, "seed": self.seed, "always": self.always}
        return super().get_config() | arguments
