"""The base class of adversarial objectives, and the loss on several kinds of fakes."""

from __future__ import annotations

from typing import ClassVar

import tensorflow as tf

from keras_gen.declared import Declared
from keras_gen.losses.per_example import per_example_mean
from keras_gen.losses.tensor_arguments import of_tensors


class Objective(Declared):
    """Base class of the objectives: subclasses define the loss for logits.

    Attributes:
        compares: Whether `generator` requires `real_logits`. If not, models skip that pass through
            the discriminator.
        threshold: The optimal discriminator's logit for an example that is equally likely to be
            real or fake. None if it is not a number, as for critics of whose logits only the
            differences have a meaning.
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


def discrimination(objective, real_logits, *fake_logits) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a discriminator's loss on real examples and on one or more kinds of fakes.

    Args:
        objective: Adversarial objective that the discriminator minimizes.
        real_logits: `[batch, ...]`.
        *fake_logits: Logits of each kind of fakes, in the shape of `real_logits`.

    Returns:
        The loss, which is the mean over the kinds of half the objective, and the fraction of all
        examples that the discriminator classifies correctly, with the objective's threshold or
        otherwise 0: `[batch]` each.

    Example:
        >>> loss, accuracy = discrimination(Minimax(), tf.ones([4, 1]), -tf.ones([4, 1]))
    """
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
