"""Pixels that are black or white."""

from __future__ import annotations

import tensorflow as tf
from typing_extensions import override

from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.per_example import serializable, softplus


@serializable
class Bernoulli(Likelihood):
    """Independent Bernoulli pixels; the network returns logits.

    Kingma & Welling (2014), appendix C.1. Data between 0 and 1 are taken as probabilities: then
    the value is the expected log-probability of their binarization (the cross-entropy).

    Example:
        >>> Bernoulli().log_prob(tf.zeros([4, 28, 28, 1]), tf.ones([4, 28, 28, 1]))  # -784 log 2
    """

    range = (0.0, 1.0)
    logits = True
    uniforms_per_value = 1

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(tf.cast(params, tf.float32))

    @override
    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        probabilities = self.mean(params)
        uniform = tf.random.stateless_uniform(tf.shape(probabilities), seed)
        return tf.cast(uniform < probabilities, tf.float32)

    @override
    def draw(self, params, uniform, temperature=1.0):
        probabilities = self.mean(tf.cast(params, tf.float32) / temperature)
        return tf.cast(uniform[..., 0] < probabilities, tf.float32)

    def _log_prob(self, params, x):
        # log sigmoid(l) = -softplus(-l) and log(1 - sigmoid(l)) = -softplus(l).
        return x * params - softplus(params)
