"""Warnings about problems during adversarial training."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.core import is_chief, stateless, training_step
from keras_gen.metrics.samples.modes import bin_shares
from keras_gen.metrics.samples.neighbors import nearest_neighbors

# Each condition below holds if the value is below its limit.
SURE = 0.02  # discriminator certain of all examples: loss as a fraction of the guessing loss
MOSTLY = 0.5  # discriminator mostly right: loss as a fraction of the guessing loss
FLAT = 0.01  # vanished gradient of the generator: change of the generator's loss
CLOSE = 0.1  # repeated samples: their distance, as a fraction of the distance of real examples
RARE = 0.1  # missing mode: number of samples in a cluster, as a fraction of the expected number
EXPECTED = 10  # minimum number of real examples in a cluster; fewer might be missing by chance


class AdversarialHealth(keras.callbacks.Callback):
    """Warns about problems in adversarial training and suggests remedies, but never stops it.

    After an epoch, the callback checks a few hundred real examples and an equal number of generated
    examples. It prints a warning when one of the following conditions has held for `patience`
    consecutive checks, and repeats the warning only if the condition ends and recurs:

    - the discriminator is saturated: its loss is below 2% of the loss of a discriminator that
      guesses;
    - the generator's gradient has vanished: moving the generator's samples as far as the distance
      to the data would change the generator's loss by less than 0.01, although the discriminator is
      mostly right;
    - samples repeat: the median distance from a sample to the nearest other sample is less than a
      tenth of the corresponding median for real examples;
    - modes are missing: a cluster of the real examples, computed on raw pixels (see
      `metrics.bin_shares`), contains less than a tenth of the expected number of samples.

    The first two conditions are not checked if the discriminator's loss can be negative, like the
    loss of a Wasserstein critic. The thresholds are rough, so treat a warning as a reason to
    inspect samples. A check affects neither the model's state nor the noise of the training steps.

    Args:
        *data: Real examples as accepted by `fit`: one array per argument of `fit`, each with 100 to
            1,000 rows.
        every: Number of epochs between checks.
        patience: Number of consecutive checks in which a condition must hold before a warning is
            printed.
        say: Function called with each warning.

    Raises:
        ValueError: If `every` or `patience` is below 1, or if there are fewer than 100 examples.
            When `fit` starts, also if the model is not adversarial.

    Example:
    ```python
    gan.fit(images, epochs=20, callbacks=[AdversarialHealth(images[:500])])
    ```
    """

    def __init__(
        self, *data: np.ndarray, every: int = 1, patience: int = 3,
        say: Callable[[str], None] = print,
    ):  # fmt: skip
        super().__init__()
        if not data or len(data[0]) < 100:
            count = len(data[0]) if data else 0
            raise ValueError(f"AdversarialHealth got {count} examples: expected at least 100.")
        self.every = checked_size("every", every)
        self.patience = checked_size("patience", patience)
        self.say = say
        self._data = data
        # Number of consecutive checks in which each condition held, by name; saved in checkpoints.
        self.saturated = self.vanished = self.repeated = self.missing = 0

    @override
    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "logits_of_both"):
            raise ValueError(
                f"AdversarialHealth got a {type(self.model).__name__}: expected a model with a "
                "generator and a discriminator. Leave out this callback."
            )

    @override
    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        for name, warning in self.check().items():
            spell = getattr(self, name) + 1 if warning else 0
            setattr(self, name, spell)
            if spell == self.patience and is_chief():
                self.say(f"  health, epoch {epoch + 1}: {warning}")

    def check(self) -> dict[str, str]:
        """Returns a dict with the warnings `saturated`, `vanished`, `repeated`, and `missing`.

        Each warning is a string, which is empty if there is no problem.
        """
        (batch,) = self.model.minibatches(self.model.prepare_batch(self._data))
        fake = self.model.generated("health", batch)
        real = self.model.real(batch).numpy().reshape(len(fake), -1)
        samples = fake.numpy().reshape(len(fake), -1)
        if not np.isfinite(samples).all():
            return {}  # training ends with an explanation of the step that caused them
        guess, d_loss, slope = self._play(batch, fake)
        way = np.sqrt(np.square(real - samples).sum(axis=1).mean())
        return {
            "saturated": _saturated(guess, d_loss),
            "vanished": _vanished(guess, d_loss, slope * way),
            "repeated": _repeated(real, samples),
            "missing": _missing(real, samples),
        }

    def _play(self, batch, fake) -> tuple[float, float, float]:
        """Returns the loss of guessing, the discriminator's loss, and the generator's slope."""
        objective = self.model.objective
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fake)
            with training_step(self.model), stateless():
                real_logits, fake_logits = self.model.logits_of_both(batch, fake)
            g_loss = objective.generator(fake_logits, real_logits)
        slopes = tf.reshape(tape.gradient(g_loss, fake), [len(fake), -1])
        unsure = tf.fill(tf.shape(fake_logits), objective.threshold or 0.0)
        guess = objective.discriminator(unsure, unsure)
        d_loss = objective.discriminator(real_logits, fake_logits)
        slope = tf.norm(slopes, axis=-1)
        return _mean(guess), _mean(d_loss), _mean(slope)


def _mean(values) -> float:
    return float(tf.reduce_mean(values))


def _saturated(guess, d_loss) -> str:
    if not 0 <= d_loss < SURE * guess:
        return ""
    return (
        f"the discriminator is certain of every example: its loss is {d_loss:.2g}, compared with "
        f"{guess:.2g} for guessing. Try a penalty ('r1', 'gradient'), spectral normalization, or "
        "a lower learning rate."
    )


def _vanished(guess, d_loss, gain) -> str:
    if not (0 <= d_loss < MOSTLY * guess and gain < FLAT):
        return ""
    return (
        "the generator's gradient has vanished: a step as long as the distance to the data "
        f"would change its loss by only {gain:.1g}. Try objective='non_saturating' or "
        "'wasserstein', a penalty ('gradient', 'r1'), or fewer discriminator_steps."
    )


def _repeated(real, samples) -> str:
    usual = np.median(nearest_neighbors(real, real, k=2)[0][:, 1])
    found = np.median(nearest_neighbors(samples, samples, k=2)[0][:, 1])
    if not found < CLOSE * usual:
        return ""
    return (
        f"samples repeat: the nearest other sample is at {100 * found / usual:.2g}% of the usual "
        "distance between real examples. Try a lower learning rate, MinibatchStddev in the "
        "discriminator, PacGAN, or UnrolledGAN."
    )


def _missing(real, samples) -> str:
    of_real, of_samples = bin_shares(real, samples, bins=min(10, len(real) // (2 * EXPECTED)))
    missing = (of_samples < RARE * of_real) & (of_real * len(real) >= EXPECTED)
    if not missing.any():
        return ""
    return (
        f"modes are missing: {missing.sum()} of {len(missing)} clusters of the data, with "
        f"{100 * of_real[missing].sum():.0f}% of the examples, have almost no samples. Try a "
        "penalty ('r1'), PacGAN, UnrolledGAN, or a larger batch."
    )
