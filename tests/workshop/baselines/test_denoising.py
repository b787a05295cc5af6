"""Boosted trees that denoise, on images that no linear map restores."""

import numpy as np

from keras_gen.workshop.baselines import BoostedDenoiser


def test_trees_restore_what_the_surrounding_pixels_reveal(rng):
    """Images are black or white, and half of the pixels are gray: a neighbor tells the color."""
    clean = np.ones([600, 6, 6, 1]) * rng.integers(0, 2, (600, 1, 1, 1))
    corrupted = np.where(rng.random(clean.shape) < 0.5, 0.5, clean)
    denoise = BoostedDenoiser(corrupted[:500], clean[:500], trees=50)
    found = denoise(corrupted[500:])
    assert found.shape == (100, 6, 6, 1)
    assert np.square(found - clean[500:]).mean() < 0.01
