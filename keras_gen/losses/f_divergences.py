"""Adversarial objectives that bound an f-divergence: f-GAN."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.losses.adversarial_objective import Objective
from keras_gen.losses.per_example import serializable
from keras_gen.losses.tensor_arguments import of_tensors


class FDivergence(Objective):
    """Base class of f-GAN objectives: a bound on a divergence D_f(P || Q) of data P and model Q.

    Nowozin, Cseke, Tomioka: "f-GAN: Training Generative Neural Samplers using Variational
    Divergence Minimization", NeurIPS 2016. With the logit V, its output activation g, and the
    conjugate f* of f (table 2), the discriminator maximizes, eq. (7),

        F = E_P[g(V(x))] - E_Q[f*(g(V(x)))]  <=  D_f(P || Q),

    with equality for g(V) = f'(p / q), and the generator minimizes it. So the discriminator's loss
    is the negative of an estimate of the divergence. A subclass defines g and f* of g.

    Args:
        direct: Whether the generator maximizes E_Q[g(V(x))] instead of minimizing F. This is the
            alternative of section 3.2, which has a gradient when the discriminator wins.
    """

    direct: bool = False

    @of_tensors("real_logits", "fake_logits", one_batch=False)
    def estimate(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns the estimate F as the mean of float32 `[batch]`, for logits `[batch, ...]`."""
        return -self.discriminator(real_logits, fake_logits)

    def f(self, ratio: np.ndarray) -> np.ndarray:
        """Returns f of the ratio p / q, which is positive."""
        raise NotImplementedError

    def _activation(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the function g of logits."""
        raise NotImplementedError

    def _conjugate(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the function f* of g of logits."""
        raise NotImplementedError

    def _real(self, logits):
        return -self._activation(logits)

    def _fake(self, logits):
        return self._conjugate(logits)

    def _generator(self, logits):
        return -self._activation(logits) if self.direct else -self._conjugate(logits)


@serializable
class KullbackLeibler(FDivergence):
    """f-GAN with KL(P || Q) = E_P[log p / q] in nats: f(u) = u log u, g(v) = v, f*(t) = exp(t - 1).

    The optimal logit is 1 + log p / q. The generator has to cover all the data.

    Example:
        >>> KullbackLeibler().estimate(tf.ones([4, 1]), tf.ones([4, 1]))  # 0 each
    """

    threshold = 1.0

    @override
    def f(self, ratio):
        return ratio * np.log(ratio)

    def _activation(self, logits):
        return logits

    def _conjugate(self, logits):
        return tf.exp(logits - 1.0)


@serializable
class ReverseKL(FDivergence):
    """f-GAN with KL(Q || P), in nats: f(u) = -log u, g(v) = -exp(-v), f*(t) = -1 - log(-t).

    The optimal logit is log p / q. The generator has to avoid everything that is not in the data.

    Example:
        >>> ReverseKL().estimate(tf.zeros([4, 1]), tf.zeros([4, 1]))  # 0 each
    """

    @override
    def f(self, ratio):
        return -np.log(ratio)

    def _activation(self, logits):
        return -tf.exp(-logits)

    def _conjugate(self, logits):
        return logits - 1.0


@serializable
class Pearson(FDivergence):
    """f-GAN with Pearson's chi-square, the integral of (q - p)^2 / q: f(u) = (u - 1)^2, g(v) = v.

    f*(t) = t^2 / 4 + t, and the optimal logit is 2 (p / q - 1).

    Example:
        >>> Pearson().estimate(tf.zeros([4, 1]), tf.zeros([4, 1]))  # 0 each
    """

    @override
    def f(self, ratio):
        return np.square(ratio - 1)

    def _activation(self, logits):
        return logits

    def _conjugate(self, logits):
        return 0.25 * tf.square(logits) + logits


@serializable
class JensenShannon(FDivergence):
    """f-GAN with twice the Jensen-Shannon divergence, in nats.

    f(u) = u log u - (u + 1) log((u + 1) / 2), g(v) = log 2 - log(1 + exp(-v)), and f*(t) = -log(2 -
    exp(t)). The optimal logit is log p / q. The losses differ from `Minimax` by constants: the
    discriminator's is lower by 2 log 2, so that its negative is the divergence. With `direct`, the
    generator is that of `NonSaturating`. Deviation: the paper's table 1 names the divergence
    without the factor 2 that its f gives it.

    Example:
        >>> JensenShannon().estimate(tf.zeros([4, 1]), tf.zeros([4, 1]))  # 0 each
    """

    @override
    def f(self, ratio):
        return ratio * np.log(ratio) - (ratio + 1) * np.log((ratio + 1) / 2)

    def _activation(self, logits):
        return math.log(2.0) - tf.nn.softplus(-logits)

    def _conjugate(self, logits):
        return tf.nn.softplus(logits) - math.log(2.0)
