import numpy as np
import pytest

from keras_gen.metrics import bits_per_dimension


def test_bits_per_dimension():
    # A uniform distribution over 256 levels has 8 bits, however it is written down.
    d = 12
    assert bits_per_dimension(d * np.log(256), d, "none") == pytest.approx(8)
    assert bits_per_dimension(d * np.log(256), d, "uniform") == pytest.approx(8)
    assert bits_per_dimension(0.0, d, "uniform", levels_per_unit=256) == pytest.approx(8)
    # Data in [-1, 1) have the density 1/2.
    assert bits_per_dimension(d * np.log(2), d, "variational", 128) == pytest.approx(8)
    np.testing.assert_allclose(bits_per_dimension(np.array([0, d * np.log(2)]), d, "none"), [0, 1])


def test_clear_errors():
    with pytest.raises(ValueError, match="none, uniform, variational"):
        bits_per_dimension(0.0, 4, "yes")
    with pytest.raises(ValueError, match="dimensions must be at least 1, found 0"):
        bits_per_dimension(0.0, 0, "none")
    with pytest.raises(ValueError, match="which has no unit"):
        bits_per_dimension(0.0, 4, "none", 256)
