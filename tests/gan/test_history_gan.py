"""What of the history is shown, and to whom."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.gan import GAN, HistoryGAN


def built(n, pool_size):
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, use_bias=False)])
    critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model = HistoryGAN(generator, critic, pool_size=pool_size, data="vectors")
    model.compile()
    return model, {"x": tf.zeros([n, 3])}


def rows(examples):
    return {row.tobytes() for row in np.asarray(examples)}


def test_the_discriminator_is_shown_half_of_older_samples():
    model, batch = built(200, 200)
    with training_step(model):
        first = model.generated("discriminator 0", batch)
        assert model.pool.filled.numpy() == 0  # until the update
        model.discriminator_updated()
        np.testing.assert_array_equal(first, GAN.generated(model, "discriminator 0", batch))
    model.step.assign(1)
    with training_step(model):
        new = GAN.generated(model, "discriminator 0", batch)
        shown = model.generated("discriminator 0", batch)
        model.discriminator_updated()
    assert not rows(first) & rows(new) and rows(shown) <= rows(first) | rows(new)
    # 100 of 200, with a deviation of 7.
    assert abs(len(rows(shown) & rows(first)) - 100) < 30
    # What was not shown was kept for later.
    assert rows(model.pool.images) == (rows(first) | rows(new)) - rows(shown)


@pytest.mark.parametrize("use, training", [("generator", True), ("discriminator 0", False)])
def test_the_generator_and_evaluation_get_new_ones(use, training):
    model, batch = built(8, 8)
    for step in range(3):
        model.step.assign(step)
        with training_step(model) if training else contextlib.nullcontext():
            found = model.generated(use, batch)
            np.testing.assert_array_equal(found, GAN.generated(model, use, batch))
    assert model.pool.filled.numpy() == 0


def test_a_batch_beyond_the_history_is_refused():
    model, _ = built(4, 2)
    with pytest.raises(
        ValueError, match="batch of 4 is larger than the image pool of 2: raise poo"
    ):
        model.fit(np.zeros((4, 3), "float32"), batch_size=4, verbose=0)
