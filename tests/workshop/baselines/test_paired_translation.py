"""Baselines of pairs, where the answer is known."""

import numpy as np

from keras_gen.workshop.baselines import color_means, nearest_target, ridge_target


def test_the_nearest_source_gives_its_target(rng):
    sources, targets = rng.integers(0, 256, (2, 6, 32, 32, 3), dtype="uint8")
    near = np.clip(sources[[4, 1]].astype(int) + 3, 0, 255).astype("uint8")
    np.testing.assert_array_equal(nearest_target(near, sources, targets), targets[[4, 1]])


def test_ridge_finds_a_linear_map(rng):
    sources = rng.integers(0, 256, (400, 4, 4, 1), dtype="uint8")
    targets = np.concatenate([255 - sources[:, ::-1], sources // 2], axis=-1)
    found = ridge_target(sources[:10], sources, targets, alphas=(0.01, 1000.0))
    assert found.shape == (10, 4, 4, 2) and found.dtype == np.uint8
    assert np.abs(found.astype(int) - targets[:10]).max() <= 2


def test_ridge_of_few_pairs_warns_of_nothing(rng):
    sources = rng.integers(0, 256, (3, 4, 4, 1), dtype="uint8")
    assert ridge_target(sources[:1], sources, sources).shape == (1, 4, 4, 1)


def test_means_by_color():
    colors = np.array([[0], [100], [200]], "uint8")
    sources = np.array([[[[0], [100]]], [[[2], [100]]]], "uint8")
    targets = np.array([[[[10], [50]]], [[[20], [70]]]], "uint8")
    asked = np.array([[[[100], [1], [210]]]], "uint8")
    found = color_means(asked, sources, targets, colors)
    # The color that was never seen gets the mean of all pixels, 37.5.
    np.testing.assert_array_equal(found[0, 0, :, 0], [60, 15, 38])
