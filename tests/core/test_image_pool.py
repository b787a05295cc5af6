"""The history of generated images, followed image by image."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import ImagePool, stateless_seed

SHAPE = (2, 2, 1)


def images(*values):
    """One constant image for each value."""
    return tf.constant(
        np.broadcast_to(np.reshape(values, [-1, 1, 1, 1]), [len(values), *SHAPE]), tf.float32
    )


def value(batch):
    """The value of each constant image."""
    batch = np.asarray(batch)
    assert (batch == batch[:, :1, :1, :1]).all()
    return [int(v) for v in batch[:, 0, 0, 0]]


def run(pool, steps, batch, seed=0):
    """Feeds images 1, 2, 3, ... and returns what was fed and what was shown, step by step."""
    call = tf.function(pool)
    fed = [range(1 + step * batch, 1 + (step + 1) * batch) for step in range(steps)]
    return fed, [
        value(call(images(*part), seed=stateless_seed(seed, step, "pool")))
        for step, part in enumerate(fed)
    ]


def test_passes_through_while_it_fills():
    pool = ImagePool(6, SHAPE)
    fed, shown = run(pool, 3, 2)
    assert shown == [list(part) for part in fed]
    assert value(pool.images) == [1, 2, 3, 4, 5, 6] and pool.filled.numpy() == 6


def test_exchanges_half_of_the_images_when_full():
    pool = ImagePool(8, SHAPE)
    fed, shown = run(pool, 608, 1)
    old = [s != list(f) for f, s in zip(fed, shown, strict=True)][8:]
    # 600 coins: a standard deviation of 0.02.
    assert 0.42 < np.mean(old) < 0.58
    # An image stays for 2 * 8 steps on average, geometrically distributed.
    ages = [f[0] - s[0] for f, s in zip(fed, shown, strict=True) if f[0] != s[0]]
    assert 12 < np.mean(ages) < 20


@pytest.mark.parametrize(("size", "batch"), [(8, 1), (5, 3), (4, 4), (1, 1)])
def test_no_image_is_invented_lost_or_doubled(size, batch):
    """Also where the pool fills up in the middle of a batch."""
    pool = ImagePool(size, SHAPE)
    fed, shown = run(pool, 40, batch)
    fed, shown = np.concatenate(fed), np.concatenate(shown)
    assert (shown > 0).all() and (shown <= fed[-1]).all()
    # Those that filled the pool were shown once before; from then on, one goes for one that comes.
    left = [*shown, *value(pool.images)]
    assert sorted(left) == sorted([*fed, *fed[:size]])


def test_the_seed_decides():
    assert run(ImagePool(4, SHAPE), 30, 1, seed=1) == run(ImagePool(4, SHAPE), 30, 1, seed=1)
    assert run(ImagePool(4, SHAPE), 30, 1, seed=1) != run(ImagePool(4, SHAPE), 30, 1, seed=2)


def test_size_zero_keeps_nothing():
    pool = ImagePool(0, (None, None, 3))
    x = tf.random.normal([2, 5, 4, 3])
    np.testing.assert_array_equal(pool(x, seed=stateless_seed(0, 0, "pool")), x)
    assert pool.variables == []


def test_a_batch_larger_than_the_pool_is_refused():
    pool = ImagePool(2, SHAPE)
    with pytest.raises(ValueError, match="batch of 3 images is larger than the image pool of 2"):
        pool(images(1, 2, 3), seed=stateless_seed(0, 0, "pool"))
    assert pool.filled.numpy() == 0


@pytest.mark.parametrize(("size", "shape"), [(-1, SHAPE), (3, (None, 8, 3))])
def test_bad_arguments(size, shape):
    with pytest.raises(ValueError, match=f"image pool has size {size} and images of shape"):
        ImagePool(size, shape)


def test_config():
    saved = keras.saving.serialize_keras_object(ImagePool(3, SHAPE, name="history"))
    pool = keras.saving.deserialize_keras_object(saved)
    assert (pool.size, tuple(pool.image_shape), pool.name) == (3, SHAPE, "history")
