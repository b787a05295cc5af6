import numpy as np
import pytest
from scipy.spatial import distance

from keras_gen.metrics import nearest_neighbors


@pytest.mark.parametrize("offset", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", ">f8"])
def test_rows_far_from_0_have_the_nearest_neighbors(rng, offset, dtype):
    reference = (1000 * rng.normal(size=(400, 3)) + 1000 * offset).astype(dtype)
    queries = (1000 * rng.normal(size=(50, 3)) + 1000 * offset).astype(dtype)
    expected = distance.cdist(queries.astype(float), reference.astype(float))
    distances, indices = nearest_neighbors(queries, reference, 3)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :3], rtol=1e-9)
    found = np.take_along_axis(expected, indices, axis=1)
    np.testing.assert_allclose(found, distances, rtol=1e-9)


@pytest.mark.parametrize("block", [1024, 4])
@pytest.mark.parametrize("types", [("f8", "f8"), ("f4", "f4"), ("f4", "f8")])
def test_against_all_distances_and_blocks_change_nothing(rng, monkeypatch, block, types):
    monkeypatch.setitem(nearest_neighbors.__globals__, "BLOCK", block)
    shapes = (11, 3), (523, 3)
    queries, reference = (rng.normal(size=s).astype(t) for s, t in zip(shapes, types, strict=True))
    everything = distance.cdist(queries, reference)
    distances, indices = nearest_neighbors(queries, reference, k=7)
    assert distances.dtype == np.float64 and indices.dtype == np.int64
    np.testing.assert_allclose(distances, np.sort(everything, axis=1)[:, :7], rtol=1e-12)
    np.testing.assert_array_equal(indices, np.argsort(everything, axis=1)[:, :7])


def test_whole_numbers_are_exact_and_do_not_wrap():
    images = np.array([0, 250, 255], "uint8").reshape(3, 1, 1, 1)
    distances, indices = nearest_neighbors(images, images, k=3)
    assert distances.tolist() == [[0, 250, 255], [0, 5, 250], [0, 5, 255]]
    assert indices.tolist() == [[0, 1, 2], [1, 2, 0], [2, 1, 0]]


def test_a_copy_is_at_distance_zero_far_from_the_origin(rng):
    # |x|^2 - 2 x.y + |y|^2 would have lost all digits here.
    x = 1e6 + rng.normal(size=(300, 20))
    distances, indices = nearest_neighbors(x[::-1], x, k=2)
    assert (distances[:, 0] == 0).all() and (indices[:, 0] == np.arange(300)[::-1]).all()
    assert (distances[:, 1] > 1).all()


def test_clear_errors():
    x = np.zeros([4, 2])
    with pytest.raises(ValueError, match="one shape"):
        nearest_neighbors(x, np.zeros([4, 3]))
    with pytest.raises(ValueError, match="from 1 to 4"):
        nearest_neighbors(x, x, k=5)
    with pytest.raises(ValueError, match="at least one example"):
        nearest_neighbors(x[:0], x)
    with pytest.raises(ValueError, match="NaN or infinity in queries: leave them out"):
        nearest_neighbors(x * np.nan, x)
    for wrong in (None, "many", {"a": 1}, [[1.0, 2.0], [3.0]]):
        with pytest.raises(TypeError, match=r"^reference must be an array of numbers, found"):
            nearest_neighbors(x, wrong)
    for k in (None, "1", 2.5, True, np.nan):
        with pytest.raises(TypeError, match=r"^k must be an integer.*, found"):
            nearest_neighbors(x, x, k)
