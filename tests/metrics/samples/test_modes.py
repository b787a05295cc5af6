"""Shares of modes, clusters, and classes."""

import numpy as np
import pytest

from keras_gen.metrics import (
    bin_shares,
    class_report,
    gaussian_modes,
    grid_centers,
    kernel_distance,
    ring_centers,
    stacked_modes,
)


def test_centers():
    ring = ring_centers(8, radius=2.0)
    np.testing.assert_allclose(np.linalg.norm(ring, axis=1), 2)
    np.testing.assert_allclose(ring[[0, 2]], [[2, 0], [0, 2]], atol=1e-12)
    grid = grid_centers()
    assert len(np.unique(grid, axis=0)) == 25
    assert grid.min() == -4 and grid.max() == 4 and grid.mean() == 0


def test_the_mixture_itself_reaches_all_modes_with_the_known_quality(rng):
    for centers, std in ((ring_centers(8), 0.01), (grid_centers(5), 0.05)):
        labels = rng.integers(len(centers), size=2500)
        report = gaussian_modes(centers[labels] + std * rng.normal(size=(2500, 2)), centers, std)
        assert report["modes"] == len(centers)
        # Within 3 standard deviations in the plane: 1 - exp(-9 / 2).
        assert report["high_quality_fraction"] == pytest.approx(1 - np.exp(-4.5), abs=0.01)
        # The expectation of 2 n KL is about the number of modes less one.
        assert 0 < report["reverse_kl"] < 3 * len(centers) / 5000


def test_collapse_and_bad_samples():
    centers = ring_centers(8)
    one = gaussian_modes(np.repeat(centers[:1], 50, axis=0), centers, 0.01)
    assert one == {"modes": 1, "reverse_kl": pytest.approx(np.log(8)), "high_quality_fraction": 1.0}
    # 2.9 standard deviations off is good, 3.1 is not; a bad sample reaches no mode.
    near, far = (centers + np.array([step, 0.0]) for step in (0.029, 0.031))
    mixed = gaussian_modes(np.concatenate([near[:2], far[:4]]), centers, 0.01)
    assert mixed == {
        "modes": 2,
        "reverse_kl": pytest.approx(np.log(4)),
        "high_quality_fraction": pytest.approx(2 / 6),
    }
    none = gaussian_modes(np.zeros([5, 2]), centers, 0.01)
    assert none["modes"] == 0 == none["high_quality_fraction"] and np.isnan(none["reverse_kl"])


def digits(labels):
    """Images whose channels hold their label as the value of every pixel: [n, 3] -> images."""
    return np.tile(np.asarray(labels, "uint8")[:, None, None, :], [1, 4, 4, 1])


def classify(images):
    assert images.dtype == np.uint8 and images.shape[1:] == (4, 4, 1)
    return np.eye(10)[images[:, 0, 0, 0]]


def test_stacked_images_are_classified_channel_by_channel():
    every = np.stack(np.meshgrid(*[range(10)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    assert stacked_modes(digits(every), classify) == {
        "modes": 1000,
        "reverse_kl": pytest.approx(0, abs=1e-12),
    }
    # The order of channels counts: 1-2-3 is not 3-2-1.
    some = digits([[1, 2, 3], [3, 2, 1], [1, 2, 3], [1, 1, 1]])
    found = stacked_modes(some, classify, batch_size=3)
    entropy = np.log(4) - 0.5 * np.log(2)
    assert found == {"modes": 3, "reverse_kl": pytest.approx(np.log(1000) - entropy)}
    same = stacked_modes(some, classify, reference=np.array([123, 321, 123, 111]))
    assert same == {"modes": 3, "reverse_kl": pytest.approx(0, abs=1e-12)}
    assert stacked_modes(some, classify, reference=np.array([123]))["reverse_kl"] == np.inf


def blobs(rng, counts):
    """Points around far places, so many at each."""
    centers = 100 * np.eye(len(counts))
    return np.concatenate(
        [c + rng.normal(size=(n, len(c))) for c, n in zip(centers, counts, strict=True)]
    )


def test_shares_of_clusters_that_lie_apart(rng):
    real, generated = blobs(rng, [10, 40, 30, 20]), blobs(rng, [0, 5, 0, 15])
    of_real, of_samples = bin_shares(real, generated, bins=4)
    np.testing.assert_allclose(of_real, [0.4, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(of_samples, [0.25, 0, 0.75, 0])
    np.testing.assert_allclose(bin_shares(real, real[::2], bins=4)[1], of_real)


def test_images_are_flattened(rng):
    images = rng.integers(0, 256, (20, 2, 3, 1), "uint8")
    flat = bin_shares(images.reshape(20, -1), images[:5].reshape(5, -1), bins=3)
    for a, b in zip(bin_shares(images, images[:5], bins=3), flat, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.sum() == pytest.approx(1)


def test_agreement_and_distances_by_class(rng):
    real, real_labels = rng.normal(size=(60, 4)), np.arange(60) % 3
    labels = np.repeat([0, 1, 2], 10)
    features = rng.normal(size=(30, 4)) + labels[:, None]
    found = labels.copy()
    found[[0, 10, 11]] = 2, 2, 0  # one of the first class is wrong, two of the second
    generated = {"features": features, "logits": np.eye(3)[found]}
    report = class_report({"features": real}, real_labels, generated, labels)
    assert report["agreement"] == pytest.approx(0.9)
    assert report["worst_agreement"] == pytest.approx(0.8)
    distances = [
        kernel_distance(real[real_labels == c], features[labels == c])[0] for c in range(3)
    ]
    assert report["class_distance"] == pytest.approx(np.mean(distances))
    assert report["worst_class_distance"] == pytest.approx(max(distances))
