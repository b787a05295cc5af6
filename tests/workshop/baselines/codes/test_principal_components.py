"""Principal components with the methods of an autoencoder."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from keras_gen.metrics import squared_error
from keras_gen.workshop.baselines import PrincipalComponents


@pytest.fixture(scope="module")
def images():
    """Images whose values span a space of three dimensions."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-20, 20, (50, 3)) @ rng.normal(size=(3, 48)) + 127.5
    return values.clip(0, 255).round().astype("uint8").reshape(50, 4, 4, 3)


def test_all_components_give_the_images_back(images):
    back = PrincipalComponents(images, 48).reconstruct(images)
    assert back.shape == images.shape and back.dtype == np.float32
    np.testing.assert_allclose(255 * back, images, atol=0.02)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_the_error_is_the_variance_that_is_left(images, kept):
    variances = np.linalg.eigvalsh(np.cov(images.reshape(50, -1).T / 255))[::-1]
    errors = squared_error(PrincipalComponents(images, 5).reconstruct(images, kept), images)
    np.testing.assert_allclose(errors.sum() / 49, variances[kept:].sum(), rtol=1e-3)


def test_codes_are_those_of_scikit_learn(images):
    pixels, ours = images.reshape(50, -1) / 255, PrincipalComponents(images, 3)
    theirs = PCA(3, svd_solver="full").fit(pixels)
    np.testing.assert_allclose(ours.encode(images), theirs.transform(pixels), atol=1e-4)
    np.testing.assert_allclose(ours.directions, theirs.components_, atol=1e-4)


@pytest.mark.parametrize("dimensions", [0, 49, 51])
def test_more_components_than_values_are_refused(images, dimensions):
    with pytest.raises(ValueError, match=f"dimensions={dimensions} for 50 images of 48 values"):
        PrincipalComponents(images, dimensions)


def test_floats_are_refused(images):
    with pytest.raises(ValueError, match="uint8"):
        PrincipalComponents(images / 255.0, 3)
