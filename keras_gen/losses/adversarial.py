"""Adversarial objectives: the losses of discriminators and generators as functions of logits.

Every objective has two methods that return one loss per example, float32 `[batch]`:
`discriminator(real_logits, fake_logits)` and `generator(fake_logits, real_logits=None)`. If
`compares` is True, the method `generator` requires the real logits. Logits are the raw output of
the discriminator, `[batch, ...]`, of any float dtype. Logits are cast to float32, and the loss is
averaged over all axes except the first, so each logit map of a PatchGAN counts as one example.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.distribution import batch_mean
from keras_gen.declared import Declared, NonNegative
from keras_gen.losses.per_example import of_tensors, per_example_mean, resolve, serializable


class Objective(Declared):
    """Base class for objectives. Subclasses define the losses as functions of logits.

    Attributes:
        compares: Whether `generator` requires `real_logits`. If False, models do not pass real
            examples through the discriminator for the generator's loss.
        threshold: Logit of the optimal discriminator for an example that is equally likely to be
            real or generated. None if there is no such logit, as for critics: only differences
            between a critic's logits are meaningful.
    """

    compares: ClassVar[bool] = False
    threshold: ClassVar[float | None] = 0.0

    @of_tensors("real_logits", "fake_logits", one_batch=False)
    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns the discriminator's loss, float32 `[batch]`, for logits `[batch, ...]`."""
        real = per_example_mean(self._real(tf.cast(real_logits, tf.float32)))
        fake = per_example_mean(self._fake(tf.cast(fake_logits, tf.float32)))
        return real + fake

    @of_tensors("fake_logits", "real_logits", one_batch=False)
    def generator(
        self, fake_logits: tf.Tensor, real_logits: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns the generator's loss, float32 `[batch]`, for logits `[batch, ...]`."""
        return per_example_mean(self._generator(tf.cast(fake_logits, tf.float32)))

    def _real(self, logits: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError

    def _fake(self, logits: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError

    def _generator(self, logits: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError


@of_tensors("real_logits", "fake_logits")
def discrimination(objective: Any, real_logits, *fake_logits) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a discriminator's loss on real examples and one or more sets of generated examples.

    Args:
        objective: Adversarial objective that the discriminator minimizes, or its name.
        real_logits: Logits of real examples, `[batch, ...]`.
        *fake_logits: Logits of one set of generated examples per argument, with the same shape as
            `real_logits`.

    Returns:
        The loss and the accuracy, each `[batch]`. The loss is half the objective, averaged over the
        sets of generated examples. The accuracy is the fraction of all examples that the
        discriminator classifies correctly with the objective's threshold, or with the threshold 0
        if the objective has none.

    Raises:
        TypeError: If logits are not numbers.
        ValueError: If the objective is unknown, if there are no generated examples, or if the
            shapes differ.

    Example:
        >>> loss, accuracy = discrimination(Minimax(), tf.ones([4, 1]), -tf.ones([4, 1]))
    """
    objective = get(objective)
    if not fake_logits:
        raise ValueError(
            "fake_logits is empty: expected logits for at least one set of generated examples."
        )
    threshold = objective.threshold or 0.0
    real = tf.cast(real_logits, tf.float32)
    losses = []
    right = [real > threshold]
    for logits in fake_logits:
        fake = tf.cast(logits, tf.float32)
        losses.append(0.5 * objective.discriminator(real, fake))
        right.append(fake < threshold)
    accuracy = per_example_mean(tf.cast(tf.stack(right, axis=1), tf.float32))
    return tf.reduce_mean(losses, axis=0), accuracy


class FDivergence(Objective):
    """Base class for f-GAN objectives: bounds on a divergence D_f(P || Q) of data P and model Q.

    Nowozin, Cseke, Tomioka: "f-GAN: Training Generative Neural Samplers using Variational
    Divergence Minimization", NeurIPS 2016. With the logit V, its output activation g, and the
    conjugate f* of f (table 2), the discriminator maximizes eq. (7):

        F = E_P[g(V(x))] - E_Q[f*(g(V(x)))]  <=  D_f(P || Q),

    with equality for g(V) = f'(p / q). The generator minimizes F. The discriminator's loss is
    therefore the negative of an estimate of the divergence. A subclass defines g and the
    composition of f* and g.

    Args:
        direct: Whether the generator maximizes E_Q[g(V(x))] instead of minimizing F. The gradient
            of this alternative (sec. 3.2) does not vanish if the discriminator wins.
    """

    direct: bool = False

    @of_tensors("real_logits", "fake_logits", one_batch=False)
    def estimate(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns terms, float32 `[batch]`, whose mean estimates F, for logits `[batch, ...]`."""
        return -self.discriminator(real_logits, fake_logits)

    def f(self, ratio: np.ndarray) -> np.ndarray:
        """Returns the value of f at positive ratios p / q."""
        raise NotImplementedError

    def _activation(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns g(logits)."""
        raise NotImplementedError

    def _conjugate(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f*(g(logits))."""
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

    The optimal logit is 1 + log p / q. The generator is penalized most where it does not cover the
    data.

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

    The optimal logit is log p / q. The generator is penalized most for examples that do not
    resemble the data.

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
    discriminator's loss is lower by 2 log 2, so its negative is an estimate of the divergence.
    With `direct`, the generator's loss equals the loss in `NonSaturating`. Deviation: table 1 of
    the paper omits the factor of 2 that follows from the paper's f.

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


@serializable
class Minimax(Objective):
    """The zero-sum game of Goodfellow et al. (2014), eq. (1), in nats.

    With D = sigmoid(logit), the discriminator minimizes -log D(x) - log(1 - D(G(z))), and the
    generator minimizes log(1 - D(G(z))). The gradient of the generator's loss vanishes when the
    discriminator wins.

    Args:
        real_target: Target of D for real examples, above 0 and at most 1. A target below 1 gives
            the one-sided label smoothing of Salimans et al.: "Improved Techniques for Training
            GANs", NeurIPS 2016, sec. 3.4, where the target is 0.9. The optimal D is then
            `real_target` times p / (p + q), where p is the density of the data and q is the density
            of the model.

    Example:
        >>> loss = Minimax().discriminator(tf.zeros([4, 1]), tf.zeros([4, 1]))  # 2 log 2 each
    """

    real_target: float = 1.0

    @override
    def set_up(self):
        if not 0 < self.real_target <= 1:
            raise ValueError(
                f"{type(self).__name__}'s real_target is {self.real_target}: expected a "
                "probability above 0 and at most 1, such as 0.9."
            )

    @property
    @override
    def threshold(self):  # type: ignore[override]
        """Optimal logit where p = q: the logit of half the target for real examples."""
        return math.log(self.real_target / (2.0 - self.real_target))

    def _real(self, logits):
        # Cross-entropy between the target for real examples and D.
        return tf.nn.softplus(-logits) + (1.0 - self.real_target) * logits

    def _fake(self, logits):
        return tf.nn.softplus(logits)

    def _generator(self, logits):
        return -tf.nn.softplus(logits)


@serializable
class NonSaturating(Minimax):
    """`Minimax` whose generator minimizes -log D(G(z)) (Goodfellow et al. 2014, sec. 3).

    The game has the same fixed point as `Minimax`, but the generator's gradient is strong when the
    discriminator wins.

    Example:
        >>> loss = NonSaturating().generator(tf.zeros([4, 1]))  # log 2 each
    """

    def _generator(self, logits):
        return tf.nn.softplus(-logits)


@serializable
class LeastSquares(Objective):
    """Squared distance from logits to targets, as in LSGAN (Mao et al. 2017, eq. (9)).

    The discriminator minimizes (D(x) - b)^2 + (D(G(z)) - a)^2, and the generator minimizes
    (D(G(z)) - c)^2. The factors 1/2 in eq. (9) are omitted, as in CycleGAN (Zhu et al. 2017, sec.
    4).

    Args:
        a: Discriminator's target for generated examples.
        b: Discriminator's target for real examples.
        c: Generator's target for generated examples.

    Example:
        >>> loss = LeastSquares().discriminator(tf.ones([4, 8, 8, 1]), tf.zeros([4, 8, 8, 1]))  # 0
    """

    a: float = 0.0
    b: float = 1.0
    c: float = 1.0

    @property
    @override
    def threshold(self):  # type: ignore[override]
        """Logit halfway between the discriminator's targets."""
        return (self.a + self.b) / 2

    def _real(self, logits):
        return tf.square(logits - self.b)

    def _fake(self, logits):
        return tf.square(logits - self.a)

    def _generator(self, logits):
        return tf.square(logits - self.c)


@serializable
class Wasserstein(Objective):
    """Difference between the critic's means, as in WGAN (Arjovsky et al. 2017, eqs. (2) and (3)).

    The critic minimizes D(G(z)) - D(x), and the generator minimizes -D(G(z)). The difference is a
    distance only if the critic is Lipschitz, so combine this objective with a penalty, clipping, or
    spectral normalization.

    Args:
        drift: Weight of D(x)^2, a term that pulls the critic's outputs toward 0. The weight must be
            at least 0, and is 0.001 in Karras et al. (2018), appendix A.1.

    Example:
        >>> loss = Wasserstein().discriminator(tf.ones([4, 1]), tf.zeros([4, 1]))  # -1 each
    """

    drift: NonNegative = 0.0
    threshold = None

    def _real(self, logits):
        return self.drift * tf.square(logits) - logits if self.drift else -logits

    def _fake(self, logits):
        return logits

    def _generator(self, logits):
        return -logits


@serializable
class Hinge(Objective):
    """The hinge loss of Lim & Ye (2017) and Miyato et al. (2018), eqs. (16) and (17).

    The discriminator minimizes max(0, 1 - D(x)) + max(0, 1 + D(G(z))), and the generator minimizes
    -D(G(z)).

    Example:
        >>> loss = Hinge().discriminator(2 * tf.ones([4, 1]), -2 * tf.ones([4, 1]))  # 0 each
    """

    def _real(self, logits):
        return tf.nn.relu(1.0 - logits)

    def _fake(self, logits):
        return tf.nn.relu(1.0 + logits)

    def _generator(self, logits):
        return -logits


@serializable
class Relativistic(Objective):
    """Relativistic objective, which compares the logits of real and generated examples.

    Jolicoeur-Martineau: "The relativistic discriminator: a key element missing from standard GAN",
    ICLR 2019. With logits C, RSGAN's discriminator minimizes -log sigmoid(C(x) - C(G(z))), and its
    generator minimizes -log sigmoid(C(G(z)) - C(x)), for pairs of real and generated examples at
    the same position in their batches. RaSGAN compares the logit of each real example with the
    average logit of the generated examples, and vice versa.

    Args:
        average: Whether to use RaSGAN instead of RSGAN. Averages are computed over the global batch
            and over all positions in maps of logits.

    Example:
        >>> Relativistic().generator(tf.zeros([4, 1]), tf.zeros([4, 1]))  # log 2 each
    """

    average: bool = False
    # These attributes are not annotated, because annotated attributes are arguments.
    compares = True
    threshold = None

    @override
    @of_tensors("real_logits", "fake_logits")
    def discriminator(self, real_logits, fake_logits):
        return self._disbelief(real_logits, fake_logits)

    @override
    @of_tensors("fake_logits", "real_logits")
    def generator(self, fake_logits, real_logits=None):
        if real_logits is None:
            raise ValueError(
                "real_logits is None: expected the logits of real examples, with which "
                "Relativistic compares the fake logits in the generator's loss."
            )
        return self._disbelief(fake_logits, real_logits)

    def _disbelief(self, first, second):
        """Returns the negative log probability that the first example is more realistic."""
        first = tf.cast(first, tf.float32)
        second = tf.cast(second, tf.float32)
        if not self.average:
            return per_example_mean(tf.nn.softplus(second - first))
        first_mean = batch_mean(per_example_mean(first))
        second_mean = batch_mean(per_example_mean(second))
        of_first = per_example_mean(tf.nn.softplus(second_mean - first))
        of_second = per_example_mean(tf.nn.softplus(second - first_mean))
        return of_first + of_second


OBJECTIVES: dict[str, type[Objective]] = {
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "least_squares": LeastSquares,
    "wasserstein": Wasserstein,
    "hinge": Hinge,
    "relativistic": Relativistic,
    "kl": KullbackLeibler,
    "reverse_kl": ReverseKL,
    "pearson": Pearson,
    "jensen_shannon": JensenShannon,
}


def get(identifier: Any) -> Objective:
    """Returns the objective for an instance, a name in `OBJECTIVES`, or a saved config.

    Example:
        >>> get("least_squares")
        LeastSquares(a=0.0, b=1.0, c=1.0)
    """
    return resolve(identifier, OBJECTIVES, Objective, "adversarial objective")


def get_of_fakes(identifier: Any) -> Objective:
    """Returns `get(identifier)`, for models whose generators do not use logits of real examples.

    Raises:
        ValueError: If the objective is unknown, or if it compares generated examples with real
            examples.

    Example:
        >>> get_of_fakes("hinge")
        Hinge()
    """
    objective = get(identifier)
    if objective.compares:
        raise ValueError(
            f"The objective {type(objective).__name__} compares fakes with real examples, "
            "which this generator's step does not use: use another objective, such as "
            "'least_squares' or 'hinge'."
        )
    return objective
