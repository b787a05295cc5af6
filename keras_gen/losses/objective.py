"""The base of adversarial objectives."""

from __future__ import annotations

import tensorflow as tf

from keras_gen.losses.base import Configurable, per_example_mean


class Objective(Configurable):
    """Base of the objectives: subclasses state the loss of one logit.

    Attributes:
        compares: Whether `generator` needs `real_logits`. Models then show the discriminator real
            examples in the generator's turn too, and else spare that pass.
    """

    compares: bool = False

    @property
    def threshold(self) -> float:
        """The logit of an example that the best discriminator takes for either kind."""
        return 0.0

    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Return the discriminator's loss, float32 `[batch]`, for logits `[batch, ...]`."""
        return per_example_mean(self._real(float32(real_logits))) + per_example_mean(
            self._fake(float32(fake_logits))
        )

    def generator(self, fake_logits: tf.Tensor, real_logits: tf.Tensor | None = None) -> tf.Tensor:
        """Return the generator's loss, float32 `[batch]`, for logits `[batch, ...]`."""
        del real_logits
        return per_example_mean(self._generator(float32(fake_logits)))

    def _real(self, logits: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError

    def _fake(self, logits: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError

    def _generator(self, logits: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError


def float32(logits: tf.Tensor) -> tf.Tensor:
    """Return logits as float32, in which all objectives compute."""
    return tf.cast(logits, tf.float32)
