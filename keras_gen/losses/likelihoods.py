"""Likelihoods: what the raw output of a decoder says about data.

Every likelihood has, for network outputs `params` and data `x`,

- `log_prob(params, x)`: nats, summed over the axes of one example,
- `mean(params)` and `sample(params, seed)`: data-shaped float32,
- `range`: the values data may take, (lowest, highest),
- `params_per_value`: how many output channels the network needs for each channel of the data.

`x` is `[batch, ...]`. `params` may have more axes in front, such as the importance samples of IWAE:
params `[k, batch, H, W, C]` against x `[batch, H, W, C]` give `[k, batch]`. All is computed in
float32, whatever the dtype of the network.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import keras
import tensorflow as tf

from keras_gen.losses.base import Configurable, resolve


class Likelihood(Configurable):
    """Base of the likelihoods."""

    params_per_value = 1

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value that data may take."""
        raise NotImplementedError

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """Return log p(x | params) in nats.

        Args:
            params: network outputs, `[..., batch, *event]`; the last axis is `params_per_value`
                times that of `x`.
            x: data, `[batch, *event]`, within `range`.

        Returns:
            float32 `[..., batch]`.

        Raises:
            ValueError: the shapes do not match.
        """
        params, x = tf.cast(params, tf.float32), tf.cast(x, tf.float32)
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
        """Return the expected data, float32 `[..., *event]`."""
        raise NotImplementedError

    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draw data, float32 `[..., *event]`; `seed` is a stateless seed, int `[2]`."""
        raise NotImplementedError

    def _log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class Bernoulli(Likelihood):
    """Independent Bernoulli pixels; the network returns logits.

    Kingma & Welling (2014), appendix C.1. Data between 0 and 1 are taken as probabilities: then
    the value is the expected log-probability of their binarisation (the cross-entropy).

    Example:
        >>> Bernoulli().log_prob(tf.zeros([4, 28, 28, 1]), tf.ones([4, 28, 28, 1]))  # -784 log 2
    """

    @property
    def range(self) -> tuple[float, float]:
        """Black and white: (0, 1)."""
        return 0.0, 1.0

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Return the probabilities of white, sigmoid(params)."""
        return tf.sigmoid(tf.cast(params, tf.float32))

    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draw zeros and ones; `seed` is a stateless seed, int `[2]`."""
        probabilities = self.mean(params)
        uniform = tf.random.stateless_uniform(tf.shape(probabilities), seed)
        return tf.cast(uniform < probabilities, tf.float32)

    def _log_prob(self, params, x):
        # log sigmoid(l) = -softplus(-l) and log(1 - sigmoid(l)) = -softplus(l).
        return x * params - tf.nn.softplus(params)


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class Normal(Likelihood):
    """Independent normal pixels: Kingma & Welling (2014), appendix C.2.

    Args:
        scale: the fixed standard deviation; the network returns the mean. None: the network
            returns mean and scale, `[..., 2 * channels]`, the first half the mean; the standard
            deviation is softplus of the second half plus `minimum_scale`.
        minimum_scale: least standard deviation when it is learned. It bounds the density, which
            would grow for ever on pixels that never vary.

    Raises:
        ValueError: `scale` or `minimum_scale` is not positive.

    Example:
        >>> Normal(scale=0.1).log_prob(tf.zeros([4, 8, 8, 3]), tf.zeros([4, 8, 8, 3])).shape
        TensorShape([4])
    """

    scale: float | None = 1.0
    minimum_scale: float = 1e-3

    def __post_init__(self):
        """Check the arguments."""
        for name in ("scale", "minimum_scale"):
            value = getattr(self, name)
            if not (value is None and name == "scale") and not value > 0:
                raise ValueError(f"Normal found {name}={value}: pass a positive number.")

    @property
    def params_per_value(self) -> int:  # type: ignore[override]
        """Output channels for each channel of the data: 1, or 2 with a learned scale."""
        return 2 if self.scale is None else 1

    @property
    def range(self) -> tuple[float, float]:
        """The range of images scaled for tanh: (-1, 1)."""
        return -1.0, 1.0

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Return the mean, which may lie outside `range` if the network lets it."""
        return self._split(params)[0]

    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draw normal values around the mean; `seed` is a stateless seed, int `[2]`."""
        mean, scale = self._split(params)
        return mean + scale * tf.random.stateless_normal(tf.shape(mean), seed)

    def _log_prob(self, params, x):
        mean, scale = self._split(params)
        return (
            -0.5 * tf.square((x - mean) / scale) - tf.math.log(scale) - 0.5 * math.log(2 * math.pi)
        )

    def _split(self, params):
        params = tf.cast(params, tf.float32)
        if self.scale is not None:
            return params, tf.constant(self.scale)
        mean, raw = tf.split(params, 2, axis=-1)
        return mean, tf.nn.softplus(raw) + self.minimum_scale


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class Poisson(Likelihood):
    """Independent Poisson counts, as of words in a document; the network returns log rates.

    log p(x) = sum x log(rate) - rate - log x!, for whole numbers x. Between these it goes on
    smoothly, with the gamma function for the factorial.

    Example:
        >>> Poisson().log_prob(tf.zeros([4, 2000]), tf.zeros([4, 2000]))  # -2000 each
    """

    @property
    def range(self) -> tuple[float, float]:
        """Counts: (0, infinity)."""
        return 0.0, math.inf

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Return the rates, exp(params)."""
        return tf.exp(tf.cast(params, tf.float32))

    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draw counts; `seed` is a stateless seed, int `[2]`."""
        rates = self.mean(params)
        return tf.random.stateless_poisson(tf.shape(rates), seed, rates, tf.float32)

    def _log_prob(self, params, x):
        return x * params - tf.exp(params) - tf.math.lgamma(x + 1.0)


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class Multinomial(Likelihood):
    """Words drawn one after the other, with probabilities softmax(params) over the last axis.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
    supporting text: log p(x) = sum x log softmax(params), in which x are counts, or their shares
    for nats a word. It is the probability of the words in their order: the multinomial
    coefficient, which depends on no parameter, is left out.

    Args:
        draws: how many words `mean` and `sample` are of. `log_prob` takes any number.

    Raises:
        ValueError: `draws` is below 1.

    Example:
        >>> Multinomial().log_prob(tf.zeros([4, 2000]), tf.ones([4, 2000]))  # -2000 log 2000 each
    """

    draws: int = 1

    def __post_init__(self):
        """Check the arguments."""
        if self.draws < 1:
            raise ValueError(f"Multinomial found draws={self.draws}: pass 1 or more.")

    @property
    def range(self) -> tuple[float, float]:
        """Counts: (0, infinity)."""
        return 0.0, math.inf

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """Return the expected counts among `draws` words; for 1, the words' probabilities."""
        return self.draws * tf.nn.softmax(tf.cast(params, tf.float32))

    def sample(self, params: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draw the counts of `draws` words; `seed` is a stateless seed, int `[2]`."""
        words = tf.shape(params, tf.int64)[-1]
        logits = tf.reshape(tf.cast(params, tf.float32), [-1, words])
        drawn = tf.random.stateless_categorical(logits, self.draws, seed)
        counts = tf.math.bincount(drawn, minlength=words, maxlength=words, axis=-1)
        return tf.cast(tf.reshape(counts, tf.shape(params)), tf.float32)

    def _log_prob(self, params, x):
        return x * tf.nn.log_softmax(params)


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "multinomial": Multinomial,
    "normal": Normal,
    "poisson": Poisson,
}


def get(identifier: Any) -> Likelihood:
    """Return the likelihood meant by a name, a saved config or an instance.

    Args:
        identifier: "bernoulli", "multinomial", "normal", "poisson", a dict from
            `keras.saving.serialize_keras_object`, or a `Likelihood`.

    Raises:
        ValueError: it is none of these.

    Example:
        >>> get("bernoulli").range
        (0.0, 1.0)
    """
    return resolve(identifier, LIKELIHOODS, Likelihood, "likelihood")
