"""Consistency regularization: which transformations there are, and what a critic pays for them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import Consistency, penalties

SHAPE = (5, 6, 1)


def transformed(image, pixels):
    """All images that the image may become, flipped or not, by down, right and flip."""
    found = {}
    for flip in (0, 1):
        padded = np.pad(image[:, ::-1] if flip else image, [[pixels] * 2] * 2 + [[0, 0]], "reflect")
        height, width, _ = image.shape
        for down in range(-pixels, pixels + 1):
            for right in range(-pixels, pixels + 1):
                rows, columns = pixels - down, pixels - right
                found[down, right, flip] = padded[rows : rows + height, columns : columns + width]
    return found


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_every_transformation_is_as_likely(pixels, rng):
    image, weights = rng.normal(size=SHAPE), rng.normal(size=SHAPE).astype("float32")
    expected = transformed(image, pixels)
    count = 2 * (2 * pixels + 1) ** 2
    assert len(expected) == count
    epsilon = (np.arange(count, dtype="float32") + 0.5).reshape(-1, 1, 1, 1) / count
    real = tf.constant(np.tile(image[None], [count, 1, 1, 1]), tf.float32)

    def critic(x):
        return tf.einsum("bhwc,hwc->b", x, weights)

    paid = Consistency(3.0, pixels=pixels)(critic, real, None, tf.constant(epsilon))
    differences = [np.sum(weights * (image - other)) for other in expected.values()]
    np.testing.assert_allclose(np.sort(paid), np.sort(3 * np.square(differences)), atol=1e-3)


def test_uniform_numbers_stay_within_the_transformations():
    ends = tf.constant([[0.0], [np.nextafter(np.float32(1), np.float32(0))]])[:, :, None, None]
    seen = []

    def critic(x):
        seen.append(x.numpy())
        return x[:, 0, 0, 0]

    rng = np.random.default_rng(0)
    real = tf.constant(rng.normal(size=(2, *SHAPE)), tf.float32)
    Consistency(pixels=2)(critic, real, None, ends)
    first, last = seen[1]
    np.testing.assert_array_equal(first, transformed(real[0].numpy(), 2)[-2, -2, 0])
    np.testing.assert_array_equal(last, transformed(real[1].numpy(), 2)[2, 2, 1])


def test_maps_of_logits_count_as_their_mean(rng):
    real = tf.constant(rng.normal(size=(2, *SHAPE)), tf.float32)
    value = Consistency(1.0, pixels=0)(lambda x: x[..., 0], real, None, tf.constant([0.1, 0.9]))
    flipped = np.mean((real - real[:, :, ::-1]) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(value, [0, flipped[1]], rtol=1e-5)


def test_names_configurations_and_errors():
    assert penalties.get("consistency") == Consistency(10.0, 1, 4)
    penalty = Consistency(pixels=2)
    assert penalties.get(keras.saving.serialize_keras_object(penalty)) == penalty
    penalty.check(keras.Sequential([keras.Input([3, None, 1]), keras.layers.BatchNormalization()]))
    for shape in ([4], [2, 8, 1], [8, 8, 8, 1]):
        with pytest.raises(ValueError, match=r"it is for images .* of at least 3 pixels a side"):
            penalty.check(keras.Sequential([keras.Input(shape), keras.layers.Dense(1)]))
    with pytest.raises(ValueError, match="pixels must be at least 0, found -1"):
        Consistency(pixels=-1)
    with pytest.raises(ValueError, match="weight must be at least 0, found -1"):
        Consistency(-1)
