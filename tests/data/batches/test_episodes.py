"""Episodes: shots and a further frame of one person, with the landmarks of each."""

import numpy as np
import pytest

from keras_gen.data import Source, episode


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


def test_more_shots_than_frames_are_refused():
    with pytest.raises(ValueError, match="shots is 5, and there are 5 frames of a person"):
        _people().stream(3, augment=episode(shots=5))
    with pytest.raises(ValueError, match="shots"):
        episode(shots=0)
