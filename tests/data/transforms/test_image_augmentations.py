"""Augmentations of images: their ranges, purity, and the distribution of what is drawn."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import (
    Source,
    binarize,
    draw_normal,
    random_crop_flip,
    random_levels,
    random_shift_flip,
)

SEED = np.array([1, 2], np.int64)


def ramp(height, width):
    """An image whose two colors are its coordinates."""
    rows, columns = np.indices([height, width])
    return np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)


def test_crops_are_windows_of_the_image_sometimes_mirrored():
    image, augment = ramp(20, 30), random_crop_flip(16)
    corners, mirrored = set(), 0
    for number in range(60):
        crop = augment(tf.constant(image), np.array([3, number])).numpy().astype(int)
        flip = crop[0, 0, 1] > crop[0, -1, 1]
        crop = crop[:, ::-1] if flip else crop
        top, left = crop[0, 0, :2]
        np.testing.assert_array_equal(crop, image[top : top + 16, left : left + 16])
        corners.add((top, left))
        mirrored += flip
    assert len(corners) > 30
    assert 15 <= mirrored <= 45
    assert {0, 4} <= {top for top, _ in corners}  # both ends are reached


def test_crops_need_not_be_squares():
    image = ramp(20, 30)
    for number in range(20):
        crop = random_crop_flip((8, 18))(tf.constant(image), np.array([3, number])).numpy()
        crop = crop[:, ::-1] if crop[0, 0, 1] > crop[0, -1, 1] else crop
        top, left = crop[0, 0, :2]
        np.testing.assert_array_equal(crop, image[top : top + 8, left : left + 18])


def test_shifted_images_keep_their_size_and_reflect_at_the_border():
    image, augment = ramp(12, 20), random_shift_flip(1)
    padded = np.pad(image, [(1, 1), (1, 1), (0, 0)], "reflect")
    windows = {
        padded[top : top + 12, left : left + 20][:, ::step].tobytes(): (top, left, step)
        for top in range(3)
        for left in range(3)
        for step in (1, -1)
    }
    found = {
        windows[augment(tf.constant(image), np.array([5, number])).numpy().tobytes()]
        for number in range(120)
    }
    assert len(windows) == 18 and found == set(windows.values())
    alone = random_shift_flip(1, flip=False)
    found = {
        windows[alone(tf.constant(image), np.array([5, number])).numpy().tobytes()]
        for number in range(60)
    }
    assert found == {place for place in windows.values() if place[2] == 1}


@pytest.mark.thorough
def test_a_crop_of_a_shrunken_image_shows_more_of_it():
    image, steps = ramp(40, 40), []
    for number in range(40):
        crop = random_crop_flip(16, smallest=0.5)(tf.constant(image), np.array([3, number]))
        assert crop.shape == (16, 16, 3)
        # Rows count up by the factor at which the image was shrunk.
        steps.append(np.diff(crop.numpy()[2:-2, 0, 0].astype(float)).mean())
    assert 0.95 < min(steps) < 1.2 and 1.8 < max(steps) < 2.05
    assert abs(np.mean(np.log2(steps)) - 0.5) < 0.15
    kept = random_crop_flip(16, smallest=0.5, unchanged=0.75)
    crops = [kept(tf.constant(image), np.array([3, number])).numpy() for number in range(200)]
    steps = [np.diff(crop[2:-2, 0, 0].astype(float)).mean() for crop in crops]
    assert 0.65 < np.mean(np.asarray(steps) == 1) < 0.85 and max(steps) > 1.8
    # Never below the crop, whatever was asked for.
    whole = random_crop_flip(40, smallest=0.1)(tf.constant(image), SEED).numpy()
    assert (whole == image).all() or (whole == image[:, ::-1]).all()


def test_augmentations_are_pure_and_keep_labels():
    example = (tf.constant(ramp(20, 20)), tf.constant(7))
    for augment in (random_crop_flip(16), random_crop_flip(8, 0.5), binarize):
        first, label = augment(example, SEED)
        np.testing.assert_array_equal(first, augment(example, SEED)[0])
        assert (first.numpy() != augment(example, SEED + 1)[0].numpy()).any()
        assert label == 7


def test_binarization_is_bernoulli_of_the_gray_value():
    gray = np.array([0, 51, 128, 255], np.uint8)
    image = np.broadcast_to(gray[:, None, None], [4, 10_000, 1])
    drawn = binarize(tf.constant(image), SEED).numpy()
    assert drawn.dtype == np.float32 and set(np.unique(drawn)) == {0.0, 1.0}
    mean = drawn.mean(axis=(1, 2))
    assert mean[0] == 0 and mean[3] == 1
    np.testing.assert_allclose(mean, gray / 255, atol=0.02)


@pytest.mark.parametrize("how", ["augment", "augment_batch"])
def test_binarization_is_drawn_anew_every_epoch(how):
    source = Source(np.full([2, 8, 8, 1], 128, np.uint8))
    stream = source.stream(2, **{how: binarize})
    first, second = (batch.numpy() for batch in stream.take(2))
    assert (first != second).any() and (first[0] != first[1]).any()


@pytest.mark.parametrize("shape", [(200, 150, 3), (4, 100, 75, 3)])
def test_random_levels_are_uniform_where_they_are_drawn(shape):
    image = tf.fill(shape, tf.constant(7, tf.uint8))
    drawn = random_levels(0.25)(image, SEED).numpy()
    assert drawn.dtype == np.uint8 and drawn.shape == shape
    # One in 256 of the levels drawn anew is the same; n = 90,000 has a deviation of 0.0015.
    assert abs((drawn != 7).mean() - 0.25 * 255 / 256) < 0.006
    levels = drawn[drawn != 7]
    assert levels.min() == 0 and levels.max() == 255 and abs(levels.mean() - 127.97) < 2.5
    np.testing.assert_array_equal(random_levels(0.0)(image, SEED), image)
    np.testing.assert_array_equal(drawn, random_levels(0.25)(image, SEED))
    assert (drawn != random_levels(0.25)(image, SEED + 1).numpy()).any()


def test_normal_draws_have_their_mean_and_deviation():
    mean, deviation = np.float32([[-3.0, 5.0]]), np.float32([[0.5, 2.0]])
    both = np.stack([mean, 2 * np.log(deviation)], axis=1).repeat(20_000, axis=0)
    drawn, labels = draw_normal((tf.constant(both), 7), SEED)
    assert labels == 7 and drawn.shape == (20_000, 2)
    np.testing.assert_allclose(np.mean(drawn, 0), mean[0], atol=0.05)
    np.testing.assert_allclose(np.std(drawn, 0), deviation[0], rtol=0.03)
