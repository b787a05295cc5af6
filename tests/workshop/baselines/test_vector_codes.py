"""Principal components with the methods of an autoencoder, and moments of ink."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from keras_gen.data import Shapes
from keras_gen.metrics import mutual_information_gap
from keras_gen.workshop.baselines import PrincipalComponents, ink_moments


@pytest.fixture(scope="module")
def images():
    """Images whose values span a space of three dimensions."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-20, 20, (50, 3)) @ rng.normal(size=(3, 48)) + 127.5
    return values.clip(0, 255).round().astype("uint8").reshape(50, 4, 4, 3)


@pytest.mark.parametrize("n", [5, 40])
def test_components_of_few_images_are_as_exact(rng, n):
    images = rng.integers(0, 256, (n, 2, 4, 1), "uint8")
    pca = PrincipalComponents(images, min(n, 8))
    np.testing.assert_allclose(pca.reconstruct(images), images / 255, atol=1e-5)
    centered = images.reshape(n, -1) / 255 - images.reshape(n, -1).mean(axis=0) / 255
    values = np.linalg.svd(centered, compute_uv=False)[:3]
    np.testing.assert_allclose(np.linalg.norm(pca.encode(images), axis=0)[:3], values, rtol=1e-4)
    half = pca.decode(pca.encode(images)[:, :2], images.shape)
    np.testing.assert_array_equal(half, pca.reconstruct(images, 2))


def test_codes_are_those_of_scikit_learn(images):
    pixels, ours = images.reshape(50, -1) / 255, PrincipalComponents(images, 3)
    theirs = PCA(3, svd_solver="full").fit(pixels)
    np.testing.assert_allclose(ours.encode(images), theirs.transform(pixels), atol=1e-4)
    np.testing.assert_allclose(ours.directions, theirs.components_, atol=1e-4)


def test_of_one_pixel_and_of_none():
    images = np.zeros((3, 5, 4, 1), "uint8")
    images[0, 4, 0] = 255
    images[1, 1:3, 1:3] = 51
    expected = [[1 / 20, 2.0, -1.5], [0.2 * 4 / 20, -0.5, 0.0], [0, 0, 0]]
    np.testing.assert_allclose(ink_moments(images), expected, atol=1e-12)


@pytest.mark.thorough
def test_they_know_the_size_and_the_place_of_shapes_and_nothing_else():
    """A gap of nearly 1 for three of five factors is a MIG that few learned codes reach."""
    shapes = Shapes(size=32, scales=4, orientations=8, positions=8, turn=0.25)
    images = shapes.source().arrays()
    values = shapes.factors.values(np.arange(len(images)))
    assert 0.4 < mutual_information_gap(ink_moments(images), values) < 0.65
