"""A likelihood of ordered levels: the mass of a logistic density around each level."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_number
from keras_gen.core import noise
from keras_gen.declared import Positive, PositiveInteger
from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.per_example import drawn_outcome, log_sigmoid, serializable, softmax

# Above this exponent, the exponential approaches the largest number in float32.
_MAXIMUM_LOG_SCALE = 40.0


@serializable
class DiscretizedLogistic(Likelihood):
    """Mass of a logistic mixture in the bin around each level.

    Salimans, Karpathy, Chen, Kingma: "PixelCNN++: Improving the PixelCNN with Discretized Logistic
    Mixture Likelihood and Other Modifications", ICLR 2017, eq. (2). Data are floats on a grid of
    `bins` evenly spaced values from -1 to 1, such as 8-bit images scaled to this range. The lowest
    bin and the highest bin also include the tails of the density beyond them. For each channel of
    the data, the network returns `[logits, means, log scales]`, with `mixtures` numbers of each
    type, or `[mean, log scale]` for a single logistic distribution. The parameters are
    `[..., channels, params_per_value]`, with the last two axes flattened.

    Deviations: channels are independent, so there may be any number of channels; in the paper, the
    channels of a pixel share logits, and each mean depends linearly on the previous channels. The
    mass of a bin is computed as a product that does not underflow, so probabilities sum to 1; the
    authors' code replaces masses below 1e-5 with the density at the bin's center.

    Args:
        bins: Number of levels from -1 to 1, at least 2.
        mixtures: Number of logistic components in each mixture, at least 1.
        minimum_log_scale: Minimum log scale, as in the authors' code.
        scale: Fixed scale of every value, above 0. A fixed scale requires a single logistic
            distribution, and the network then returns only the mean. If None, the network also
            returns scales.

    Example:
        >>> DiscretizedLogistic().log_prob(tf.zeros([4, 8, 8, 6]), tf.ones([4, 8, 8, 3])).shape
        TensorShape([4])
    """

    bins: Annotated[int, partial(checked_integer, minimum=2)] = 256
    mixtures: PositiveInteger = 1
    minimum_log_scale: Annotated[
        float, partial(checked_number, maximum=_MAXIMUM_LOG_SCALE)
    ] = -7.0
    scale: Positive | None = None

    @override
    def set_up(self):
        if self.scale is not None and self.mixtures > 1:
            raise ValueError(
                f"scale is {self.scale}, but mixtures is {self.mixtures}: expected None, because a "
                "fixed scale requires one logistic. Leave scale out, or set mixtures to 1."
            )

    @property
    @override
    def params_per_value(self) -> int:  # type: ignore[override]
        if self.scale is not None:
            return 1
        return 2 if self.mixtures == 1 else 3 * self.mixtures

    range = (-1.0, 1.0)
    uniforms_per_value = 2  # for the choice of the component, and for the value

    @override
    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Returns the expected value before rounding to the grid, within [-1, 1]."""
        logits, means, scales = self._split(params)
        # Clipping moves the tails of a logistic to -1 and 1. The resulting mean is an odd function
        # of `means`, and for means above 0, no exponential overflows.
        size = tf.abs(means)
        inside = tf.minimum(size, 1.0)
        beyond = tf.sigmoid(-tf.abs(size - 1.0) / scales) * tf.math.expm1(-2.0 * inside / scales)
        clipped = tf.sign(means) * (inside + scales * tf.math.log1p(beyond))
        return tf.reduce_sum(softmax(logits) * clipped, axis=-1)

    @override
    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        logits, means, scales = self._split(params)
        component_seed, value_seed = tf.unstack(tf.random.split(seed, 2))
        gumbel = noise.gumbel(keras.ops.shape(logits), component_seed)
        chosen = tf.argmax(logits + gumbel, axis=-1)
        uniform = noise.uniform(keras.ops.shape(chosen), value_seed)
        return self._value(means, scales, chosen, uniform)

    @override
    def draw(self, params, uniform, temperature=1.0):
        logits, means, scales = self._split(params)
        chosen = drawn_outcome(logits / temperature, uniform[..., :1])
        # The probability is clipped, because its quantiles would be infinite at 0 and 1.
        inside = tf.clip_by_value(uniform[..., 1], 1e-7, 1 - 1e-7)
        return self._value(means, temperature * scales, chosen, inside)

    def _value(self, means, scales, chosen, uniform):
        """Returns values on the grid, sampled from the chosen components with uniform noise."""
        axes = means.shape.rank - 1
        chosen = chosen[..., None]
        mean = tf.gather(means, chosen, axis=-1, batch_dims=axes)[..., 0]
        scale = tf.gather(scales, chosen, axis=-1, batch_dims=axes)[..., 0]
        x = mean + scale * (tf.math.log(uniform) - tf.math.log1p(-uniform))
        steps = (self.bins - 1) / 2
        return tf.round((tf.clip_by_value(x, -1.0, 1.0) + 1.0) * steps) / steps - 1.0

    def _log_prob(self, params, x):
        logits, means, scales = self._split(params)
        x = x[..., None]
        half = 1 / (self.bins - 1)
        below = log_sigmoid((x + half - means) / scales)
        above = log_sigmoid((means - x + half) / scales)
        # Equation 2: sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)).
        inside = below + above + tf.math.log(-tf.math.expm1(-2.0 * half / scales))
        mass = tf.where(x < half - 1.0, below, tf.where(x > 1.0 - half, above, inside))
        return tf.reduce_logsumexp(tf.nn.log_softmax(logits) + mass, axis=-1)

    def _split(self, params):
        """Returns logits, means, and scales, each `[..., channels, mixtures]`."""
        values = self._by_channel(params)
        if self.scale is not None:
            return tf.zeros_like(values), values, tf.ones_like(values) * self.scale
        if self.mixtures == 1:
            means, log_scales = tf.split(values, 2, axis=-1)
            logits = tf.zeros_like(means)
        else:
            logits, means, log_scales = tf.split(values, 3, axis=-1)
        log_scales = tf.clip_by_value(log_scales, self.minimum_log_scale, _MAXIMUM_LOG_SCALE)
        return logits, means, tf.exp(log_scales)
