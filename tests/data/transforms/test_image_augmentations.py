"""Transforms: sizes, ranges, purity, and the distribution of what is drawn."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import (
    Source,
    binarize,
    draw_normal,
    pad_to,
    random_crop_flip,
    random_levels,
    random_shift_flip,
    resize_cover,
)

SEED = np.array([1, 2], np.int64)


def ramp(height, width):
    """An image whose two colors are its coordinates."""
    rows, columns = np.indices([height, width])
    return np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("shape", [(200, 100), (100, 200), (100, 100), (7, 200), (101, 133)])
@pytest.mark.parametrize("size", [1, 32, 150])
def test_resize_cover_fills_a_square_of_any_size(shape, size):
    image = resize_cover(ramp(*shape), size)
    assert image.shape == (size, size, 3) and image.dtype == tf.uint8


def test_resize_cover_keeps_the_center_and_the_aspect():
    image = resize_cover(ramp(100, 200), 50).numpy()
    np.testing.assert_allclose(image[:, 25, 0], np.arange(50) * 2 + 0.5, atol=1)
    np.testing.assert_allclose(image[25, :, 1], 50 + np.arange(50) * 2 + 0.5, atol=1)


def test_resize_cover_averages_what_it_shrinks():
    checks = (np.indices([64, 64]).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]
    small = resize_cover(checks, 8).numpy()
    np.testing.assert_allclose(small, 127.5, atol=3)  # without antialiasing: 0 or 255


def test_resize_cover_leaves_an_image_of_the_right_size_alone():
    image = np.random.default_rng(0).integers(0, 256, [9, 9, 3], np.uint8)
    np.testing.assert_array_equal(resize_cover(image, 9), image)


def test_pad_to_centers():
    padded = pad_to(np.ones([28, 28, 1], np.uint8), 32).numpy()
    assert padded.shape == (32, 32, 1) and padded.sum() == 28 * 28
    assert padded[2:30, 2:30].all()
    np.testing.assert_array_equal(pad_to(np.ones([3, 28, 28, 1], np.uint8), 32)[2], padded)
    with pytest.raises(ValueError, match="40x28 cannot be padded to 32x32"):
        pad_to(np.ones([40, 28, 1], np.uint8), 32)


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


def test_shifted_images_keep_their_size_and_reflect_at_the_border():
    image, augment = ramp(12, 20), random_shift_flip(2)
    padded = np.pad(image, [(2, 2), (2, 2), (0, 0)], "reflect")
    windows = {
        padded[top : top + 12, left : left + 20][:, ::step].tobytes(): (top, left, step)
        for top in range(5)
        for left in range(5)
        for step in (1, -1)
    }
    found = {
        windows[augment(tf.constant(image), np.array([5, number])).numpy().tobytes()]
        for number in range(300)
    }
    assert len(windows) == 50 and found == set(windows.values())
    alone = random_shift_flip(2, flip=False)
    found = {
        windows[alone(tf.constant(image), np.array([5, number])).numpy().tobytes()]
        for number in range(200)
    }
    assert found == {place for place in windows.values() if place[2] == 1}


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
    source = Source.from_images(np.full([2, 8, 8, 1], 128, np.uint8))
    stream = source.stream(2, **{how: binarize})
    first, second = (batch.numpy() for batch in stream.take(2))
    assert (first != second).any() and (first[0] != first[1]).any()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: random_crop_flip(0), "at least 1 pixel, found 0"),
        (lambda: random_crop_flip(8, unchanged=1.0), r"unchanged is 1.0: .* \[0, 1\)"),
        (lambda: random_crop_flip(8, 1.5), r"smallest is 1.5: .* \(0, 1\]"),
        (lambda: resize_cover(ramp(4, 4), 2.5), "found 2.5"),
        (lambda: random_crop_flip(8)(tf.constant(ramp(20, 6)), SEED), "crop of 8 does not fit"),
        (lambda: binarize(tf.zeros([4, 4, 1]), SEED), "must be uint8 .* found float32"),
        (lambda: binarize(tf.zeros([4, 4], tf.uint8), SEED), r"found uint8 \(4, 4\)"),
    ],
)
def test_bad_input_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


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


def test_random_levels_need_a_probability():
    with pytest.raises(ValueError, match=r"rate is 1.5: expected a probability in \[0, 1\]"):
        random_levels(1.5)


def test_normal_draws_have_their_mean_and_deviation():
    mean, deviation = np.float32([[-3.0, 5.0]]), np.float32([[0.5, 2.0]])
    both = np.stack([mean, 2 * np.log(deviation)], axis=1).repeat(20_000, axis=0)
    drawn, labels = draw_normal((tf.constant(both), 7), SEED)
    assert labels == 7 and drawn.shape == (20_000, 2)
    np.testing.assert_allclose(np.mean(drawn, 0), mean[0], atol=0.05)
    np.testing.assert_allclose(np.std(drawn, 0), deviation[0], rtol=0.03)


def test_normal_draws_need_two_parameters():
    with pytest.raises(ValueError, match=r"log variances \[n, 2, ...\], found \(4, 3\)"):
        draw_normal(tf.zeros([4, 3]), SEED)
