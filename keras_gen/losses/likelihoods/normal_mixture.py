"""Mixtures of normal densities."""

from __future__ import annotations

import math

import tensorflow as tf
from typing_extensions import override

from keras_gen.core import noise
from keras_gen.declared import Positive, PositiveInteger
from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.per_example import serializable, softmax


@serializable
class NormalMixture(Likelihood):
    """Any numbers, each with a mixture of normal densities of its own.

    Uria, Murray, Larochelle: "RNADE: The Real-valued Neural Autoregressive Density-Estimator", NIPS
    2013, sec. 3. For each value the network returns `[logits, means, raw scales]`, `mixtures` of
    each: `[..., channels, 3 * mixtures]`, with the last two axes flattened.

    Deviations: a standard deviation is softplus of the raw scale plus `minimum_scale`, in place of
    an exponential, and the gradient of the means is not scaled by it.

    Args:
        mixtures: Number of normal densities in each mixture, at least 1.
        minimum_scale: Least standard deviation, above 0. It bounds the density on values that never
            vary.

    Example:
        >>> NormalMixture(5).log_prob(tf.zeros([4, 30]), tf.ones([4, 2])).shape
        TensorShape([4])
    """

    mixtures: PositiveInteger = 10
    minimum_scale: Positive = 1e-3

    @property
    @override
    def params_per_value(self) -> int:  # type: ignore[override]
        return 3 * self.mixtures

    range = (-math.inf, math.inf)
    uniforms_per_value = 2  # for the normal density of the mixture, and its value

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        logits, means, _ = self._split(params)
        return tf.reduce_sum(softmax(logits) * means, axis=-1)

    @override
    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(self._by_channel(params))[:-1]
        shape = tf.concat([shape, [self.uniforms_per_value]], axis=0)
        return self.draw(params, noise.uniform(shape, seed))

    @override
    def draw(self, params, uniform, temperature=1.0):
        logits, means, scales = self._split(params)
        cumulative = tf.cumsum(softmax(logits / temperature), axis=-1)
        passed = cumulative[..., :-1] <= uniform[..., :1]
        chosen = tf.reduce_sum(tf.cast(passed, tf.int32), axis=-1, keepdims=True)
        axes = means.shape.rank - 1
        mean = tf.gather(means, chosen, axis=-1, batch_dims=axes)[..., 0]
        scale = tf.gather(scales, chosen, axis=-1, batch_dims=axes)[..., 0]
        # Both ends would be infinite.
        inside = tf.clip_by_value(uniform[..., 1], 1e-7, 1 - 1e-7)
        return mean + temperature * scale * tf.math.ndtri(inside)

    def _log_prob(self, params, x):
        logits, means, scales = self._split(params)
        distances = (x[..., None] - means) / scales
        log_normal = -0.5 * (tf.square(distances) + math.log(2 * math.pi)) - tf.math.log(scales)
        return tf.reduce_logsumexp(tf.nn.log_softmax(logits) + log_normal, axis=-1)

    def _split(self, params):
        """Logits, means and scales, `[..., channels, mixtures]` each."""
        logits, means, raw = tf.split(self._by_channel(params), 3, axis=-1)
        return logits, means, tf.nn.softplus(raw) + self.minimum_scale
