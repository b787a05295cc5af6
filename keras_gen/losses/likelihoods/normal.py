"""Likelihoods of values with normal densities, or mixtures of normal densities."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated

import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_number, checked_positive
from keras_gen.core import noise
from keras_gen.declared import Positive, PositiveInteger
from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.per_example import drawn_outcome, serializable, softmax


@serializable
class Normal(Likelihood):
    """Independent, normally distributed pixels (Kingma & Welling 2014, appendix C.2).

    Args:
        scale: Fixed standard deviation, above 0; with a fixed scale, the network returns only the
            mean. If None, the network returns `[..., 2 * channels]`. The first half contains the
            means, and the standard deviation is the softplus of the second half plus
            `minimum_scale`.
        minimum_scale: Minimum of a learned standard deviation, above 0. The minimum prevents an
            unbounded density for pixels that never vary.

    Example:
        >>> Normal().log_prob(tf.zeros([4, 8]), tf.zeros([4, 8]))  # -4 log 2 pi each
    """

    scale: Positive | None = 1.0
    minimum_scale: Positive = 1e-3

    @property
    @override
    def params_per_value(self) -> int:  # type: ignore[override]
        return 2 if self.scale is None else 1

    @property
    @override
    def parameter_range(self):  # type: ignore[override]
        if self.scale is None:
            return -math.inf, math.inf
        return None if self.range[1] == math.inf else self.range

    range = (-1.0, 1.0)
    uniforms_per_value = 1

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Returns the mean, which may be outside `range` if the network allows it."""
        return self._split(params)[0]

    @override
    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        mean, scale = self._split(params)
        return mean + scale * tf.random.stateless_normal(tf.shape(mean), seed)

    @override
    def draw(self, params, uniform, temperature=1.0):
        mean, scale = self._split(params)
        # The probability is clipped, because its quantiles would be infinite at 0 and 1.
        inside = tf.clip_by_value(uniform[..., 0], 1e-7, 1 - 1e-7)
        return mean + temperature * scale * tf.math.ndtri(inside)

    def _log_prob(self, params, x):
        mean, scale = self._split(params)
        return (
            -0.5 * tf.square((x - mean) / scale)
            - tf.math.log(scale)
            - 0.5 * math.log(2 * math.pi)
        )

    def _split(self, params):
        params = tf.cast(params, tf.float32)
        if self.scale is not None:
            return params, tf.constant(self.scale, tf.float32)
        mean, raw = tf.split(params, 2, axis=-1)
        return mean, tf.nn.softplus(raw) + self.minimum_scale


@serializable
class UnboundedNormal(Normal):
    """`Normal` for unbounded data, such as the latents of another model.

    Models treat such data as vectors, not as images. By default, the scale is learned.

    Example:
        >>> UnboundedNormal().range
        (-inf, inf)
    """

    scale: Positive | None = None

    range = (-math.inf, math.inf)


@serializable
class ColumnNormal(UnboundedNormal):
    """`UnboundedNormal` with one learned standard deviation per column.

    Rybkin, Daniilidis, Levine: "Simple and Effective VAE Training with Calibrated Decoders", ICML
    2021, sec. 3. The decoder's last layer appends the scales, which all rows share (see
    `keras_gen.networks.with_column_scales`). If each value had its own scale, this scale would grow
    with the value's error before the mean is learned, and a column with few distinct values would
    be mistaken for noise.

    Deviations: the paper uses a single scale for all values. Here, `minimum_scale` bounds the
    density of a column with few distinct values, because this density would otherwise be unbounded.

    Args:
        minimum_scale: Minimum standard deviation, above 0 and at most 1, in units of the decoder's
            means (for standardized data, in standard deviations of the column). With the default,
            the log density is at most 2.59 nats per value. For a column whose noise has a smaller
            standard deviation s, the log density is lower by at least log(0.03 / s) - 0.5 nats per
            value.

    Raises:
        ValueError: If a fixed `scale` is given, or if `minimum_scale` is out of range.

    Example:
        >>> ColumnNormal().params_per_value
        2
    """

    scale: Positive | None = None
    minimum_scale: Annotated[float, checked_positive, partial(checked_number, maximum=1)] = 0.03

    @override
    def set_up(self):
        if self.scale is not None:
            raise ValueError(
                f"ColumnNormal's scale is {self.scale}: expected None, because the decoder learns "
                "the scale. For a fixed scale, use UnboundedNormal."
            )


@serializable
class NormalMixture(Likelihood):
    """Unbounded numbers, each with its own mixture of normal densities.

    Uria, Murray, Larochelle: "RNADE: The Real-valued Neural Autoregressive Density-Estimator", NIPS
    2013, sec. 3. For each value, the network returns `[logits, means, raw scales]`, with `mixtures`
    numbers of each type. The network's output is `[..., channels, 3 * mixtures]`, with the last two
    axes flattened.

    Deviations: the standard deviation is the softplus of the raw scale plus `minimum_scale` instead
    of an exponential, and the gradient of the means is not multiplied by the standard deviation.

    Args:
        mixtures: Number of normal components in each mixture, at least 1.
        minimum_scale: Minimum standard deviation, above 0. The minimum prevents an unbounded
            density for values that never vary.

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
    uniforms_per_value = 2  # for the choice of the component, and for the value

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
        chosen = drawn_outcome(logits / temperature, uniform[..., :1])[..., None]
        axes = means.shape.rank - 1
        mean = tf.gather(means, chosen, axis=-1, batch_dims=axes)[..., 0]
        scale = tf.gather(scales, chosen, axis=-1, batch_dims=axes)[..., 0]
        # The probability is clipped, because its quantiles would be infinite at 0 and 1.
        inside = tf.clip_by_value(uniform[..., 1], 1e-7, 1 - 1e-7)
        return mean + temperature * scale * tf.math.ndtri(inside)

    def _log_prob(self, params, x):
        logits, means, scales = self._split(params)
        distances = (x[..., None] - means) / scales
        log_normal = -0.5 * (tf.square(distances) + math.log(2 * math.pi)) - tf.math.log(scales)
        return tf.reduce_logsumexp(tf.nn.log_softmax(logits) + log_normal, axis=-1)

    def _split(self, params):
        """Returns logits, means, and scales, each `[..., channels, mixtures]`."""
        logits, means, raw = tf.split(self._by_channel(params), 3, axis=-1)
        return logits, means, tf.nn.softplus(raw) + self.minimum_scale
