"""Levels as classes: each has a probability of its own."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.core import noise
from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.per_example import serializable, softmax


@serializable
class Categorical(Likelihood):
    """Independent levels with probabilities softmax(logits), one logit for each level.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, section
    2.2. Data are whole numbers from 0 to `classes - 1`, ints or floats. For channels of data the
    network returns `[..., channels * classes]`, which is `[..., channels, classes]` flattened.

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
        """Returns the levels of highest logit plus Gumbel noise, which are draws from the softmax.

        Maddison, Tarlow, Minka: "A* Sampling", NeurIPS 2014, section 2. Standard Gumbel noise
        `[..., channels, classes]` gives float32 levels `[..., channels]`.
        """
        return tf.cast(tf.argmax(self._by_channel(params) + gumbel, axis=-1), tf.float32)

    @override
    def draw(self, params, uniform, temperature=1.0):
        """Returns levels by the inverse of the cumulative distribution, see `Likelihood.draw`."""
        probabilities = softmax(self._by_channel(params) / temperature)
        # The last sum is 1 up to rounding, and must not count.
        passed = tf.cumsum(probabilities, axis=-1)[..., :-1] <= uniform
        return tf.reduce_sum(tf.cast(passed, tf.float32), axis=-1)

    def _log_prob(self, params, x):
        logits = self._by_channel(params)
        levels = tf.broadcast_to(tf.cast(tf.round(x), tf.int32), tf.shape(logits)[:-1])
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(levels, logits)
