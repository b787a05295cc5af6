"""Clips of videos: frames that follow each other, the same of all that go together."""

import numpy as np
import pytest

from keras_gen.data import Source, clips


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


def test_whole_videos_are_clips_and_longer_ones_are_refused():
    source = Source(np.arange(6).reshape(2, 3))
    [whole] = source.batches(2, augment=clips(3))
    np.testing.assert_array_equal(whole, [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match="frames is 4, and a video has 3"):
        list(source.batches(2, augment=clips(4)))
    with pytest.raises(ValueError, match="frames"):
        clips(0)
