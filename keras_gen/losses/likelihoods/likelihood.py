"""The base class of likelihoods."""

from __future__ import annotations

import math
from typing import ClassVar

import keras
import tensorflow as tf

from keras_gen.declared import Declared
from keras_gen.losses.per_example import of_tensors


class Likelihood(Declared):
    """Base class for likelihoods.

    Attributes:
        range: Minimum and maximum of the data.
        params_per_value: Number of network outputs per channel of the data.
        levels: Number of levels if the data are integers from 0 to `levels - 1`, or None for other
            data. With levels, a model accepts integer images; without levels, a model accepts
            floats in `range`.
        logits: Whether the parameters are logits.
        parameter_range: Smallest and largest parameter that a network must be able to return. If
            None, `range` is used.
        uniforms_per_value: Number of uniform random numbers that `draw` uses per value, or 0 if
            `draw` is not supported.
    """

    range: ClassVar[tuple[float, float]]
    params_per_value = 1
    levels: ClassVar[int | None] = None
    logits = False
    parameter_range: ClassVar[tuple[float, float] | None] = (-math.inf, math.inf)
    uniforms_per_value = 0

    @property
    def input_levels(self) -> int | None:
        """Argument `levels` for networks that scale data to [-1, 1]; 2 for data in [0, 1]."""
        return 2 if self.range == (0.0, 1.0) else self.levels

    @of_tensors("params", "x", one_batch=False)
    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """Returns log p(x | params) in nats, float32 `[..., batch]`.

        Args:
            params: Network outputs, `[..., batch, *event]`. The last axis is `params_per_value`
                times as long as the last axis of `x`.
            x: Data, `[batch, *event]`, within `range`.

        Raises:
            ValueError: If the shapes do not match.
        """
        return self._sums(*self._checked(params, x))

    def log_probs(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """Returns log p of each value in nats, float32 `[..., batch, *event]`; see `log_prob`."""
        return self._log_prob(*self._checked(params, x))

    def _checked(self, params, x):
        """Returns both as float32; raises a ValueError if their shapes do not match."""
        params = tf.cast(params, tf.float32)
        x = tf.cast(x, tf.float32)
        expected = x.shape.as_list()
        if len(expected) > 1 and expected[-1] is not None:
            expected[-1] *= self.params_per_value
        if not params.shape[-len(expected) :].is_compatible_with(expected):
            raise ValueError(
                f"{type(self).__name__} got network outputs of shape {params.shape} for data of "
                f"shape {x.shape}: expected a network whose output shape ends in "
                f"{tuple(expected)}."
            )
        return params, x

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Returns the expected value of the data, float32 `[..., *event]`."""
        raise NotImplementedError

    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Samples data, float32 `[..., *event]`; `seed` is a stateless seed, int `[2]`."""
        raise NotImplementedError

    def draw(self, params: tf.Tensor, uniform: tf.Tensor, temperature=1.0) -> tf.Tensor:
        """Samples each value independently with uniform noise; returns float32 `[..., *event]`.

        Args:
            params: Network outputs, `[..., *event]`, with `params_per_value` channels per channel
                of the data.
            uniform: Noise in [0, 1), `[..., *event, uniforms_per_value]`.
            temperature: Sampling temperature, above 0. Temperatures below 1 make likely values more
                likely.
        """
        raise NotImplementedError(
            f"{type(self).__name__} cannot be sampled value by value: use another likelihood, such "
            "as Bernoulli or Normal."
        )

    def _log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError

    def _sums(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """Returns the sum of `_log_prob` over the values of each example."""
        return tf.reduce_sum(self._log_prob(params, x), axis=list(range(1 - x.shape.rank, 0)))

    def _by_channel(self, params: tf.Tensor) -> tf.Tensor:
        """Returns params as float32 `[..., channels, params_per_value]`."""
        *front, last = keras.ops.shape(params)
        shape = [*front, last // self.params_per_value, self.params_per_value]
        return tf.reshape(tf.cast(params, tf.float32), shape)
