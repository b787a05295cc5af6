"""What all likelihoods share."""

from __future__ import annotations

import keras
import tensorflow as tf

from keras_gen.losses.base import Configurable


class Likelihood(Configurable):
    """Base of the likelihoods.

    Attributes:
        range: Lowest and highest value of data.
        params_per_value: Output channels of the network for each channel of the data.
        levels: Number of levels of data that are integers from 0 to `levels - 1`; None for other
            data. A model with levels takes integer images, and else floats in `range`.
        logits: Whether the parameters are logits.
    """

    range: tuple[float, float]
    params_per_value = 1
    levels: int | None = None
    logits = False

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """Returns log p(x | params) in nats, float32 `[..., batch]`.

        Args:
            params: Network outputs, `[..., batch, *event]`; the last axis is `params_per_value`
                times that of `x`.
            x: Data, `[batch, *event]`, within `range`.

        Raises:
            ValueError: If the shapes do not match.
        """
        params = tf.cast(params, tf.float32)
        x = tf.cast(x, tf.float32)
        expected = x.shape.as_list()
        if len(expected) > 1 and expected[-1] is not None:
            expected[-1] *= self.params_per_value
        if not params.shape[-len(expected) :].is_compatible_with(expected):
            raise ValueError(
                f"{type(self).__name__} found network outputs of shape {params.shape} for data of "
                f"shape {x.shape}: let the network end with shape {tuple(expected)}."
            )
        axes = list(range(1 - len(expected), 0))
        return tf.reduce_sum(self._log_prob(params, x), axis=axes)

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Returns the expected data, float32 `[..., *event]`."""
        raise NotImplementedError

    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws data, float32 `[..., *event]`; `seed` is a stateless seed, int `[2]`."""
        raise NotImplementedError

    def _log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError

    def _by_channel(self, params: tf.Tensor) -> tf.Tensor:
        """`[..., channels * params_per_value]` as float32 `[..., channels, params_per_value]`."""
        *front, last = keras.ops.shape(params)
        shape = [*front, last // self.params_per_value, self.params_per_value]
        return tf.reshape(tf.cast(params, tf.float32), shape)
