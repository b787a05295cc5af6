"""Counts, such as those of the words of a document."""

from __future__ import annotations

import math

import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.per_example import serializable


@serializable
class Poisson(Likelihood):
    """Independent Poisson counts, such as word counts of a document; the network returns log rates.

    log p(x) = sum x log(rate) - rate - log x!, for whole numbers x. Between these it continues
    smoothly, with the gamma function for the factorial.

    Example:
        >>> Poisson().log_prob(tf.zeros([4, 2000]), tf.zeros([4, 2000]))  # -2000 each
    """

    range = (0.0, math.inf)

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        return tf.exp(tf.cast(params, tf.float32))

    @override
    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        rates = self.mean(params)
        return tf.random.stateless_poisson(tf.shape(rates), seed, rates, tf.float32)

    def _log_prob(self, params, x):
        return x * params - tf.exp(params) - tf.math.lgamma(x + 1.0)


@serializable
class Multinomial(Likelihood):
    """Words drawn one after the other, with probabilities softmax(params) over the last axis.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
    supporting text: log p(x) = sum x log softmax(params), in which x are counts, or fractions of
    all words for nats per word. It is the probability of the words in their order: the multinomial
    coefficient is left out.

    Args:
        draws: Number of words of `mean` and `sample`, at least 1. `log_prob` takes any number.

    Example:
        >>> Multinomial().log_prob(tf.zeros([4, 2000]), tf.ones([4, 2000]))  # -2000 log 2000 each
    """

    draws: Count = 1
    logits = True

    range = (0.0, math.inf)

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Returns the expected counts among `draws` words; for 1, the words' probabilities."""
        return self.draws * tf.nn.softmax(tf.cast(params, tf.float32))

    @override
    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        words = tf.shape(params, tf.int64)[-1]
        logits = tf.reshape(tf.cast(params, tf.float32), [-1, words])
        drawn = tf.random.stateless_categorical(logits, self.draws, seed)
        counts = tf.math.bincount(drawn, minlength=words, maxlength=words, axis=-1)
        return tf.cast(tf.reshape(counts, tf.shape(params)), tf.float32)

    def _log_prob(self, params, x):
        return x * tf.nn.log_softmax(params)
