"""Dropout whose noise does not depend on the number of replicas."""

import random

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.training import noise


@keras.saving.register_keras_serializable("keras_gen")
class Dropout(keras.layers.Layer):
    """Sets a fraction of the inputs to zero and scales the others up (Srivastava et al. 2014).

    `keras.layers.Dropout` draws the same mask on every replica of a distribution strategy, and
    `tf.train.Checkpoint` does not save its state. Here the mask is a function of the seed and of a
    counter, which is a weight. So N replicas equal one device, and a resumed training equals one
    without a break. Input and output: floats `[batch, ...]`.

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

    def __init__(self, rate: float, seed: int | None = None, always: bool = False, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate}: expected a fraction from 0 to below 1.")
        self.rate = rate
        self.always = always
        self.seed = random.randint(1, 10**9) if seed is None else seed
        state = dict(initializer="zeros", trainable=False, aggregation="only_first_replica")
        self.calls = self.add_weight(name="calls", shape=(), dtype="int64", **state)
        self.built = True

    @override
    def call(self, inputs, training=False):
        if not self.rate or not (training or self.always):
            return inputs
        shape = keras.ops.shape(inputs)
        if training:
            key = noise.stateless_seed(self.seed, self.calls.value, "dropout")
            kept = noise.uniform(shape, key) >= self.rate
            # Read before it is counted up, on every replica.
            with tf.control_dependencies([kept]):
                self.calls.assign_add(1)
        else:
            key = noise.stateless_seed(self.seed, noise.given_inference_seed(), "inference")
            kept = tf.random.stateless_uniform([1, *shape[1:]], key) >= self.rate
        return tf.where(kept, inputs / (1 - self.rate), tf.zeros([], inputs.dtype))

    @override
    def get_config(self) -> dict:
        arguments = {"rate": self.rate, "seed": self.seed, "always": self.always}
        return super().get_config() | arguments
