"""DiffAugment's changes by hand, what they let through, and where models apply them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.gan import GAN
from keras_gen.layers.differentiable_augmentations import AUGMENTATIONS, augment, moved
from keras_gen.networks import dcgan_discriminator, dcgan_generator


def images(rng, n=3, side=8, channels=3):
    return tf.constant(rng.uniform(-1, 1, (n, side, side, channels)), tf.float32)


def drawn(**values):
    """Draws that are given by their last name, one for each image or one for all."""

    def uniform(use, shape):
        return tf.reshape(tf.broadcast_to(values[use.split("/")[-1]], shape[:1]), shape)

    return uniform


@pytest.mark.parametrize("mode,border", [("CONSTANT", 0), ("REFLECT", None)])
def test_moved(rng, mode, border):
    x = images(rng)
    down, right = [2, 0, -1], [0, -2, 1]
    found = moved(x, tf.constant(down), tf.constant(right), 2, mode).numpy()
    pad = {"CONSTANT": "constant", "REFLECT": "reflect"}[mode]
    for image, other, d, r in zip(x.numpy(), found, down, right, strict=True):
        padded = np.pad(image, [[2, 2], [2, 2], [0, 0]], mode=pad)
        np.testing.assert_array_equal(other, padded[2 - d : 10 - d, 2 - r : 10 - r])
    if border is not None:
        assert (found[0, :2] == border).all() and (found[2, -1] == border).all()


class TestColor:
    def test_the_middle_of_every_range_changes_nothing(self, rng):
        x = images(rng)
        same = augment(x, ["color"], drawn(brightness=0.5, saturation=0.5, contrast=0.5))
        np.testing.assert_allclose(same, x, atol=1e-6)

    def test_each_by_itself(self, rng):
        x = images(rng).numpy()
        middle = dict(brightness=0.5, saturation=0.5, contrast=0.5)

        def changed(**change):
            return augment(tf.constant(x), ["color"], drawn(**middle | change)).numpy()

        np.testing.assert_allclose(changed(brightness=0.0), x - 0.5, atol=1e-6)
        gray = x.mean(-1, keepdims=True)
        without = np.broadcast_to(gray, x.shape)
        np.testing.assert_allclose(changed(saturation=0.0), without, atol=1e-6)
        mean = x.mean((1, 2, 3), keepdims=True)
        np.testing.assert_allclose(changed(contrast=0.0), mean + 0.5 * (x - mean), atol=1e-6)


def test_translation_reaches_an_eighth_either_way(rng):
    x = images(rng, n=3, side=16)
    draws = drawn(rows=[0.0, 0.5, 0.999], columns=[0.5, 0.0, 0.999])
    found = augment(x, ["translation"], draws)
    expected = moved(x, tf.constant([-2, 0, 2]), tf.constant([0, -2, 2]), 2)
    np.testing.assert_array_equal(found, expected)


def test_cutout_is_half_as_wide_and_may_reach_over_the_border():
    x = tf.ones([3, 8, 8, 1])
    found = augment(x, ["cutout"], drawn(rows=[0.5, 0.0, 0.999], columns=[0.5, 0.5, 0.0])).numpy()
    expected = np.ones([3, 8, 8, 1])
    expected[0, 2:6, 2:6] = 0
    expected[1, :2, 2:6] = 0
    expected[2, 6:, :2] = 0
    np.testing.assert_array_equal(found, expected)


class TestAffine:
    middle = dict.fromkeys(("turn", "shear", "height", "width", "rows", "columns"), 0.5)

    def changed(self, x, **change):
        return augment(x, ["affine"], drawn(**self.middle | change)).numpy()

    def test_the_middle_of_every_range_changes_nothing(self, rng):
        x = images(rng)
        np.testing.assert_allclose(self.changed(x), x, atol=1e-5)

    def test_a_move_repeats_the_border(self, rng):
        x = images(rng, side=50)  # so that the largest move is 3 pixels
        found = self.changed(x, rows=1.0, columns=0.0)
        padded = np.pad(x, [[0, 0], [0, 3], [3, 0], [0, 0]], mode="edge")
        np.testing.assert_allclose(found, padded[:, 3:, :50], atol=1e-5)

    def test_turning_shearing_and_stretching_a_slope(self):
        """Of an image whose values are its places, the result says where it read."""
        places = np.arange(21.0) - 10
        x = tf.constant(np.stack(np.meshgrid(places, places, indexing="ij"), -1)[None], tf.float32)
        inside = slice(6, 15)  # what comes from within the image
        rows, columns = x.numpy()[0, inside, inside, 0], x.numpy()[0, inside, inside, 1]

        def read(**change):
            return np.moveaxis(self.changed(x, **change)[0, inside, inside], -1, 0)

        angle = np.radians(20)
        turned = np.cos(angle) * rows + np.sin(angle) * columns
        np.testing.assert_allclose(read(turn=1.0)[0], turned, atol=1e-4)
        turned = np.cos(angle) * columns - np.sin(angle) * rows
        np.testing.assert_allclose(read(turn=1.0)[1], turned, atol=1e-4)
        np.testing.assert_allclose(read(shear=0.0), [rows, columns - 0.3 * rows], atol=1e-4)
        wide = [rows * np.exp(-0.15), columns * np.exp(0.15)]
        np.testing.assert_allclose(read(height=0.0, width=1.0), wide, atol=1e-4)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_pass(name, rng):
    """All are affine in the image: the gradient of a weighted sum, times a step, is its change."""
    x, step, weights = (images(rng) for _ in range(3))

    def total(x):
        noise = np.random.default_rng(1)  # the same for all calls
        uniform = lambda use, shape: tf.constant(noise.uniform(size=shape), tf.float32)  # noqa: E731
        return tf.reduce_sum(weights * augment(x, [name], uniform))

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = total(x)
    slope = tape.gradient(value, x)
    assert np.count_nonzero(slope) > 0.2 * np.size(slope)
    change = float(total(x + step) - value)
    assert change == pytest.approx(float(tf.reduce_sum(slope * step)), rel=1e-3, abs=1e-3)


def test_second_gradients_through_affine(rng):
    """What R1 needs: the slope of a squared gradient, against differences."""
    x, step = images(rng), images(rng)
    draws = drawn(turn=0.9, shear=0.2, height=0.7, width=0.4, rows=0.8, columns=0.3)

    def squared_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(augment(x, ["affine"], draws) ** 3)
        return tf.reduce_sum(tape.gradient(value, x) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = squared_gradient(x)
    slope = float(tf.reduce_sum(tape.gradient(value, x) * step))
    change = float(squared_gradient(x + 1e-3 * step) - squared_gradient(x - 1e-3 * step))
    assert change / 2e-3 == pytest.approx(slope, rel=1e-2)


def test_a_gan_refuses_unknown_augmentations():
    with pytest.raises(ValueError, match=r"'flip'.*of color, translation, cutout"):
        gan(augmentation=["color", "flip"])


def gan(**options):
    shape = (8, 8, 1)
    discriminator = dcgan_discriminator(shape, filters=2, normalization=None)
    return GAN(dcgan_generator(shape, 3, filters=2), discriminator, **options)


class TestInModels:
    def test_real_and_generated_images_are_changed_alike(self, rng):
        model, x = gan(augmentation=["translation", "cutout"]), images(rng, channels=1)
        with training_step(model):
            first, second = (model.augmented(x) for _ in range(2))
            logits = model.discriminate(x, {"x": x})
        np.testing.assert_array_equal(first, second)
        assert not np.allclose(first, x)
        np.testing.assert_allclose(logits, model.discriminator(first, training=True), rtol=1e-5)

    def test_draws_differ_from_step_to_step_and_in_evaluation(self, rng):
        model, x = gan(augmentation=["cutout"]), images(rng, n=16, channels=1)
        with training_step(model):
            found = [model.augmented(x).numpy()]
            model.step.assign_add(1)
            found.append(model.augmented(x).numpy())
        found.append(model.augmented(x).numpy())
        for a, b in ((0, 1), (0, 2), (1, 2)):
            assert not np.array_equal(found[a], found[b])
