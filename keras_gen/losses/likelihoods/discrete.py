"""Likelihoods of black-and-white pixels, levels, and counts."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.core import noise
from keras_gen.declared import Count
from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.per_example import drawn_outcome, serializable, softmax, softplus


@serializable
class Bernoulli(Likelihood):
    """Independent Bernoulli pixels; the network returns the logits.

    See Kingma & Welling (2014), appendix C.1. Data between 0 and 1 are treated as probabilities.
    `log_prob` is then the expected log probability of the binarized data (the negative
    cross-entropy).

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

    @override
    def _sums(self, params, x):
        known = x.shape[1:].is_fully_defined()
        return _bernoulli_sums(params, x) if known else super()._sums(params, x)


@tf.custom_gradient
def _bernoulli_sums(logits, x):
    """Returns the sums of a Bernoulli likelihood; large tensors are read and written less often."""
    front = keras.ops.shape(logits)[: logits.shape.rank - x.shape.rank + 1]
    size = math.prod(x.shape[1:])

    def gradient(upstream):
        upstream = tf.reshape(upstream, [*front, *[1] * (x.shape.rank - 1)])
        extra = list(range(logits.shape.rank - x.shape.rank))
        by_x = tf.reduce_sum(upstream * logits, axis=extra)
        return upstream * (x - tf.sigmoid(logits)), by_x

    # softplus(l) = relu(l) - log sigmoid(|l|). The sum of logarithms is the logarithm of a product,
    # which is above 0, because each factor is at least 1/2.
    factors = next(number for number in range(100, 0, -1) if size % number == 0)
    products = tf.reshape(tf.sigmoid(tf.abs(logits)), [*front, size // factors, factors])
    curved = tf.reduce_sum(tf.math.log(tf.reduce_prod(products, axis=-1)), axis=-1)
    linear = tf.reshape(x * logits - tf.nn.relu(logits), [*front, size])
    return tf.reduce_sum(linear, axis=-1) + curved, gradient


@serializable
class Categorical(Likelihood):
    """Independent levels with probabilities softmax(logits), with one logit per level.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 2.2.
    Data are whole numbers from 0 to `classes - 1`, as ints or floats. For each channel of the data,
    the network returns `classes` logits. The network's output is `[..., channels * classes]`, which
    is `[..., channels, classes]` with the last two axes flattened.

    Args:
        classes: Number of levels, at least 2.

    Example:
        >>> Categorical(4).log_prob(tf.zeros([2, 8, 8, 12]), tf.ones([2, 8, 8, 3]))  # -192 log 4
    """

    classes: Annotated[int, partial(checked_size, minimum=2)] = 256
    logits = True
    uniforms_per_value = 1

    @property
    @override
    def params_per_value(self) -> int:  # type: ignore[override]
        return self.classes

    @property
    @override
    def levels(self) -> int:  # type: ignore[override]
        return self.classes

    @property
    @override
    def range(self) -> tuple[float, float]:  # type: ignore[override]
        return 0.0, self.classes - 1.0

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        probabilities = softmax(self._by_channel(params))
        return tf.reduce_sum(probabilities * tf.range(float(self.classes)), axis=-1)

    @override
    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shape = keras.ops.shape(self._by_channel(params))
        return self.sample_from(params, noise.gumbel(shape, seed))

    def sample_from(self, params: tf.Tensor, gumbel: tf.Tensor) -> tf.Tensor:
        """Samples from the softmax: returns levels with the highest sum of logit and Gumbel noise.

        Maddison, Tarlow, Minka: "A* Sampling", NeurIPS 2014, sec. 2. With standard Gumbel noise
        `[..., channels, classes]`, the result is float32 levels `[..., channels]`.
        """
        return tf.cast(tf.argmax(self._by_channel(params) + gumbel, axis=-1), tf.float32)

    @override
    def draw(self, params, uniform, temperature=1.0):
        """Samples levels with the inverse of the cumulative distribution; see `Likelihood.draw`."""
        levels = drawn_outcome(self._by_channel(params) / temperature, uniform)
        return tf.cast(levels, tf.float32)

    def _log_prob(self, params, x):
        logits = self._by_channel(params)
        levels = tf.broadcast_to(tf.cast(tf.round(x), tf.int32), tf.shape(logits)[:-1])
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(levels, logits)


@serializable
class Poisson(Likelihood):
    """Independent Poisson counts, such as a document's word counts; the network returns log rates.

    For whole numbers x, log p(x) = sum x log(rate) - rate - log x!. Between whole numbers, the
    gamma function interpolates log x! smoothly.

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
    """Words sampled one by one, with probabilities softmax(params) over the last axis.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
    supporting text. The log probability is log p(x) = sum x log softmax(params), where x contains
    counts or, for nats per word, fractions of all words. This is the log probability of the words
    in their given order, so the multinomial coefficient is omitted.

    Args:
        draws: Number of words of each example in `mean` and `sample`, at least 1. `log_prob`
            accepts any number of words.

    Example:
        >>> Multinomial().log_prob(tf.zeros([4, 2000]), tf.ones([4, 2000]))  # -2000 log 2000 each
    """

    draws: Count = 1
    logits = True

    range = (0.0, math.inf)

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Returns the expected counts among `draws` words; if `draws` is 1, the probabilities."""
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
