"""Packs: what the discriminator is shown, and that all else is as in a GAN."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.gan import PacGAN
from shared import losses_of, one_dense, softplus, with_sgd

VALUES = 3


def built(cls, critic, bias, rate=0.0, kernel=0.0, **options):
    """A generator that makes `bias` of all latents, unless its kernel is not 0."""
    generator = one_dense(np.full((2, VALUES), kernel), bias)
    model = cls(generator, one_dense(*critic), **options)
    return with_sgd(model, rate, rate)


@pytest.fixture
def critic(rng):
    return rng.normal(size=(2 * VALUES, 1)), rng.normal(size=1)


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (4, VALUES)).astype("float32")


def test_losses_and_penalties_are_of_packs(critic, x, rng):
    bias = rng.normal(size=VALUES)
    kernel, offset = critic
    real = np.concatenate([x[0::2], x[1::2]], axis=1) @ kernel + offset
    fake = np.concatenate([bias, bias]) @ kernel + offset
    model = built(PacGAN, critic, bias, pack=2, penalty="r1")
    expected = {
        "d_loss": softplus(-real).mean() + softplus(fake).mean() + 5 * np.sum(kernel**2),
        "g_loss": softplus(-fake).mean(),
        "real_accuracy": (real > 0).mean(),
    }
    for training in (False, True):
        logs = losses_of(model, x, training=training)
        assert {k: logs[k] for k in expected} == pytest.approx(expected, rel=1e-5)


def test_the_images_of_a_pack_are_drawn_apart(critic, x):
    model = built(PacGAN, critic, np.zeros(VALUES), kernel=1.0, pack=2)
    batch = model.prepare_batch(tf.constant(x))
    packs = model.generated("use", batch).numpy()
    assert packs.shape == (2, 2 * VALUES) == batch["x"].shape
    assert len(np.unique(packs[:, ::VALUES])) == 4


@pytest.mark.thorough
@pytest.mark.parametrize("size, k", [(3, 1), (6, 2)])
def test_batches_that_hold_no_whole_packs_are_refused(size, k, critic, x):
    model = built(PacGAN, critic, np.zeros(VALUES), pack=2, discriminator_steps=k)
    message = rf"^Each replica gets {size} examples .* pack \* k = 2 \* {k}\. Pass fit a batch size"
    images = np.concatenate([x, x])[:size]
    with pytest.raises(ValueError, match=message):
        model.train_step(tf.constant(images))
    with pytest.raises(ValueError, match=message):
        model.fit(images, batch_size=size, verbose=0)
    model.fit(images[: 2 * k], batch_size=2 * k, verbose=0)
    assert model.step.numpy() == 1


def test_evaluation_needs_whole_packs_alone(critic, x):
    """It shows the discriminator each batch once, whatever k is."""
    model = built(PacGAN, critic, np.zeros(VALUES), pack=2, discriminator_steps=2)
    images = np.concatenate([x, x])[:6]
    assert np.isfinite(model.evaluate(images, batch_size=6, verbose=0)).all()
