"""Clips of videos, and episodes: shots and a further frame of one person."""

import numpy as np
import pytest

from keras_gen.data import Source, clips, episode


@pytest.mark.thorough
def test_clips_follow_each_other_and_go_together():
    numbers = np.arange(7)[None].repeat(3, axis=0)
    source = Source((numbers, 10 * numbers))
    beginnings = set()
    for x, y in source.stream(3, seed=1, augment=clips(4)).take(30):
        assert x.shape == y.shape == (3, 4)
        np.testing.assert_array_equal(y, 10 * x)
        np.testing.assert_array_equal(x - x[:, :1], np.arange(4)[None].repeat(3, axis=0))
        beginnings |= set(x[:, 0].numpy())
    assert beginnings == {0, 1, 2, 3}


def test_whole_videos_are_clips():
    source = Source(np.arange(6).reshape(2, 3))
    [whole] = source.batches(2, augment=clips(3))
    np.testing.assert_array_equal(whole, [[0, 1, 2], [3, 4, 5]])


def _people(frames=5):
    numbers = np.arange(3 * frames, dtype=np.uint8).reshape(3, frames, 1, 1, 1)
    return Source((numbers, 100 + numbers, np.arange(3)))


def test_an_episode_is_of_one_person_and_no_frame_comes_twice():
    batches = iter(_people().stream(3, seed=1, augment=episode(shots=3)))
    drawn = set()
    for _ in range(20):
        landmarks, image, shots, shot_landmarks, label = (part.numpy() for part in next(batches))
        assert shots.shape == (3, 3, 1, 1, 1) and image.shape == (3, 1, 1, 1)
        np.testing.assert_array_equal(landmarks, 100 + image)
        np.testing.assert_array_equal(shot_landmarks, 100 + shots)
        for person in range(3):
            frames = [*shots[person].ravel(), *image[person].ravel()]
            assert len(set(frames)) == 4
            assert {frame // 5 for frame in frames} == {label[person]}
        drawn |= set(image.ravel())
    assert len(drawn) == 15
