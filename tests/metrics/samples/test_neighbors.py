"""Nearest neighbors and metrics on them, by brute force."""

import numpy as np
import pytest
from scipy.spatial import distance

from keras_gen.metrics import memorization, nearest_neighbors, prdc


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clusters_far_from_each_other(rng, dtype):
    """No center makes |x - y|^2 exact by expansion."""
    training = np.concatenate([rng.normal(size=(50, 3)), 1e3 + rng.normal(size=(50, 3))])
    training = (training * (2e3 if dtype == "float64" else 1)).astype(dtype)
    generated = (training + 1e-4 * rng.normal(size=training.shape)).astype(dtype)
    everything = distance.cdist(generated.astype(float), training.astype(float))
    distances, indices = nearest_neighbors(generated, training, 2)
    np.testing.assert_array_equal(indices, np.argsort(everything, axis=1)[:, :2])
    np.testing.assert_allclose(distances, np.sort(everything, axis=1)[:, :2], rtol=1e-12)
    assert memorization(generated, training)["memorized_fraction"] == 1


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


def test_memorization_finds_copies_and_only_them(rng):
    training, held_out = rng.normal(size=(60, 20)), rng.normal(size=(40, 20))
    fresh = rng.normal(size=(30, 20))
    almost = training[:10] + 0.01 * rng.normal(size=(10, 20))
    report = memorization(np.concatenate([fresh, almost]), training)
    assert report["memorized_fraction"] == 10 / 40
    report = memorization(held_out, training)
    assert report["memorized_fraction"] == 0
    nearest = distance.cdist(held_out, training).min(axis=1)
    assert report["nearest_distance"] == pytest.approx(np.median(nearest))
    # Copies of what the training set holds twice have no ratio.
    assert memorization(training, np.repeat(training, 2, axis=0))["memorized_fraction"] == 1
    # The threshold: at 1 of the way from 0 to 4, nearest and second are 1 and 3 away.
    ends = np.array([[0.0], [4.0]])
    assert memorization(np.array([[1.0]]), ends, ratio=0.34)["memorized_fraction"] == 1
    assert memorization(np.array([[1.0]]), ends, ratio=0.33)["memorized_fraction"] == 0


def brute(real, generated, k):
    """The definitions, one pair at a time."""

    def radius(points, i):
        return sorted(np.linalg.norm(points - points[i], axis=1))[k]

    real_radii = [radius(real, i) for i in range(len(real))]
    generated_radii = [radius(generated, j) for j in range(len(generated))]
    gap = np.array([[np.linalg.norm(x - y) for y in generated] for x in real])
    pairs = [(i, j) for i in range(len(real)) for j in range(len(generated))]
    inside_real = {(i, j) for i, j in pairs if gap[i, j] <= real_radii[i]}
    inside_generated = {(i, j) for i, j in pairs if gap[i, j] <= generated_radii[j]}
    return {
        "precision": len({j for _, j in inside_real}) / len(generated),
        "recall": len({i for i, _ in inside_generated}) / len(real),
        "density": len(inside_real) / (k * len(generated)),
        "coverage": len({i for i, _ in inside_real}) / len(real),
    }


def test_against_the_definitions(rng, monkeypatch):
    # Far from 0, where |x|^2 - 2xy + |y|^2 loses digits.
    real, generated = rng.normal(size=(25, 3)) + 50, 0.7 * rng.normal(size=(31, 3)) + 51.5
    for k in (1, 3):
        wanted = {**brute(real, generated, k), "k": k, "n_real": 25, "n_generated": 31}
        assert prdc(real, generated, k) == pytest.approx(wanted)
        assert 0 < wanted["precision"] < 1 and 0 < wanted["recall"] < 1
    # Seven rows of distances at once.
    monkeypatch.setitem(prdc.__globals__, "MEMORY", 7 * 25 * 8 / 2**20)
    assert prdc(real, generated, 3) == pytest.approx(wanted)


@pytest.mark.parametrize("shift", ["outlier", "outliers", "clusters"])
def test_balls_do_not_grow_with_the_farthest_example(rng, shift):
    real, generated = rng.normal(size=(25, 3)), 1.5 * rng.normal(size=(31, 3))
    if shift == "clusters":
        real[:12] += 1e7
        generated[:16] += 1e7
    else:
        real[0] = 1e7
        generated[0] = -1e7 if shift == "outliers" else 0
    wanted = {**brute(real, generated, 3), "k": 3, "n_real": 25, "n_generated": 31}
    assert prdc(real, generated, 3) == pytest.approx(wanted)


def test_identical_sets(rng):
    x = rng.normal(size=(40, 5)).astype("float32")
    # Closed balls hold their k neighbors and their own center.
    wanted = {"precision": 1, "recall": 1, "coverage": 1, "density": 6 / 5}
    assert prdc(x, x[::-1]).items() >= wanted.items()
    # Also where radii are 0.
    assert prdc(np.repeat(x, 6, axis=0), x)["precision"] == 1
