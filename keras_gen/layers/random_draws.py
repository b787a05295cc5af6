"""Noise inside a network that does not depend on the number of replicas."""

import random

import keras
import tensorflow as tf

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import noise


class DrawingLayer(keras.layers.Layer):
    """Base of layers that draw noise, as a function of a seed and of a counter, which is a weight.

    `keras.layers.Dropout` draws the same noise on every replica of a distribution strategy, and
    `tf.train.Checkpoint` does not save its state. With these layers N replicas equal one device,
    and a resumed training equals one without a break.

    Args:
        seed: Seed of the noise; by default drawn from Python's generator, which
            `keras.utils.set_random_seed` seeds.
        **kwargs: `name` and the like, of `keras.layers.Layer`.
    """

    # Whether it draws at inference too. All examples then have one noise, which follows
    # `noise.inference_seed`, so that a result does not depend on the others of its batch.
    always = False

    @checked_arguments
    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = random.randint(1, 10**9) if seed is None else seed
        state = dict(initializer="zeros", trainable=False, aggregation="only_first_replica")
        self.calls = self.add_weight(name="calls", shape=(), dtype="int64", **state)
        self.built = True

    def drawn(self, draw, shape, training: bool) -> tf.Tensor:
        """Returns float32 noise `[batch, ...]`, at inference `[1, ...]`.

        Args:
            draw: `tf.random.stateless_normal` or `tf.random.stateless_uniform`.
            shape: `[batch, ...]`: ints or scalar tensors.
            training: Whether each example has noise of its own, new in every call.
        """
        if not training:
            key = noise.stateless_seed(self.seed, noise.given_inference_seed(), "inference")
            return draw([1, *shape[1:]], key)
        key = noise.stateless_seed(self.seed, self.calls.value, "dropout")
        values = noise.for_replica(draw, shape, key)
        # Read before it is counted up, on every replica.
        with tf.control_dependencies([values]):
            self.calls.assign_add(1)
        return values
