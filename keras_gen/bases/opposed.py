"""A likelihood model and a discriminator beside it, which tells what the model is to mend."""

from collections.abc import Callable

import keras
import tensorflow as tf

from keras_gen.losses.adversarial import Objective
from keras_gen.losses.base import per_example_mean
from keras_gen.training import GenerativeModel, minimize


class Opposed(GenerativeModel):
    """A model of an encoder and a decoder with a `discriminator`, which has its own optimizer.

    It stands before a base of likelihood models. A subclass takes the discriminator's step
    (`oppose`) in its `train_step`, after the model's own (`update`). `evaluate` leaves it out.
    """

    @property
    def loss_names(self):
        """What a step reports: the model's losses, and those of the discriminator."""
        return (*super().loss_names, "d_loss", "d_accuracy")

    def optimizers(self):
        """Returns the model's networks and the discriminator, each with its optimizer."""
        return {"optimizer": [self.encoder, self.decoder], "d_optimizer": [self.discriminator]}

    def compile(self, optimizer=None, d_optimizer=None, **kwargs):
        """Compiles with one optimizer each.

        Args:
            optimizer: The model's; default: the first of `default_optimizers`.
            d_optimizer: The discriminator's; default: the second.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        usual, d_usual = self.default_optimizers()
        super().compile(optimizer=optimizer or usual, d_optimizer=d_optimizer or d_usual, **kwargs)

    def default_optimizers(self) -> tuple[keras.optimizers.Optimizer, keras.optimizers.Optimizer]:
        """Returns the optimizers unless others are given."""
        raise NotImplementedError(f"{type(self).__name__} has no default optimizers.")

    def oppose(self, objective: Objective, logits_of: Callable, real, *fakes) -> dict:
        """Takes the discriminator's step.

        Args:
            objective: What it minimizes.
            logits_of: Function of `real` or a fake that returns the discriminator's logits.
            real: What is real, `[batch, ...]`.
            *fakes: What is not, one or more of the same shape.

        Returns:
            `d_loss`, the mean of what it loses on the real and on the fake, and `d_accuracy`, the
            fraction of all that it tells right: `[batch]` each, from before the step.
        """

        def discriminator_loss():
            of_real, *of_fakes = (tf.cast(logits_of(each), tf.float32) for each in (real, *fakes))
            losses = [0.5 * objective.discriminator(of_real, logits) for logits in of_fakes]
            right = [of_real > 0, *(logits < 0 for logits in of_fakes)]
            right = tf.cast(tf.stack(right, axis=1), tf.float32)
            return tf.reduce_mean(losses, axis=0), per_example_mean(right)

        loss, right = minimize(discriminator_loss, self.d_optimizer, self.discriminator)
        return {"d_loss": loss, "d_accuracy": right}
