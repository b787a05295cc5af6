"""Penalties on a discriminator: callables of the discriminator and the two batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gen.losses.base import Configurable, per_example_mean, per_example_sum, resolve


class Penalty(Configurable):
    """Base of the penalties."""

    def __call__(
        self,
        discriminator: Callable[..., tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        epsilon: tf.Tensor,
    ) -> tf.Tensor:
        """Return the weighted penalty, float32 `[batch]`."""
        raise NotImplementedError


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class GradientPenalty(Penalty):
    """weight * (|grad D(y)| - 1)^2, y between real and fake: Gulrajani et al. (2017), equation 3.

    Args:
        weight: the paper's lambda.

    Raises:
        ValueError: `weight` is negative.

    Example:
        >>> penalty = GradientPenalty()
        >>> critic = lambda x, training: tf.reduce_sum(x, axis=[1, 2, 3])
        >>> real, fake = tf.ones([4, 8, 8, 3]), tf.zeros([4, 8, 8, 3])
        >>> penalty(critic, real, fake, epsilon=tf.random.uniform([4, 1, 1, 1])).shape
        TensorShape([4])
    """

    weight: float = 10.0

    def __post_init__(self):
        """Check the arguments."""
        if not self.weight >= 0:
            raise ValueError(
                f"GradientPenalty found weight={self.weight}: pass a number of at least 0."
            )

    def __call__(
        self,
        discriminator: Callable[..., tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        epsilon: tf.Tensor,
    ) -> tf.Tensor:
        """Return the weighted penalty of every example.

        Args:
            discriminator: called as `discriminator(y, training=True)`; returns logits
                `[batch, ...]`, of which the mean over the other axes is differentiated. It must
                not mix the examples of a batch (no batch normalisation).
            real: real examples, `[batch, ...]`.
            fake: fakes, same shape.
            epsilon: the share of `real` in y, uniform in [0, 1], `[batch, 1, ...]`: one number for
                each example, with as many axes as `real`.

        Returns:
            float32 `[batch]`.

        Raises:
            ValueError: the shapes do not match.
        """
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
                f"{real.shape}: pass one number an example, shape [batch, 1, ...]."
            )
        between = epsilon * real + (1.0 - epsilon) * fake
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            logits = per_example_mean(tf.cast(discriminator(between, training=True), tf.float32))
        gradient = tape.gradient(logits, between)
        # The root has no derivative at 0, where a critic that ignores its input lies.
        norm = tf.sqrt(tf.maximum(per_example_sum(tf.square(gradient)), 1e-12))
        return self.weight * tf.square(norm - 1.0)


PENALTIES: dict[str, type[Penalty]] = {"gradient_penalty": GradientPenalty}


def get(identifier: Any) -> Penalty | None:
    """Return the penalty meant by a name, a saved config or an instance; None means no penalty.

    Args:
        identifier: "gradient_penalty", a dict from `keras.saving.serialize_keras_object`, a
            `Penalty`, or None.

    Raises:
        ValueError: it is none of these.

    Example:
        >>> get("gradient_penalty")
        GradientPenalty(weight=10.0)
    """
    if identifier is None:
        return None
    return resolve(identifier, PENALTIES, Penalty, "penalty")
