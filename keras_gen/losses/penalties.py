"""Penalties on a discriminator, computed from real and generated examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.data.transforms.image_augmentations import moved
from keras_gen.declared import CountFrom0, Declared, NonNegative, PositiveInteger
from keras_gen.keras_internals import all_layers
from keras_gen.losses.per_example import (
    of_tensors,
    per_example_mean,
    per_example_sum,
    resolve,
    serializable,
)


class Penalty(Declared):
    """Base class for penalties on a discriminator.

    Args:
        weight: Factor applied to the penalty in the loss, at least 0.
        every: Number of steps between computations of the penalty, at least 1. The penalty is
            multiplied by this interval (Karras et al. 2020, StyleGAN2, sec. 3.1).
    """

    weight: NonNegative = 10.0
    every: PositiveInteger = 1
    # Noise for a call, and whether each value of an example gets its own noise. These attributes
    # are not annotated, because annotated attributes are arguments.
    noise = "uniform"
    noise_per_value = False

    def check(self, discriminator: keras.Model) -> None:
        """Raises a ValueError if a discriminator mixes the examples in a batch."""
        for layer in all_layers(discriminator):
            if isinstance(layer, keras.layers.BatchNormalization):
                raise ValueError(
                    f"{type(self).__name__} requires a separate gradient for each example, but "
                    f"the layer '{layer.name}' of {discriminator.name} mixes examples: build the "
                    "network without batch normalization (normalization='layer' or None)."
                )

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__call__" in vars(cls):
            checked = of_tensors("real", "fake", "epsilon", function="discriminator")
            cls.__call__ = checked(cls.__call__)  # type: ignore[method-assign]

    def __call__(
        self,
        discriminator: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        epsilon: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the weighted penalty of every example, float32 `[batch]`.

        Args:
            discriminator: Function that maps examples to logits `[batch, ...]`. The mean of the
                logits over all axes except the first is differentiated. The function must not mix
                the examples in a batch.
            real: Real examples, `[batch, ...]`.
            fake: Generated examples, with the same shape as `real`.
            epsilon: Noise. By default, the noise is uniform in [0, 1], with one number per example:
                `[batch, 1, ...]` with as many axes as `real`. If `noise` is "normal", the noise is
                normal. If `noise_per_value` is True, the noise has the same shape as `real`.
        """
        raise NotImplementedError


@serializable
class GradientPenalty(Penalty):
    """Penalty `weight * (|grad D(y)| - 1)^2` at points y between real and generated examples.

    This is the penalty of Gulrajani et al. (2017), eq. (3).

    Args:
        weight: Factor applied to the penalty; lambda in the paper.
        one_sided: Whether to penalize only slopes above 1, as in the alternative in sec. 4. In one
            dimension, a critic that starts with the wrong sign remains at slope -1 under the
            two-sided penalty.

    Example:
        >>> critic = lambda x: tf.reduce_sum(x, axis=1)  # of slope 2 for 4 inputs
        >>> GradientPenalty()(critic, tf.ones([3, 4]), tf.zeros([3, 4]), tf.ones([3, 1]))  # 10 each
    """

    one_sided: bool = False

    @override
    def __call__(self, discriminator, real, fake, epsilon):
        real = tf.cast(real, tf.float32)
        fake = tf.cast(fake, tf.float32)
        if not real.shape.is_compatible_with(fake.shape):
            raise ValueError(
                f"real has shape {real.shape}, but fake has shape {fake.shape}: expected the "
                "same shape."
            )
        between = epsilon * real + (1.0 - epsilon) * fake
        return self.weight * _squared_distance_to_1(discriminator, between, self.one_sided)


@serializable
class DRAGAN(Penalty):
    """Penalty `weight * (|grad D(x + delta)| - 1)^2` at real examples x with normal noise delta.

    Kodali, Abernethy, Hays, Kira: "On Convergence and Stability of GANs", 2017. The penalty is the
    one in algorithm 1 with k = 1. It keeps the slope of D near 1 only around the data. Deviation:
    the authors' code perturbs a batch by up to half of its standard deviation; here, the noise has
    a fixed standard deviation, so the penalty of one example does not depend on other examples.

    Args:
        weight: Factor applied to the penalty; lambda in the paper.
        std: Standard deviation of the noise, at least 0, in the units of the examples, such as
            images in [-1, 1]. In the paper, c is the square of this standard deviation.

    Example:
        >>> critic = lambda x: tf.reduce_sum(x, axis=1)  # of slope 1 for each of 4 inputs
        >>> DRAGAN()(critic, tf.ones([3, 4]), tf.ones([3, 4]), tf.random.normal([3, 4]))  # 10 each
    """

    std: NonNegative = 0.5
    noise = "normal"
    noise_per_value = True

    @override
    def __call__(self, discriminator, real, fake, epsilon):
        around = tf.cast(real, tf.float32) + self.std * tf.cast(epsilon, tf.float32)
        return self.weight * _squared_distance_to_1(discriminator, around)


@serializable
class R1(Penalty):
    """Penalty `weight / 2 * |grad D(x)|^2` at real examples (Mescheder et al. 2018, eq. (9)).

    Args:
        weight: Factor applied to the penalty; gamma in the paper, where it is 10.

    Example:
        >>> critic = lambda x: tf.reduce_sum(x, axis=1)  # of slope 1 for each of 3 inputs
        >>> R1(weight=2.0)(critic, tf.ones([4, 3]), tf.ones([4, 3]), tf.ones([4, 1]))  # 3 each
    """

    @override
    def __call__(self, discriminator, real, fake, epsilon):
        _, slope = _logits_and_slope(discriminator, real)
        return 0.5 * self.weight * slope


@serializable
class R2(Penalty):
    """Penalty `weight / 2 * |grad D(x)|^2` at generated examples (Mescheder et al., eq. (10)).

    Example:
        >>> R2()(lambda x: tf.reduce_sum(x, 1), tf.ones([4, 3]), tf.ones([4, 3]), 0.0)  # 15 each
    """

    @override
    def __call__(self, discriminator, real, fake, epsilon):
        _, slope = _logits_and_slope(discriminator, fake)
        return 0.5 * self.weight * slope


@serializable
class JensenShannonRegularizer(Penalty):
    """Penalty that equals the first-order effect of noise on a discriminator's inputs.

    This is the penalty of Roth, Lucchi, Nowozin, Hofmann: "Stabilizing Training of Generative
    Adversarial Networks through Regularization", NeurIPS 2017, for the Jensen-Shannon GAN. With D =
    sigmoid(logit), the penalty is weight / 2 * ((1 - D(x))^2 |grad logit(x)|^2 + D(G(z))^2 |grad
    logit(G(z))|^2). To first order, noise with variance `weight` on real and generated examples has
    the same effect. The penalty is intended for objectives whose optimal logit is log p / q:
    minimax, non-saturating (as in the authors' code), and Jensen-Shannon. The penalty vanishes when
    D is certain. Therefore, if the distributions are far apart, noise helps, but this penalty does
    not. Deviation: the weight is constant, whereas it is annealed in the paper's image experiments.

    Args:
        weight: Factor applied to the penalty; gamma in the paper. The weight is 2 in the authors'
            image experiments, and 0.1 in the experiments in which it is not annealed.

    Example:
        >>> critic = lambda x: 0 * tf.reduce_sum(x, axis=1)  # of slope 0
        >>> JensenShannonRegularizer()(critic, *3 * [tf.ones([4, 2])])  # 0 each
    """

    weight: NonNegative = 2.0

    @override
    def __call__(self, discriminator, real, fake, epsilon):
        real_logits, real_slope = _logits_and_slope(discriminator, real)
        fake_logits, fake_slope = _logits_and_slope(discriminator, fake)
        of_real = tf.square(tf.sigmoid(-real_logits)) * real_slope
        of_fake = tf.square(tf.sigmoid(fake_logits)) * fake_slope
        return 0.5 * self.weight * (of_real + of_fake)


@serializable
class Consistency(Penalty):
    """Penalty `weight * (D(x) - D(T(x)))^2` at real images x, where T randomly shifts and flips x.

    Zhang, Zhang, Odena, Lee: "Consistency Regularization for Generative Adversarial Networks", ICLR
    2020. D denotes the logits; for maps of logits, the squares are averaged over positions. T flips
    an image with probability 1/2 and shifts it by whole pixels, with all shifts equally likely;
    gaps are filled by reflection. Batch normalization is allowed.

    Args:
        weight: Factor applied to the penalty; lambda in the paper.
        pixels: Maximum shift, in pixels, of an image up, down, left, or right; at least 0.

    Example:
        >>> critic = lambda x: tf.reduce_sum(x, axis=[1, 2, 3])
        >>> same = tf.ones([4, 8, 8, 3])  # which no move changes
        >>> Consistency(pixels=2)(critic, same, same, tf.random.uniform([4, 1, 1, 1]))  # 0 each
    """

    pixels: CountFrom0 = 4

    @override
    def check(self, discriminator):
        """Raises a ValueError unless D accepts images that can be shifted; D may mix examples."""
        shape = tuple(discriminator.inputs[0].shape[1:])
        sides = [side for side in shape[:2] if side is not None]
        if len(shape) != 3 or any(side <= self.pixels for side in sides):
            raise ValueError(
                f"Consistency shifts images by up to {self.pixels} pixels, but "
                f"{discriminator.name} accepts examples of shape {shape}: expected images "
                f"[height, width, channels] with sides of at least {self.pixels + 1} pixels."
            )

    @override
    def __call__(self, discriminator, real, fake, epsilon):
        real = tf.cast(real, tf.float32)
        shifts = 2 * self.pixels + 1
        # The index selects one of the 2 * shifts * shifts transformations.
        number = tf.cast(tf.reshape(epsilon, [-1]) * (2 * shifts * shifts), tf.int32)
        flip = tf.reshape(number % 2 == 1, [-1, 1, 1, 1])
        down = number // 2 // shifts - self.pixels
        right = number // 2 % shifts - self.pixels
        flipped = tf.where(flip, real[:, :, ::-1], real)
        changed = moved(flipped, down, right, self.pixels, "REFLECT")
        logits = tf.cast(discriminator(real), tf.float32)
        changed_logits = tf.cast(discriminator(changed), tf.float32)
        return self.weight * per_example_mean(tf.square(logits - changed_logits))


def _logits_and_slope(discriminator, examples):
    """Returns the logit of each example and |grad logit|^2, each `[batch]`."""
    examples = tf.cast(examples, tf.float32)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(examples)
        logits = per_example_mean(tf.cast(discriminator(examples), tf.float32))
    return logits, per_example_sum(tf.square(tape.gradient(logits, examples)))


def _squared_distance_to_1(discriminator, examples, one_sided=False):
    """Returns (|grad D| - 1)^2 of each example, `[batch]`; if one-sided, 0 for slopes below 1."""
    _, slope = _logits_and_slope(discriminator, examples)
    # The squared norm is limited, because the square root has no derivative at 0, which is the
    # squared slope of a critic that ignores its input.
    norm = tf.sqrt(tf.maximum(slope, 1e-12))
    return tf.square(tf.nn.relu(norm - 1.0) if one_sided else norm - 1.0)


PENALTIES: dict[str, type[Penalty]] = {
    "consistency": Consistency,
    "gradient": GradientPenalty,
    "dragan": DRAGAN,
    "r1": R1,
    "r2": R2,
    "jensen_shannon": JensenShannonRegularizer,
}


def get(identifier: Any) -> Penalty | None:
    """Returns the penalty for an instance, a name in `PENALTIES`, or a saved config; None for None.

    Example:
        >>> get("gradient")
        GradientPenalty(weight=10.0, every=1, one_sided=False)
    """
    if identifier is None:
        return None
    return resolve(identifier, PENALTIES, Penalty, "penalty")
