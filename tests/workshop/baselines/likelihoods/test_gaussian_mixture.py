"""The mixture of Gaussians that generators are held against."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import best_mixture, mixture_samples
from keras_gen.workshop.baselines.likelihoods import gaussian_mixture


def blobs(n=400):
    """Dark and bright images, three to one; the left half of an image is correlated noise."""
    rng = np.random.default_rng(0)
    level = np.where(np.arange(n) % 4, 80, 180)[:, None, None, None]
    noise = np.zeros([n, 4, 4, 1])
    noise[:, :, :2] = rng.normal(0, 10, (n, 1, 1, 1)) + rng.normal(0, 5, (n, 4, 2, 1))
    return np.rint(level + noise).astype("uint8")


def test_means_covariances_and_weights_of_the_clusters():
    images = blobs()
    drawn = mixture_samples(images, 4000, clusters=2, seed=1)
    assert drawn.shape == (4000, 4, 4, 1) and drawn.dtype == np.uint8
    bright, bright_drawn = images[:, 0, 3, 0] > 130, drawn[:, 0, 3, 0] > 130
    assert bright_drawn.mean() == pytest.approx(0.25, abs=0.03)
    for chosen, of in ((bright, bright_drawn), (~bright, ~bright_drawn)):
        a, b = (x.reshape(len(x), -1).astype(float) for x in (images[chosen], drawn[of]))
        np.testing.assert_allclose(b.mean(axis=0), a.mean(axis=0), atol=2)
        # Rounding adds 1 / 12.
        np.testing.assert_allclose(np.cov(b.T), np.cov(a.T), atol=20)
    assert np.cov(images.reshape(400, -1)[bright].T).max() > 80


def test_in_no_order_and_as_the_seed_says():
    images = blobs()
    first, again, other = (mixture_samples(images, 200, 2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    bright = first[:, 0, 3, 0] > 130
    assert 0.05 < bright[:50].mean() < 0.6 and 0.05 < bright[-50:].mean() < 0.6


def test_levels_are_cut_off_and_one_image_is_a_cluster():
    images = np.zeros([50, 4, 4, 3], "uint8")
    images[::2] = 255
    assert set(np.unique(mixture_samples(images, 100, clusters=1))) >= {0, 255}
    single = mixture_samples(blobs(3), 9, clusters=3)
    assert {x.tobytes() for x in single} <= {x.tobytes() for x in blobs(3)}


def test_its_size_is_the_finest_that_is_no_nearer_than_held_out_images(monkeypatch):
    distances = dict(held_out=5.0, drawn=iter([3.0, 4.9, 5.1, 9.0]))
    tried = []

    def drawn(flat, n, clusters, seed):
        tried.append((len(flat), clusters))
        return np.zeros([n, 16])

    def distance(queries, known):
        return next(distances["drawn"]) if not queries.any() else distances["held_out"]

    monkeypatch.setattr(gaussian_mixture, "_drawn", drawn)
    monkeypatch.setattr(gaussian_mixture, "_distance", distance)
    mixture_samples(blobs(1000) + 1, 7)
    # Of the 900 that are not held out; then of all.
    assert tried == [(900, 30), (900, 15), (900, 7), (1000, 8)]


def test_few_images_are_one_gaussian():
    assert mixture_samples(blobs(5), 3).shape == (3, 4, 4, 1)
    assert mixture_samples(blobs(40), 3).shape == (3, 4, 4, 1)


def test_clear_errors():
    with pytest.raises(ValueError, match="uint8"):
        mixture_samples(blobs() / 255, 5, 2)
    for n, clusters in ((0, 2), (5, 0), (5, 401)):
        with pytest.raises(ValueError, match=f"n={n} and clusters={clusters}"):
            mixture_samples(blobs(), n, clusters)


def test_the_number_of_gaussians_is_chosen_on_held_out_vectors():
    rng = np.random.default_rng(0)
    centers = np.array([[-3.0, 0.0], [3.0, 1.0], [0.0, 5.0]])
    points = centers[rng.integers(3, size=400)] + 0.5 * rng.normal(size=(400, 2))
    mixture = best_mixture(points[:100], points[100:], components=(1, 3, 40))
    assert mixture.n_components == 3
    found = mixture.means_[np.lexsort(mixture.means_.T)]
    np.testing.assert_allclose(found, centers, atol=0.4)
    with pytest.raises(ValueError, match=r"components=\(5,\) for 4 vectors"):
        best_mixture(points[:4], points, components=(5,))
