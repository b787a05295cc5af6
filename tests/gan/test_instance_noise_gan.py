"""Instance noise: what the discriminator sees, when, and that penalties see it too."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core.schedules import Linear
from keras_gen.gan import InstanceNoiseGAN
from keras_gen.networks import dirac_networks
from shared import with_sgd

X = np.linspace(-1.0, 1.0, 4000, dtype="float32")[:, None]


class Spying(InstanceNoiseGAN):
    """Keeps what the discriminator is shown."""

    def discriminator_inputs(self, images, batch):
        self.__dict__.setdefault("seen", []).append(np.asarray(images))
        return images


def noisy(cls=Spying, std=0.5, objective="wasserstein", **options):
    model = cls(*dirac_networks(0.7, 2.0), std=std, objective=objective, data="vectors", **options)
    return with_sgd(model, 0.0, 0.0, run_eagerly=True)


def test_real_and_generated_examples_get_noise_of_their_own_each_time():
    model = noisy(objective="relativistic", discriminator_steps=2)
    model.train_step(tf.constant(X))
    model.train_step(tf.constant(X))
    of_step = len(model.seen) // 2
    # Both kinds in both updates, and both again for a generator that compares.
    assert of_step == 6
    clean = [X[::2], 0.7, X[1::2], 0.7, 0.7, X[1::2]]
    noises = [seen - x for seen, x in zip(model.seen, 2 * clean, strict=True)]
    for noise in noises:
        assert noise.std() == pytest.approx(0.5, rel=0.06) and abs(noise.mean()) < 0.04
    correlations = np.corrcoef(np.concatenate(noises, axis=1).T) - np.eye(2 * of_step)
    assert np.abs(correlations).max() < 0.1


def test_the_noise_is_annealed_and_ends_at_its_last_value():
    model = noisy(std=Linear(1.0, 0.2, steps=2))
    for std in (1.0, 0.6, 0.2, 0.2):
        model.seen = []
        model.train_step(tf.constant(X))
        for images, clean in zip(model.seen, (X, 0.7, 0.7), strict=True):
            assert (images - clean).std() == pytest.approx(std, rel=0.06)
        model.seen = []
        model.test_step(tf.constant(X))
        assert (model.seen[0] - X).std() == pytest.approx(0.2, rel=0.06)


def test_penalties_are_at_noisy_examples():
    """A critic of slope 2 everywhere pays the same; where its noise is, the term shows it."""
    at = []

    class Spy(type(noisy(penalty="r1").penalty)):
        def __call__(self, discriminator, real, fake, epsilon):
            at.append((np.asarray(real), np.asarray(fake)))
            return super().__call__(discriminator, real, fake, epsilon)

    model = noisy(penalty=Spy(2.0))
    logs = model.train_step(tf.constant(X))
    ((real, fake),) = at
    np.testing.assert_array_equal(real, model.seen[0])
    np.testing.assert_array_equal(fake, model.seen[1])
    without = 2.0 * (fake.mean() - real.mean())
    assert float(logs["d_loss"]) == pytest.approx(without + 4.0, rel=1e-4)
