import numpy as np
import pytest
from scipy.spatial import distance

from keras_gen.metrics import memorization, nearest_neighbors, neighbors


def test_against_all_distances_and_blocks_change_nothing(rng, monkeypatch):
    queries, reference = rng.normal(size=(11, 3)), rng.normal(size=(23, 3))
    everything = distance.cdist(queries, reference)
    for blocks in ((1024, 4096), (4, 5)):
        monkeypatch.setattr(neighbors, "QUERY_BLOCK", blocks[0])
        monkeypatch.setattr(neighbors, "REFERENCE_BLOCK", blocks[1])
        distances, indices = nearest_neighbors(queries, reference, k=7)
        np.testing.assert_allclose(distances, np.sort(everything, axis=1)[:, :7])
        np.testing.assert_array_equal(indices, np.argsort(everything, axis=1)[:, :7])


def test_whole_numbers_are_exact_and_do_not_wrap():
    images = np.array([0, 250, 255], "uint8").reshape(3, 1, 1, 1)
    distances, indices = nearest_neighbors(images, images, k=3)
    assert distances.tolist() == [[0, 250, 255], [0, 5, 250], [0, 5, 255]]
    assert indices.tolist() == [[0, 1, 2], [1, 2, 0], [2, 1, 0]]


def test_memorization_finds_copies_and_only_them(rng):
    training, held_out = rng.normal(size=(60, 20)), rng.normal(size=(40, 20))
    fresh = rng.normal(size=(30, 20))
    almost = training[:10] + 0.01 * rng.normal(size=(10, 20))
    report = memorization(np.concatenate([fresh, almost]), training, held_out)
    assert report["memorized_share"] == 10 / 40
    assert report["memorized_share_held_out"] == 0
    nearest = distance.cdist(held_out, training).min(axis=1)
    assert report["nearest_distance_held_out"] == pytest.approx(np.median(nearest))
    # Copies of what the training set holds twice have no ratio.
    assert memorization(training, np.repeat(training, 2, axis=0))["memorized_share"] == 1
    # The threshold: at 1 of the way from 0 to 4, nearest and second are 1 and 3 away.
    ends = np.array([[0.0], [4.0]])
    assert memorization(np.array([[1.0]]), ends, ratio=0.34)["memorized_share"] == 1
    assert memorization(np.array([[1.0]]), ends, ratio=0.33)["memorized_share"] == 0


def test_clear_errors():
    x = np.zeros([4, 2])
    with pytest.raises(ValueError, match="one shape"):
        nearest_neighbors(x, np.zeros([4, 3]))
    with pytest.raises(ValueError, match="from 1 to 4"):
        nearest_neighbors(x, x, k=5)
    with pytest.raises(ValueError, match="at least one example"):
        nearest_neighbors(x[:0], x)
    with pytest.raises(ValueError, match="second nearest"):
        memorization(x, x[:1])
    with pytest.raises(ValueError, match="ratio"):
        memorization(x, x, ratio=0)
