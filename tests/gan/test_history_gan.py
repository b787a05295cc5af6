"""Which generated examples the history keeps, and which the discriminator sees."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core.step import Step, inside
from keras_gen.gan import HistoryGAN


class Spying(HistoryGAN):
    """Remembers what the discriminator is trained on, and how full the history is by then."""

    def discriminator_terms(self, batch, fake, use):
        self.__dict__["seen"] = np.asarray(fake)
        self.__dict__["filled"] = int(self.pool.filled)
        return super().discriminator_terms(batch, fake, use)


def built(n, pool_size):
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, use_bias=False)])
    critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model = Spying(generator, critic, pool_size=pool_size, data="vectors")
    model.compile(run_eagerly=True)
    return model, {"x": tf.zeros([n, 3])}


def rows(examples):
    return {row.tobytes() for row in np.asarray(examples)}


def updated(model, batch, training=True):
    """Returns a step's generated examples, and the examples that the discriminator sees."""
    with inside(Step(model, training)):
        fake = model.generated("discriminator 0", batch)
        model.update_discriminator(batch, fake, "discriminator 0")
    return fake, model.seen


def test_the_discriminator_sees_older_samples_in_half():
    model, batch = built(200, 200)
    first, seen = updated(model, batch)
    np.testing.assert_array_equal(seen, first)
    assert model.filled == 0  # until the update
    model.step.assign(1)
    new, seen = updated(model, batch)
    assert not rows(first) & rows(new) and rows(seen) <= rows(first) | rows(new)
    # 100 of 200, with a standard deviation of 7.
    assert abs(len(rows(seen) & rows(first)) - 100) < 30
    # What the discriminator did not see was kept for later.
    assert rows(model.pool.images) == (rows(first) | rows(new)) - rows(seen)


def test_evaluation_sees_new_samples():
    model, batch = built(8, 8)
    for step in range(3):
        model.step.assign(step)
        fake, seen = updated(model, batch, training=False)
        np.testing.assert_array_equal(seen, fake)
    assert model.pool.filled.numpy() == 0


def test_a_batch_beyond_the_history_is_refused():
    model, _ = built(4, 2)
    with pytest.raises(
        ValueError, match="batch of 4 images is larger than the image pool of 2 images: increase"
    ):
        model.fit(np.zeros((4, 3), "float32"), batch_size=4, verbose=0)
