"""Moving images: where they are, how fast they move, and that they bounce."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import Source, moving_images
from keras_gen.data.transforms.moving_images import bounced

SEED = tf.constant([3, 4], tf.int64)


@pytest.fixture
def images(rng):
    """Images without black pixels, so that a frame shows where they are."""
    return tf.constant(rng.integers(1, 256, (6, 5, 7, 2), "uint8"))


def corners(videos, height, width):
    """The upper left corner of what is not black in each frame, which must be of that size."""
    seen = videos.any(axis=-1)
    top, left = (seen.any(axis=axis).argmax(axis=-1) for axis in (3, 2))
    assert (seen.any(axis=3).sum(axis=-1) == height).all()
    assert (seen.any(axis=2).sum(axis=-1) == width).all()
    return np.stack([top, left], axis=-1)


def test_bounces():
    way = np.linspace(-9, 15, 97)
    place, direction, found = 0.0, 1.0, {0.0: 0.0}
    for step in range(1, 61):  # a ball that turns at 0 and 4
        place += 0.25 * direction
        direction = -direction if place in (0.0, 4.0) else direction
        found[0.25 * step] = place
    expected = [found[abs(w)] for w in way]  # the way back is its mirror image
    np.testing.assert_allclose(bounced(tf.constant(way), tf.constant(4.0, tf.float64)), expected)


def test_shows_the_whole_image_in_every_frame(images):
    videos = moving_images(20, 16, 1.0, 4.0)(images, SEED).numpy()
    assert videos.shape == (6, 20, 16, 16, 2) and videos.dtype == np.uint8
    places = corners(videos, 5, 7)
    for video, image, way in zip(videos, images.numpy(), places, strict=True):
        for frame, (top, left) in zip(video, way, strict=True):
            np.testing.assert_array_equal(frame[top : top + 5, left : left + 7], image)
    assert len(np.unique(places.reshape(6, -1), axis=0)) == 6
    assert len(np.unique(places[:, 0], axis=0)) > 3


@pytest.mark.parametrize("speed", [0.0, 1.5, 3.0])
def test_moves_at_its_speed(images, speed):
    videos = moving_images(9, 100, speed, speed)(images[:, :1, :1], SEED).numpy()
    steps = np.diff(corners(videos, 1, 1), axis=1)
    # Along a straight way the rounded steps add up to the whole way, but for bounces.
    straight = np.abs(np.diff(np.sign(steps), axis=1)).max(axis=(1, 2)) < 2
    assert straight.sum() > 3
    lengths = np.linalg.norm(steps.sum(axis=1), axis=-1)[straight]
    np.testing.assert_allclose(lengths, 8 * speed, atol=1.5)


@pytest.mark.thorough
def test_one_image_with_its_label(images):
    move = moving_images(4, 16)
    video, label = move((images[0], 3), SEED)
    assert video.shape == (4, 16, 16, 2) and label == 3
    stream = Source((images, np.arange(6))).stream(3, seed=1, augment_batch=move)
    videos, labels = next(iter(stream))
    assert videos.shape == (3, 4, 16, 16, 2) and labels.shape == (3,)


def test_bad_arguments_are_refused(images):
    with pytest.raises(ValueError, match="frames must be at least 2, found 1"):
        moving_images(1)
    with pytest.raises(ValueError, match=r"^Speeds are 3.0 to 1.0: expected 0 <= slowest"):
        moving_images(slowest=3.0, fastest=1.0)
    with pytest.raises(ValueError, match=r"^An image of 5x7 cannot move on 7x7: shrink it"):
        moving_images(size=7)(images, SEED)
