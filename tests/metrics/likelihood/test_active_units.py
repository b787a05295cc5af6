import numpy as np

from keras_gen.metrics import active_units


def test_active_units(rng):
    # Standard deviations just above and below a tenth, and a latent with a large mean.
    means = rng.normal(size=(2000, 3)) * [0.12, 0.08, 0.0] + [0, 0, 5]
    number, variances = active_units(means)
    assert number == 1
    np.testing.assert_allclose(variances, means.var(axis=0, ddof=1))
    assert active_units(means, threshold=0.005)[0] == 2
