import numpy as np
import pytest

from keras_gen.metrics import squared_error


def test_in_units_of_255_levels():
    a, b = np.zeros([2, 3, 4, 1], "uint8"), np.zeros([2, 3, 4, 1], "uint8")
    a[0], b[1, 0, 0] = 255, 51
    found = squared_error(a, b)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [12.0, 0.2**2], rtol=1e-6)


def test_floats_and_levels_mix_and_may_lie_outside():
    originals = np.full([1, 2, 2, 3], 255, "uint8")
    np.testing.assert_allclose(squared_error(np.full([1, 2, 2, 3], 1.5), originals), [12 * 0.25])


def test_of_large_sets():
    images = np.random.default_rng(0).integers(0, 256, [2345, 2, 2, 1], "uint8")
    expected = np.square(images.astype("float64") / 255).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(squared_error(images, np.zeros_like(images)), expected, 1e-5)


def test_of_principal_components_is_the_rest_of_the_variance():
    x = np.random.default_rng(0).normal(size=[500, 6]) * [5, 4, 3, 0.3, 0.2, 0.1]
    x -= x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(x, rowvar=False, bias=True))
    kept = vectors[:, -3:]
    found = squared_error(x @ kept @ kept.T, x)
    np.testing.assert_allclose(found.mean(), values[:3].sum(), rtol=1e-4)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (np.zeros([2, 3], "uint8"), r"uint8 \(2, 3\) and originals uint8 \(2, 4\)"),
        (np.zeros([2, 4], "int64"), "images int64"),
    ],
)
def test_refuses(images, sentence):
    with pytest.raises(ValueError, match=sentence):
        squared_error(images, np.zeros([2, 4], "uint8"))
