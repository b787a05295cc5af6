"""The base of adversarial objectives, and the loss of a discriminator on several kinds of fakes."""

from __future__ import annotations

from typing import ClassVar

import tensorflow as tf

from keras_gen.declared import Declared
from keras_gen.losses.per_example import per_example_mean
from keras_gen.losses.tensor_arguments import of_tensors


class Objective(Declared):
    """Base of the objectives: subclasses define the loss of one logit.

    Attributes:
        compares: Whether `generator` needs `real_logits`. If not, models save that pass of the
            discriminator.
        threshold: The best discriminator's logit of an example that is as likely real as fake;
            None where that is no number, as of critics whose logits mean something by their
            differences alone.
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
        objective: Adversarial objective that it minimizes.
        real_logits: `[batch, ...]`.
        *fake_logits: Of each kind of fakes, of the same shape.

    Returns:
        The loss, the mean over the kinds of half of the objective; and the fraction of all that the
        discriminator classifies right, by the objective's threshold or else by 0: `[batch]` each.

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
