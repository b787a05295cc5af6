"""Penalties on a discriminator: callables of the discriminator and the two batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gen.losses.base import Configurable, per_example_mean, per_example_sum, resolve


@dataclasses.dataclass(frozen=True)
class Penalty(Configurable):
    """Base of the penalties.

    Args:
        weight: Its factor in the loss.
        every: Steps from one time that it is computed to the next; it then counts as often
            (Karras et al. 2020, StyleGAN2, section 3.1).

    Raises:
        ValueError: If `weight` is negative or `every` below 1.
    """

    weight: float = 10.0
    every: int = 1

    def __post_init__(self):
        """Check the arguments."""
        if not self.weight >= 0:
            raise ValueError(
                f"{type(self).__name__} found weight={self.weight}: pass a number of at least 0."
            )
        if self.every < 1:
            raise ValueError(f"{type(self).__name__} found every={self.every}: pass 1 or more.")

    def check(self, discriminator: keras.Model) -> None:
        """Refuse a discriminator that the penalty is not for.

        Raises:
            ValueError: If it mixes the examples of a batch, so that none has a gradient of its own.
        """
        for layer in discriminator._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                raise ValueError(
                    f"{type(self).__name__} takes the gradient of each example alone, and the "
                    f"layer '{layer.name}' of {discriminator.name} mixes them: build it without "
                    "batch normalization (normalization='layer' or None)."
                )

    def __call__(
        self,
        discriminator: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        epsilon: tf.Tensor,
    ) -> tf.Tensor:
        """Return the weighted penalty of every example.

        Args:
            discriminator: Called with examples; returns logits `[batch, ...]`, of which the mean
                over the other axes is differentiated. It must not mix the examples of a batch.
            real: Real examples, `[batch, ...]`.
            fake: Fakes, same shape.
            epsilon: Uniform noise in [0, 1], `[batch, 1, ...]`: one number for each example, with
                as many axes as `real`.

        Returns:
            float32 `[batch]`.

        Raises:
            ValueError: If the shapes do not match.
        """
        raise NotImplementedError


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class GradientPenalty(Penalty):
    """weight * (|grad D(y)| - 1)^2, y between real and fake: Gulrajani et al. (2017), equation 3.

    Args:
        weight: The paper's lambda.
        every: See `Penalty`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> penalty = GradientPenalty()
        >>> critic = lambda x: tf.reduce_sum(x, axis=[1, 2, 3])
        >>> real, fake = tf.ones([4, 8, 8, 3]), tf.zeros([4, 8, 8, 3])
        >>> penalty(critic, real, fake, epsilon=tf.random.uniform([4, 1, 1, 1])).shape
        TensorShape([4])
    """

    def __call__(self, discriminator, real, fake, epsilon):
        """Return the weighted penalty of every example: see `Penalty`."""
        real, fake = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
        epsilon = tf.cast(epsilon, tf.float32)
        if not real.shape.is_compatible_with(fake.shape):
            raise ValueError(
                f"GradientPenalty found real {real.shape} and fake {fake.shape}: "
                "pass batches of one shape."
            )
        if not epsilon.shape.is_compatible_with([real.shape[0]] + [1] * (real.shape.rank - 1)):
            raise ValueError(
                f"GradientPenalty found epsilon of shape {epsilon.shape} for examples of shape "
                f"{real.shape}: pass one number for each example, shape [batch, 1, ...]."
            )
        between = epsilon * real + (1.0 - epsilon) * fake
        # The root has no derivative at 0, where a critic that ignores its input lies.
        norm = tf.sqrt(tf.maximum(_squared_slope(discriminator, between), 1e-12))
        return self.weight * tf.square(norm - 1.0)


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class R1(Penalty):
    """weight / 2 * |grad D(x)|^2 at real examples: Mescheder et al. (2018), equation 9.

    Args:
        weight: The paper's gamma, 10 there.
        every: See `Penalty`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> critic = lambda x: tf.reduce_sum(x, axis=1)  # of slope 1 for each of 3 inputs
        >>> R1(weight=2.0)(critic, tf.ones([4, 3]), tf.ones([4, 3]), tf.ones([4, 1]))  # 3 each
    """

    def __call__(self, discriminator, real, fake, epsilon):
        """Return the weighted penalty of every example: see `Penalty`."""
        del fake, epsilon
        return 0.5 * self.weight * _squared_slope(discriminator, tf.cast(real, tf.float32))


def _squared_slope(discriminator, examples):
    """|grad D|^2 at each example, `[batch]`."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(examples)
        logits = per_example_mean(tf.cast(discriminator(examples), tf.float32))
    return per_example_sum(tf.square(tape.gradient(logits, examples)))


PENALTIES: dict[str, type[Penalty]] = {"gradient": GradientPenalty, "r1": R1}


def get(identifier: Any) -> Penalty | None:
    """Return the penalty meant by a name, a saved config or an instance; None means no penalty.

    Args:
        identifier: "gradient", "r1", a dict from `keras.saving.serialize_keras_object`, a
            `Penalty`, or None.

    Raises:
        ValueError: If it is none of these.

    Example:
        >>> get("gradient")
        GradientPenalty(weight=10.0, every=1)
    """
    if identifier is None:
        return None
    return resolve(identifier, PENALTIES, Penalty, "penalty")
