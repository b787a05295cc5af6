import numpy as np
import pytest

from keras_gen.metrics import bin_shares


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


@pytest.mark.parametrize("shape,bins", [((5, 3), 3), ((5, 2), 0), ((5, 2), 21)])
def test_bad_arguments(shape, bins):
    with pytest.raises(
        ValueError, match=r"2 features in real and 3 in|bins must be between 1 and 20"
    ):
        bin_shares(np.zeros([20, 2]), np.zeros(shape), bins)
